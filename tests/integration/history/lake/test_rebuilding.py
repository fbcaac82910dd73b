"""A catalog rebuilt from the files: what was there is there again, and nothing that was is overwritten."""

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from core.config import Settings
from core.errors import Conflict, StorageError
from core.history.audience.contacts import ContactStore
from core.history.lake.connection import Lake
from core.history.lake.maintenance import Maintenance, StepBounds
from core.history.lake.rebuilding import DERIVED, Known, Rebuilding
from core.history.lake.schema import CONTACT_SCHEMA
from core.history.messages.message_store import MessageStore
from core.history.rollups.rollups import Rollups
from core.services.upkeep.lake_register import StoredLakeRegister
from core.state.engine.store import State
from tests.integration.history.catalog.test_identity import lose
from tests.support.stores.lake_templates import LakeTemplates
from tests.support.stores.messages import NOW, make_message, make_unsent, message_table, unsent_table
from tests.support.stores.small_files import append_batches, build_missing, everything_in

KNOWN = Known(list_ids=["list-1", "list-2"], campaign_ids=["campaign-a"])
LATER = NOW + timedelta(days=1)


@pytest.fixture
def register(tmp_path: Path) -> Iterator[StoredLakeRegister]:
    state = State(f"sqlite:///{tmp_path / 'state.sqlite'}")
    state.migrate()
    yield StoredLakeRegister(state)
    state.close()


def contacts(count: int, tail: str = "") -> pa.Table:
    rows = [
        {"row_no": i + 2, "msisdn": f"+4917912{i:05d}", "country": "DE", "network": "O2", "mccmnc": "26203",
         "fields": [f"Name {i}{tail}", ""]}
        for i in range(count)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=CONTACT_SCHEMA)


def freeze(lake: Lake, messages: list[dict[str, Any]]) -> None:
    """Store an audience of two batches, of which the first has been appended."""
    table = pa.Table.from_pylist(messages)

    def store(cursor: Any) -> None:
        cursor.register("frozen", table)
        cursor.execute(
            "INSERT INTO lake.audience BY NAME SELECT 'campaign-a' AS campaign_id, "
            "(1 + (row_number() OVER ()) // 31)::INTEGER AS batch_no, (row_number() OVER ())::INTEGER AS position, "
            "message_id::UUID AS message_id, receiver AS msisdn, country, network, mccmnc, 'Hello' AS text, "
            "'gsm7' AS encoding, 1 AS segment_count, price_eur_cents FROM frozen"
        )
        cursor.execute(
            "INSERT INTO lake.frozen_audiences SELECT 'campaign-a', '', count(*), $now::TIMESTAMP FROM frozen",
            {"now": NOW},
        )

    lake.write(store)


@pytest.fixture
def lived(templates: LakeTemplates, lake_settings: Settings, register: StoredLakeRegister) -> Iterator[Lake]:
    """Return an installation's lake with a history."""
    templates.copy("lived", live_through, lake_settings)
    lake = Lake(lake_settings, register)
    lake.adopt()
    yield lake
    lake.close()


def live_through(lake: Lake) -> None:
    """Let a history come about: sent, received, replaced, deleted, merged, rewritten; all of it in files."""
    append_batches(lake, 8)
    store = ContactStore(lake)
    store.replace("list-1", [contacts(40, "old")])
    store.replace("list-2", [contacts(30)])
    store.replace("gone", [contacts(25)])
    store.replace("list-1", [contacts(40)])
    messages = [make_message(campaign_id="campaign-a", price_eur_cents=Decimal("7.5")) for _ in range(60)]
    freeze(lake, messages)
    unsent = [make_unsent(message_id=None, reason="duplicate") for _ in range(12)]
    MessageStore(lake).append_batch(
        "campaign-a-1", "campaign-a", message_table(*messages[:30]), unsent_table(*unsent), NOW
    )
    maintenance = Maintenance(lake)
    for state in maintenance.survey():
        maintenance.flush(state.name)
    for table in ("messages", "contacts", "receipts"):
        maintenance.merge(table, StepBounds(files=4))
    append_batches(lake, 4, first=8)
    store.delete("gone")
    maintenance.rewrite("contacts", StepBounds())
    for state in maintenance.survey():
        maintenance.flush(state.name)


def kept_rows(lake: Lake) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows for name, rows in everything_in(lake).items() if name not in DERIVED}


@pytest.mark.parametrize("damage", ["lost", "damaged"])
def test_what_the_files_hold_is_there_again(
    lake_settings: Settings, register: StoredLakeRegister, lived: Lake, damage: str
) -> None:
    if damage == "damaged" and lake_settings.lake_catalog:
        pytest.skip("a server sees to its own files")
    before = kept_rows(lived)
    lived.close()
    files = set((lake_settings.data_dir / "history" / "files").rglob("*.parquet"))
    path = lake_settings.data_dir / "history" / "catalog.sqlite"
    if damage == "lost":
        lose(lake_settings)
    else:
        path.write_bytes(random.Random(1).randbytes(20_000))
    rebuilt = Rebuilding(lake_settings, register).rebuild(KNOWN, LATER, replace=False)
    # The very next call finds it: it is the installation's.
    after = kept_rows(lived)
    for name in before:
        assert after[name] == before[name], name
    assert rebuilt.rows == {name: len(rows) for name, rows in before.items()}
    assert rebuilt.contacts == {"list-1": 40, "list-2": 30}
    # No file of before was touched, and a damaged catalog is kept.
    assert files < set((lake_settings.data_dir / "history" / "files").rglob("*.parquet"))
    if damage == "damaged":
        assert Path(rebuilt.kept).read_bytes() == random.Random(1).randbytes(20_000)
    # Rollups and further batches go on.
    build_missing(Rollups(lived))
    assert set(dict(Rollups(lived).verify()).values()) == {0}
    again = message_table(*(make_message() for _ in range(20)))
    assert not MessageStore(lived).append_batch("campaign-a-1", "campaign-a", again, unsent_table(), NOW)
    assert MessageStore(lived).append_batch("campaign-a-2", "campaign-a", again, unsent_table(), NOW)


def test_tags_and_audiences_that_were_only_in_the_catalog_follow_from_the_messages(
    tmp_path: Path, register: StoredLakeRegister
) -> None:
    settings = Settings(data_dir=tmp_path / "data", duckdb_memory_mib=512)
    lake = Lake(settings, register)
    messages = [make_message(campaign_id="campaign-a") for _ in range(60)]
    freeze(lake, messages)
    MessageStore(lake).append_batch("campaign-a-1", "campaign-a", message_table(*messages[:30]), unsent_table(), NOW)
    before = kept_rows(lake)
    lake.close()
    lose(settings)
    Rebuilding(settings, register).rebuild(KNOWN, NOW, replace=False)
    after = kept_rows(lake)
    assert len(after["appended_batches"]) == len(after["frozen_audiences"]) == 1
    assert {name: after[name] for name in before if name != "appended_batches"} == {
        name: before[name] for name in before if name != "appended_batches"
    }
    assert MessageStore(lake).is_appended("campaign-a-1")
    assert not MessageStore(lake).is_appended("campaign-a-2")
    lake.close()


def test_a_catalog_that_can_be_used_is_replaced_only_when_told_and_kept(
    lake_settings: Settings, register: StoredLakeRegister, lived: Lake
) -> None:
    before = kept_rows(lived)
    rebuilding = Rebuilding(lake_settings, register)
    with pytest.raises(Conflict, match="can be used") as caught:
        rebuilding.rebuild(KNOWN, LATER, replace=False)
    assert "--replace" in caught.value.hint
    assert kept_rows(lived) == before
    rebuilt = rebuilding.rebuild(KNOWN, LATER, replace=True)
    if lake_settings.lake_catalog:
        # A process that goes on meanwhile learns it by a call that fails, and goes on with the next.
        with pytest.raises(StorageError):
            kept_rows(lived)
    assert kept_rows(lived) == before
    lived.close()
    if lake_settings.lake_catalog:
        with psycopg.connect(lake_settings.lake_catalog) as connection:
            sql = "SELECT count(*) FROM before_20260311t120000.ducklake_snapshot"
            assert connection.execute(sql).fetchone()[0] > 1
    else:
        assert Path(rebuilt.kept).stat().st_size > 0


def test_a_rebuilding_that_is_killed_leaves_the_catalog_lost_and_can_be_done_again(
    lake_settings: Settings, register: StoredLakeRegister, lived: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kept_rows(lived)
    lived.close()
    lose(lake_settings)
    rebuilding = Rebuilding(lake_settings, register)
    with monkeypatch.context() as patch:
        patch.setattr("core.history.lake.rebuilding._complete", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rebuilding.rebuild(KNOWN, NOW, replace=False)
    with pytest.raises(StorageError):
        lived.ping()
    rebuilding.rebuild(KNOWN, LATER, replace=bool(lake_settings.lake_catalog))
    assert kept_rows(lived) == before


def test_where_there_are_no_files_nothing_is_rebuilt(lake_settings: Settings, register: StoredLakeRegister) -> None:
    with pytest.raises(StorageError, match="no files of a message history"):
        Rebuilding(lake_settings, register).rebuild(KNOWN, NOW, replace=False)
    assert register.find() == ""
