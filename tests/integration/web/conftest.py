from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.fakes.file_sign_in import FileSignIn
from tests.support.processes.chromium import launched_chromium
from tests.support.processes.live_server import live_server

LAUNCHER = Path(__file__).parent / "live" / "Home.py"


@pytest.fixture(scope="session")
def sign_in(tmp_path_factory: pytest.TempPathFactory) -> FileSignIn:
    return FileSignIn(folder=tmp_path_factory.mktemp("sessions"))


@pytest.fixture(scope="session")
def address(sign_in: FileSignIn) -> Iterator[str]:
    with live_server(LAUNCHER, {"SESSIONS_FOLDER": str(sign_in.folder)}) as started:
        yield started


# Playwright's event loop runs as long as this lives, and nothing else in the process may start one.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched_chromium() as browser:
        yield browser
