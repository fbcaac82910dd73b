"""A lake from before the door: rows that hold control characters are shown, counted and exported all the same."""

from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import patch

import pytest

from core.bootstrap import build_app
from core.domain.reports.exports import ExportFormat, ExportStatus
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.statistics import GroupBy
from core.domain.words.control_characters import find_control
from core.files.apart import HERE
from core.history.audience.contacts import ContactStore
from core.history.lake.cleaning import clean
from core.history.lake.connection import Lake
from core.history.messages.message_store import MessageStore
from core.services.reports.export_requests import MessagesRequest
from core.services.reports.reporting import StatisticsRequest
from tests.support.application.house import House, make_house
from tests.support.stores.messages import contact_table, make_contact, make_message, message_table, unsent_table

ODD = ("a\x00'); DROP TABLE x; --", "\x00", "b\x01c", "b\x02c", "\x1b[2J", "f\x7fg", "h\x85i")
TEXTS = ("sender", "network", "mccmnc", "error_code", "campaign_id", "gateway_message_id", "receiver", "country")
COUNT = 35
COLUMNS = ("Receiver", "Sender", "Network", "Error Code", "Gateway Message ID")


def fill(house: House) -> None:
    """Put into the lake what an older version let in: odd rows, odd rollups, an odd list."""
    account, now, app = house.account.account_id, house.now, house.app
    odd = [
        make_message(account=account, sent_at=now, **dict.fromkeys(TEXTS, ODD[number % len(ODD)]))
        for number in range(COUNT)
    ]
    fine = [make_message(account=account, sent_at=now) for _ in range(COUNT)]
    nul = [message for message in odd if "\0" in message["sender"]]
    store = MessageStore(app.lake)
    store.append_batch(
        "old", "c", message_table(*(each for each in odd if each not in nul), *fine), unsent_table(), now
    )
    # With a NUL in a group not even the rollups can be made: what they are joined by becomes SQL for the catalog.
    app.upkeep.rolling_up.refresh()
    store.append_batch("older", "c", message_table(*nul), unsent_table(), now)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = make_house(tmp_path_factory.mktemp("old"))
    with patch("core.history.engine.door.find_fault", return_value=None), patch("core.history.engine.door.check_value"):
        fill(house)
        forget = "DELETE FROM lake.schema_migrations WHERE name = '0013_no_control_characters'"
        house.app.lake.write(lambda cursor: cursor.execute(forget))
    house.app.close()
    house.app = build_app(house.app.settings, HERE)
    yield house
    house.app.close()


def everything(house: House) -> MessageQuery:
    return MessageQuery(frozenset(), house.everything())


def test_they_are_shown_with_a_replacement_for_each(house: House) -> None:
    rows = house.app.reports.reporting.messages(house.viewer, everything(house), 1, 100).table.to_pylist()
    assert len(rows) == 2 * COUNT
    assert sum(row["sender"] == "b\ufffdc" for row in rows) == 2 * COUNT // len(ODD)
    assert not [value for row in rows for value in row.values() if isinstance(value, str) and find_control(value)]
    assert house.app.reports.tracing.get(
        house.viewer, next(row["message_id"] for row in rows if "DROP" in row["sender"])
    )


@pytest.mark.parametrize("group", list(GroupBy))
def test_they_are_counted(house: House, group: GroupBy) -> None:
    found = house.app.reports.reporting.statistics(house.viewer, StatisticsRequest(house.everything(), (group,), ()))
    assert sum(found.table["sent"].to_pylist()) == 2 * COUNT


def test_they_are_found(house: House) -> None:
    for name in ("sender", "network", "gateway_message_id"):
        query = replace(everything(house), **{name: "b\ufffdc"})
        assert house.app.reports.reporting.messages(house.viewer, query, 1, 15).table.num_rows == 2 * COUNT // len(ODD)


@pytest.mark.parametrize("kind", list(ExportFormat))
def test_they_are_exported(house: House, kind: ExportFormat) -> None:
    request = MessagesRequest(everything(house), COLUMNS)
    export = house.app.reports.exporting.start(house.viewer, request, kind, house.now)
    house.app.reports.exporting.run(export.export_id, lambda: house.now)
    (ended,) = [
        each for each in house.app.reports.exporting.list_mine(house.viewer) if each.export_id == export.export_id
    ]
    assert (ended.status, ended.row_count) == (ExportStatus.READY, 2 * COUNT)


def test_rollups_are_made_anew_and_are_right(house: House) -> None:
    # Two groups have become one: what their old rollups said would count apart what is shown together.
    house.app.upkeep.rolling_up.refresh()
    assert all(not found.difference_count for found in house.app.upkeep.rolling_up.verify(house.viewer, repair=False))
    found = house.app.reports.reporting.statistics(
        house.viewer, StatisticsRequest(house.everything(), (GroupBy.NETWORK,), ())
    )
    assert len(set(found.table["Network"].to_pylist())) == found.table.num_rows
    assert sum(found.table["sent"].to_pylist()) == 2 * COUNT
    house.app.upkeep.indexing.refresh(house.now)


def test_lists_keep_their_line_breaks_and_nothing_else(house: House) -> None:
    fields = ["Zo\x01\ufffdë", "two\nlines\tx", "", "\x02"]
    with patch("core.history.engine.door.find_fault", return_value=None):
        ContactStore(house.app.lake).replace("old-list", [contact_table(make_contact(2, fields=fields))])
    house.app.lake.write(clean)
    (row,) = ContactStore(house.app.lake).page("old-list", 0, 10).to_pylist()
    assert row["fields"] == ["Zo\ufffd\ufffdë", "two\nlines\tx", "", "\ufffd"]


def test_a_clean_lake_is_left_alone(house: House) -> None:
    house.app.lake.write(clean)
    before = snapshots(house.app.lake)
    house.app.lake.write(clean)
    assert snapshots(house.app.lake) == before


def snapshots(lake: Lake) -> int:
    with lake.read() as cursor:
        return int(cursor.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchall()[0][0])
