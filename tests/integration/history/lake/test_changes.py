"""What commits say of the messages they change, and what is believed of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.domain.messages.messages import DeliveryStatus
from core.domain.times.periods import Period
from core.history.engine.door import Cursor
from core.history.lake import changes, watch
from core.history.lake.changes import Extent
from core.history.lake.connection import Lake
from core.history.lake.maintenance import Maintenance, StepBounds
from core.history.lake.snapshots import LatestSnapshot
from core.history.lake.watch import ChangeWatch
from core.history.messages.message_store import MessageStore
from core.history.rollups.rollups import Rollups
from tests.support.stores.messages import NOW, make_message, make_update, merge_receipts, message_table, unsent_table
from tests.support.stores.small_files import build_missing

HOUR = timedelta(hours=1)
AROUND = Period(NOW - HOUR, NOW + HOUR)
MINE, BEFORE, AFTER = (
    Extent(frozenset({"mine", "empty"}), period)
    for period in (AROUND, Period(NOW - 2 * HOUR, NOW), Period(NOW + timedelta(microseconds=1), NOW + HOUR))
)
OTHERS = Extent(frozenset({"others"}), AROUND)
EACH = (MINE, BEFORE, AFTER, OTHERS)


@pytest.fixture
def touched(lake: Lake) -> Callable[[], set[Extent]]:
    """Return what tells which extents have changed since it was asked before."""
    seen = ChangeWatch(lake, iter(range(1_000_000)).__next__)
    last = [seen.look()]

    def ask() -> set[Extent]:
        found = seen.look()
        changed = {extent for extent in EACH if not found.is_unchanged(last[-1].number, extent)}
        last.append(found)
        return changed

    return ask


def append(lake: Lake, *accounts: str, batch: str = "batch", sent_at: datetime = NOW) -> list[dict[str, object]]:
    sent = [make_message(account=account, sent_at=sent_at) for account in accounts]
    MessageStore(lake).append_batch(batch, "campaign", message_table(*sent), unsent_table(), NOW)
    return sent


def test_messages_that_are_appended_change_their_account_at_their_time(lake: Lake, touched: Callable[[], set[Extent]]):
    append(lake, "mine")
    # A period ends before its end.
    assert touched() == {MINE}
    append(lake, "mine", batch="earlier", sent_at=NOW - HOUR)
    assert touched() == {MINE, BEFORE}
    append(lake, "others", batch="of others")
    assert touched() == {OTHERS}
    append(lake, "somebody", batch="of somebody")
    assert touched() == set()


def test_a_batch_of_nothing_changes_nothing(lake: Lake, touched: Callable[[], set[Extent]]):
    append(lake)
    assert touched() == set()


def test_receipts_change_the_messages_they_are_for(lake: Lake, touched: Callable[[], set[Extent]]):
    mine, _ = append(lake, "mine", "others")
    touched()
    store, names = MessageStore(lake), {name: mine[name] for name in ("gateway", "gateway_message_id")}
    update = make_update(DeliveryStatus.DELIVERED, done_at=NOW + HOUR, **names)
    merge_receipts(store, [update])
    assert touched() == {MINE}
    # The same again, later: it is kept, and changes no message.
    merge_receipts(store, [replace(update, receipt_no=77)])
    assert touched() == set()


def test_more_accounts_than_a_note_holds_are_any(
    lake: Lake, touched: Callable[[], set[Extent]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(changes, "MOST_ACCOUNTS", 2)
    append(lake, "mine", "somebody")
    assert touched() == {MINE}
    append(lake, "mine", "somebody", "somebody else", batch="more")
    assert touched() == {MINE, OTHERS}


def test_upkeep_changes_nothing(lake: Lake, wear: Callable[..., None], touched: Callable[[], set[Extent]]):
    sent = [make_message(account="mine", sent_at=NOW + timedelta(seconds=number)) for number in range(3)]
    store, rollups, maintenance = MessageStore(lake), Rollups(lake), Maintenance(lake)
    for number, message in enumerate(sent):
        store.append_batch(f"batch-{number}", "campaign", message_table(message), unsent_table(), NOW)
    build_missing(rollups)
    names = {name: sent[0][name] for name in ("gateway", "gateway_message_id")}
    merge_receipts(store, [make_update(DeliveryStatus.DELIVERED, done_at=NOW + HOUR, **names)])
    touched()
    rollups.fold()
    for table in ("messages", "receipts", "traffic_log"):
        maintenance.flush(table)
    maintenance.rewrite("messages", StepBounds(share=0.01, share_small=0.01))
    maintenance.merge("messages", StepBounds())
    build_missing(rollups)
    assert touched() == set()


def test_moving_what_was_deleted_from_a_file_changes_nothing(lake: Lake, touched: Callable[[], set[Extent]]):
    # More than are kept in the catalog, so that the message that changes is deleted from a file.
    sent = append(lake, *["mine"] * 20)
    names = {name: sent[0][name] for name in ("gateway", "gateway_message_id")}
    merge_receipts(MessageStore(lake), [make_update(DeliveryStatus.DELIVERED, done_at=NOW + HOUR, **names)])
    touched()
    latest = LatestSnapshot()
    with lake.read() as cursor:
        latest.of(cursor)("key", {"messages"}, lambda: 1)
    Maintenance(lake).flush("messages")
    assert touched() == set()
    with lake.read() as cursor:
        assert latest.of(cursor)("key", {"messages"}, lambda: 2) == 1


def insert_unnoted(cursor: Cursor) -> None:
    cursor.execute("INSERT INTO lake.messages SELECT * REPLACE (uuid() AS message_id) FROM lake.messages LIMIT 1")


def delete_unnoted(cursor: Cursor) -> None:
    cursor.execute("DELETE FROM lake.messages")


def alter_unnoted(cursor: Cursor) -> None:
    cursor.execute("ALTER TABLE lake.messages ADD COLUMN another VARCHAR")


def replace_unnoted(cursor: Cursor) -> None:
    cursor.execute("CREATE OR REPLACE TABLE lake.messages AS SELECT * FROM lake.messages")


def drop_unnoted(cursor: Cursor) -> None:
    cursor.execute("DROP TABLE lake.messages")


def insert_elsewhere_and_drop(cursor: Cursor) -> None:
    cursor.execute("INSERT INTO lake.message_months VALUES (DATE '2026-01-01')")
    drop_unnoted(cursor)


@pytest.mark.parametrize(
    "work",
    [insert_unnoted, delete_unnoted, alter_unnoted, replace_unnoted, drop_unnoted, insert_elsewhere_and_drop],
)
def test_who_says_nothing_may_have_changed_anything(
    lake: Lake, touched: Callable[[], set[Extent]], work: Callable[[Cursor], None]
):
    append(lake, "somebody")
    touched()
    lake.write(work)
    assert touched() == set(EACH)


@pytest.mark.parametrize(
    "note",
    ["", "nonsense", "2026-11-29 then", "2026-13-01T00:00:00 2026-11-29T00:00:00 abc", "2026-03-01 2026-03-02"],
)
def test_a_note_that_is_none_is_no_note(lake: Lake, touched: Callable[[], set[Extent]], note: str):
    append(lake, "somebody")
    touched()

    def work(cursor: Cursor) -> None:
        insert_unnoted(cursor)
        cursor.execute("CALL ducklake_set_commit_message('lake', NULL, NULL, extra_info => $note)", {"note": note})

    lake.write(work)
    assert touched() == set(EACH)


def test_other_tables_are_no_messages(lake: Lake, touched: Callable[[], set[Extent]]):
    lake.write(
        lambda cursor: cursor.execute("INSERT INTO lake.frozen_audiences VALUES ('a', 'b', 1, now()::TIMESTAMP)")
    )
    assert touched() == set()


def test_a_commit_of_which_nothing_is_recorded_may_have_changed_anything(
    lake: Lake, touched: Callable[[], set[Extent]], monkeypatch: pytest.MonkeyPatch
):
    # As other programs than DuckLake write it into a catalog.
    append(lake, "somebody")
    touched()
    commits = changes._SQL["commits"].replace("changes_made,", "NULL AS changes_made,")
    monkeypatch.setitem(changes._SQL, "commits", commits)
    append(lake, "somebody", batch="another")
    assert touched() == set(EACH)


def test_commits_whose_record_is_gone_may_have_changed_anything(lake: Lake, touched: Callable[[], set[Extent]]):
    append(lake, "somebody")
    append(lake, "somebody", batch="another")
    Maintenance(lake).expire(datetime.now(UTC) + HOUR)
    assert touched() == set(EACH)


def test_more_commits_at_once_than_are_read_may_have_changed_anything(
    lake: Lake, touched: Callable[[], set[Extent]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(changes, "MOST_COMMITS", 2)
    for number in range(3):
        append(lake, "somebody", batch=f"batch-{number}")
    assert touched() == set(EACH)


def test_what_was_seen_longer_ago_than_is_remembered_may_have_changed(lake: Lake, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watch, "MOST_CHANGES", 2)
    seen = ChangeWatch(lake, iter(range(1_000_000)).__next__)
    states = [seen.look()]
    for number in range(4):
        append(lake, "somebody", batch=f"batch-{number}")
        states.append(seen.look())
    assert [states[-1].is_unchanged(state.number, MINE) for state in states] == [False, False, True, True, True]


def test_a_lake_that_is_opened_anew_may_be_another(lake: Lake):
    seen = ChangeWatch(lake, iter(range(1_000_000)).__next__)
    first = seen.look()
    lake.close()
    assert not seen.look().is_unchanged(first.number, MINE)
