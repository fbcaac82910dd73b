"""What all tests share: hypothesis' profile, a clean environment, and databases of PostgreSQL."""

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from _pytest.nodeid import coerce_node_id
from hypothesis import settings

from core import logs
from core.config import PREFIX
from core.state.engine.store import State
from tests.support.stores.postgres import NewDatabase, postgres_cluster, sqlalchemy_url
from tests.support.stores.shortcuts import taken as shortcuts_taken

# A deadline would be a timing assertion, and these machines are busy.
settings.register_profile("heliograph", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("heliograph")


# Installations that all tests of a kind share: these go to one worker, the tests of every other file to one of theirs.
SHARED = ("demo", "studio")


# Thousands of small files are written and deleted: in memory, where there is plenty, nothing waits for a disk.
MEMORY, ENOUGH = Path("/dev/shm"), 8 << 30


def pytest_configure() -> None:
    """
    Let all that tests write, and the processes they start, be in memory, unless somebody says where.

    Modules are compiled once, not by each of the hundred processes that tests start: where Python is told to keep
    no bytecode, as in a container, those are told nothing of it.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ENOUGH:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """
    Say which tests stay together when several workers run them, as xdist's loadgroup reads it: behind an "@".

    Its own mark, `xdist_group`, comes to nothing with pytest 9.2 (pytest-xdist, issue 1386).
    """
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        shared = [name for name in SHARED if name in getattr(item, "fixturenames", ())]
        group = f"e2e {shared[0]}" if shared else item.nodeid.partition("::")[0]
        item._id = coerce_node_id(f"{item.nodeid}@{group}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let what a test logged be sent from process to process: some log half a surrogate pair, which is no UTF-8."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a developer's own HELIOGRAPH_… variables out of the tests."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_errors_of_tests_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test tell that an error of another one has stopped: a process counts its errors for an hour."""
    monkeypatch.setattr(logs, "_repeats", logs.Repeats())


@pytest.fixture(scope="session", autouse=True)
def shortcuts() -> Iterator[None]:
    """Spare every test what none of them is about."""
    with shortcuts_taken():
        yield


@pytest.fixture(scope="session")
def new_database() -> Iterator[NewDatabase]:
    """Run a PostgreSQL cluster and give a function that creates a database, empty or a copy."""
    with postgres_cluster() as create:
        yield create


@pytest.fixture(scope="session")
def new_state_database(new_database: NewDatabase) -> Callable[[], str]:
    """Give a function that creates a database which is migrated already, and returns its URL for SQLAlchemy."""
    template = new_database()
    store = State(sqlalchemy_url(template))
    store.migrate()
    store.close()
    return lambda: sqlalchemy_url(new_database(template))
