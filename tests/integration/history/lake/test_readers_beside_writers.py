"""Readers while others write: a transaction sees one snapshot of the lake, whatever is committed meanwhile."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import duckdb
import pytest

from core.config import Settings
from core.domain.messages.messages import DeliveryStatus
from core.history.catalog.attaching import attach_statements
from core.history.engine import door
from core.history.lake.connection import Lake
from core.history.messages.message_store import MessageStore
from tests.support.stores.messages import NOW, make_message, make_update, merge_receipts, message_table, unsent_table

# Of messages, and of receipts in one merge; half of those are for messages that the merge before has changed too.
COUNT, LOT = 300, 60
# DuckLake lists what was deleted from a file anew with each merge, and takes the older row away: in the third for the
# first time one that comes after others, where a reader who is on his way would not look.
MERGES = 6
BEGIN = "SELECT count(*) FROM lake.schema_migrations"
SEEN = "SELECT count(*), count(DISTINCT message_id), bit_xor(hash(m::VARCHAR)) FROM lake.messages AS m"
Look = tuple[int, int, int]


@pytest.fixture(autouse=True)
def _several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As people have it: with one thread, which is all that other tests get, DuckDB reads SQLite in another way."""
    monkeypatch.setitem(door.CONFIG, "threads", "2")


def merging(lake: Lake) -> Iterator[int]:
    """Append messages, then merge receipts for some of them at each step."""
    store, messages = MessageStore(lake), [make_message() for _ in range(COUNT)]
    store.append_batch("batch-1", "campaign-1", message_table(*messages), unsent_table(), NOW)
    for number in range(MERGES):
        yield number
        done_at, first = NOW + timedelta(days=1, seconds=-number), number * LOT // 2
        merge_receipts(
            store,
            [
                make_update(DeliveryStatus.DELIVERED, gateway_message_id=message["gateway_message_id"], done_at=done_at)
                for message in messages[first : first + LOT]
            ],
        )


def look(lake: Lake) -> Look:
    with lake.read() as cursor:
        return cursor.execute(SEEN).fetchall()[0]


def test_a_reader_sees_no_message_twice_while_receipts_are_merged(lake: Lake, lake_settings: Settings):
    merges = merging(lake)
    next(merges)
    with closing(Lake(lake_settings)) as another:
        for number in range(1, MERGES):
            there = look(lake)
            assert there[:2] == (COUNT, COUNT)
            with another.read() as cursor:
                # From its first query on, as `Lake.read` promises; it has not looked at the messages yet.
                cursor.execute(BEGIN).fetchall()
                assert next(merges) == number
                assert cursor.execute(SEEN).fetchall() == [there]
            assert look(another) != there


def test_who_attaches_the_lake_from_outside_sees_none_twice_either(lake: Lake, lake_settings: Settings):
    merges = merging(lake)
    next(merges)
    with duckdb.connect(":memory:", config=dict(door.CONFIG)) as outside:
        for statement in attach_statements(lake.location):
            outside.execute(statement)
        for number in range(1, MERGES):
            there = look(lake)
            outside.execute("BEGIN")
            outside.execute(BEGIN).fetchall()
            assert next(merges) == number
            assert outside.execute(SEEN).fetchall() == [there]
            outside.execute("COMMIT")
