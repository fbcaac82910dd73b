"""A browser, and one installation with the demo company for all tests that only look."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from core.services.people.adding_people import NewPerson
from tests.e2e.driver import EMAIL, PASSWORD
from tests.e2e.studio import Studio, studio_in
from tests.support.processes.chromium import launched_chromium
from tests.support.processes.installation import Installation, installation

# As large as `make demo` where pictures are taken; what tests look for is in a small one, too.
MESSAGES = 300_000 if os.environ.get("SCREENSHOTS_DIR") else 20_000


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Not longer than this package: Playwright's loop must not run while other tests use asyncio.
    with launched_chromium() as launched:
        yield launched


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    data_dir: Path = tmp_path_factory.mktemp("demo")
    with installation(data_dir, simulator_speed="20") as running:
        now = datetime.now(UTC)
        person = running.app.people.adding.add(NewPerson("Ada Lovelace", EMAIL, PASSWORD), now)
        running.app.demo.seed(person.user_id, now, message_count=MESSAGES)
        yield running


@pytest.fixture(scope="package")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Run one installation for all tests of the campaign screens: each makes lists and campaigns of its own."""
    with studio_in(tmp_path_factory.mktemp("studio")) as running:
        yield running
