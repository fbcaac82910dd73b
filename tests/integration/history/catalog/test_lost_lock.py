"""The writer's lock lost in the middle of a write: the commit itself keeps two writers apart."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import duckdb
import psycopg
import pytest

from core.config import Settings
from core.history.catalog.locks import AdvisoryLock
from core.history.lake.connection import Lake
from core.history.messages.message_store import MessageStore
from tests.support.stores.messages import NOW, make_message, message_table, unsent_table

T = TypeVar("T")


class InterruptedLake(Lake):
    """Does something in the middle of its first write: when the work is done and not yet committed."""

    def __init__(self, settings: Settings, meanwhile: Callable[[], None]) -> None:
        super().__init__(settings)
        self._meanwhile = [meanwhile]
        self.runs = 0

    def write(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        def interrupted(cursor: duckdb.DuckDBPyConnection) -> T:
            self.runs += 1
            result = work(cursor)
            if self._meanwhile:
                self._meanwhile.pop()()
            return result

        return super().write(interrupted)


def end_lock(settings: Settings) -> None:
    """End the session that holds the writer's lock, or take its file away."""
    if not settings.lake_catalog:
        (settings.data_dir / "history" / "writer.lock").unlink()
        return
    with psycopg.connect(settings.lake_catalog, autocommit=True) as connection:
        holders = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        assert connection.execute(holders).fetchall() == [(True,)]


@pytest.fixture
def second(lake_settings: Settings) -> Iterator[Lake]:
    lake = Lake(lake_settings)
    lake.ping()
    yield lake
    lake.close()


@pytest.mark.parametrize("rows", [1, 50], ids=["in the catalog", "in files"])
def test_of_two_writers_of_one_batch_one_lands_though_the_lock_was_lost(
    lake_settings: Settings, second: Lake, rows: int
) -> None:
    messages = message_table(*(make_message() for _ in range(rows)))

    def append(lake: Lake) -> bool:
        return MessageStore(lake).append_batch("batch-1", "campaign-1", messages, unsent_table(), NOW)

    landed = []

    def meanwhile() -> None:
        end_lock(lake_settings)
        landed.append(append(second))

    first = InterruptedLake(lake_settings, meanwhile)
    landed.append(append(first))
    assert landed == [True, False]
    assert first.runs == 2
    first.close()
    with second.read() as cursor:
        assert cursor.execute("SELECT count(*) FROM lake.messages").fetchone() == (rows,)
        assert cursor.execute("SELECT count(*) FROM lake.appended_batches").fetchone() == (1,)


def test_a_write_whose_lock_was_lost_with_nobody_else_at_it_holds(lake_settings: Settings, second: Lake) -> None:
    lake = InterruptedLake(lake_settings, lambda: end_lock(lake_settings))
    assert MessageStore(lake).append_batch("b", "c", message_table(make_message()), unsent_table(), NOW)
    assert lake.runs == 1
    assert MessageStore(second).is_appended("b")
    lake.close()


@pytest.mark.postgres
def test_the_lock_on_postgres_belongs_to_a_transaction_that_may_be_idle(new_database: Callable[[], str]) -> None:
    # A pooler that shares sessions between transactions would hand the session's own lock to anybody.
    dsn = new_database()
    with AdvisoryLock(dsn).hold(1), psycopg.connect(dsn) as connection:
        connection.execute("SELECT pg_advisory_unlock_all()")
        with AdvisoryLock(dsn).try_hold() as held:
            assert not held
        found = connection.execute("SELECT state FROM pg_stat_activity WHERE query LIKE '%advisory_xact_lock%'")
        assert ("idle in transaction",) in found.fetchall()
    with AdvisoryLock(dsn).try_hold() as held:
        assert held


@pytest.mark.postgres
def test_a_server_that_ends_idle_transactions_is_asked_to_leave_the_lock_alone(new_database: Callable[[], str]) -> None:
    dsn = new_database()
    asked = "SHOW idle_in_transaction_session_timeout"
    with psycopg.connect(dsn, autocommit=True) as connection:
        name = psycopg.sql.Identifier(connection.info.dbname)
        limit = psycopg.sql.SQL("ALTER DATABASE {} SET idle_in_transaction_session_timeout = '5min'")
        connection.execute(limit.format(name))
    with psycopg.connect(dsn) as connection:
        assert connection.execute(asked).fetchone() == ("5min",)
    with AdvisoryLock(dsn)._session() as connection:
        assert connection.execute(asked).fetchone() == ("0",)
