"""An installation whose catalog is lost: it says so, lets people in, and is not ready."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core import cli
from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.imports.lists import ListStatus
from core.history.messages.message_store import MessageStore
from core.services.people.adding_people import NewPerson
from core.state.imports import lists
from tests.support.application.factories import make_list
from tests.support.application.house import PASSWORD
from tests.support.processes.live_server import free_port
from tests.support.stores.messages import make_message, message_table, unsent_table

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HELIOGRAPH_PORT", str(free_port()))
    app = build_app(Settings.from_environment())
    app.state.migrate()
    app.people.adding.add(NewPerson("Ada Lovelace", "ada@example.com", PASSWORD), NOW)
    app.lake.ping()
    yield app
    app.close()


def catalog_of(app: App) -> Path:
    return app.settings.data_dir / "history" / "catalog.sqlite"


@pytest.mark.parametrize("content", [None, b"", os.urandom(9_000)], ids=["missing", "empty", "random bytes"])
def test_health_says_not_ready_until_the_right_catalog_is_back(app: App, tmp_path: Path, content: bytes | None) -> None:
    assert app.health(NOW) == {"state": True, "lake": True}
    app.lake.close()
    kept = catalog_of(app).rename(tmp_path / "kept")
    if content is not None:
        catalog_of(app).write_bytes(content)
    assert app.health(NOW) == {"state": True, "lake": False}
    assert app.people.signing_in.needs_setup() is False
    kept.replace(catalog_of(app))
    assert app.health(NOW) == {"state": True, "lake": True}


def test_an_unexpected_fault_is_not_ready_either(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.lake, "ping", lambda: 1 / 0)
    assert app.health(NOW) == {"state": True, "lake": False}


def test_the_command_line_rebuilds_what_the_files_tell(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    messages = message_table(*(make_message() for _ in range(30)))
    MessageStore(app.lake).append_batch("batch-1", "campaign-1", messages, unsent_table(), NOW)
    (account_id,) = app.people.adding.get_viewer("ada@example.com").account_ids
    customers = make_list(account_id=account_id, name="Customers", entry_count=12, status=ListStatus.READY)
    with app.state.write() as session:
        lists.add_list(session, customers)
    app.lake.close()
    assert cli.main(["history", "recover"]) == 1
    assert "add --replace" in capsys.readouterr().err
    catalog_of(app).unlink()
    assert cli.main(["history", "recover"]) == 0
    printed = capsys.readouterr()
    assert ["messages", "30"] in [line.split() for line in printed.out.splitlines()]
    assert "Customers: 0 of 12 entries" in printed.err
    assert app.health(NOW) == {"state": True, "lake": True}


def test_the_command_line_says_it_in_words_and_prepares_what_needs_no_history(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    app.lake.close()
    catalog_of(app).write_bytes(b"not a database at all")
    for command in (["history", "maintain"], ["history", "verify"], ["history", "adopt"], ["prepare", "--demo"]):
        assert cli.main(command) == 1
        complained = capsys.readouterr().err
        assert f"{catalog_of(app)}, is damaged" in complained
        assert "Traceback" not in complained
    assert cli.main(["prepare"]) == 0
    printed = capsys.readouterr()
    assert f"{catalog_of(app)}, is damaged" in printed.err
    assert "Heliograph: http://" in printed.out
