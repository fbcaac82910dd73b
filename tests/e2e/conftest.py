"""A browser, and one installation with the demo company for all tests that only look."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from core.services.adding_people import NewPerson
from tests.e2e.driver import EMAIL, PASSWORD
from tests.support.chromium import launched_chromium
from tests.support.installation import Installation, installation


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not longer than a module: Playwright's loop must not run while other tests use asyncio.
    with launched_chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    data_dir: Path = tmp_path_factory.mktemp("demo")
    with installation(data_dir, simulator_speed="20") as running:
        now = datetime.now(UTC)
        person = running.app.people.add(NewPerson("Ada Lovelace", EMAIL, PASSWORD), now)
        running.app.demo.seed(person.user_id, now)
        yield running
