"""What a prepared statement writes is what SQLAlchemy would have written, and passes the same door."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import bindparam, event, insert, select, text, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError

from core.errors import InvalidInput, StorageError
from core.state.accounts import accounts
from core.state.engine.prepared import Prepared
from core.state.engine.store import State
from core.state.tables.base import UtcDateTime
from core.state.tables.gateway_models import StopConfirmationRow
from tests.support.application.factories import NOW, make_account

ADD = Prepared(insert(StopConfirmationRow), [column.name for column in StopConfirmationRow.__table__.columns])
SET_SENDER = Prepared(
    update(StopConfirmationRow)
    .where(StopConfirmationRow.msisdn == bindparam("key"))
    .values(sender_id=bindparam("new_sender")),
    ("new_sender", "key"),
)
FIND = Prepared(
    select(StopConfirmationRow.msisdn, StopConfirmationRow.asked_at).where(
        StopConfirmationRow.sender_id == bindparam("wanted")
    ),
    ("wanted",),
)


@pytest.fixture
def store(state: State) -> State:
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)
    return state


def row(msisdn: str, **values: object) -> list[object]:
    facts = {"account_id": make_account().account_id, "msisdn": msisdn, "sender_id": "fraud", "campaign_id": ""}
    given = facts | {"asked_at": NOW} | values
    return [given[column.name] for column in StopConfirmationRow.__table__.columns]


def add(store: State, *rows: list[object]) -> None:
    with store.write() as session:
        ADD.run_many(session, *map(list, zip(*rows, strict=True)))


def test_rows_are_what_they_would_be_otherwise(store: State):
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    add(store, row("+491"), row("+492", asked_at=elsewhere, sender_id="50 % \n: ?"))
    add(store, row("+493"))
    with store.read() as session:
        found = session.scalars(select(StopConfirmationRow).order_by(StopConfirmationRow.msisdn)).all()
    assert [(each.msisdn, each.sender_id, each.asked_at) for each in found] == [
        ("+491", "fraud", NOW),
        ("+492", "50 % \n: ?", NOW),
        ("+493", "fraud", NOW),
    ]


def test_it_tells_how_many_it_changed_and_what_it_found(store: State):
    add(store, row("+491"), row("+492"))
    with store.write() as session:
        assert SET_SENDER.run(session, "mistake", "+491") == 1
        assert SET_SENDER.run(session, "mistake", "+499") == 0
        assert FIND.fetch(session, "mistake") == [("+491", NOW)]


def test_who_watches_the_statements_hears_of_it(store: State):
    heard: list[tuple[str, bool]] = []

    def note(*called: object) -> None:
        heard.append((str(called[2]).split()[0], bool(called[5])))

    event.listen(store._engine, "before_cursor_execute", note)
    try:
        add(store, row("+491"), row("+492"))
        with store.read() as session:
            FIND.fetch(session, "fraud")
    finally:
        event.remove(store._engine, "before_cursor_execute", note)
    assert [each for each in heard if each[0] != "BEGIN"] == [("INSERT", True), ("SELECT", False)]


def test_an_error_is_that_of_sqlalchemy_and_says_nothing_of_the_values(store: State):
    add(store, row("+491"))
    with pytest.raises(IntegrityError) as caught, store.write() as session:
        ADD.run_many(session, *map(list, zip(row("+492"), row("+491"), strict=True)))
    assert isinstance(caught.value.orig, Exception)
    told = f"{caught.value!r} {caught.value} {caught.value.orig!r} {caught.value.__cause__!r}"
    assert "+491" not in told
    assert "fraud" not in told
    with store.read() as session:
        assert session.scalars(select(StopConfirmationRow.msisdn)).all() == ["+491"]


def test_a_server_that_is_gone_is_an_outage_and_the_next_transaction_has_another_connection(store: State):
    if not store.url.startswith("postgresql"):
        pytest.skip("SQLite has no server that could go")

    def ask_while_it_goes() -> None:
        with store.read() as session:
            backend = session.scalar(text("SELECT pg_backend_pid()"))
            with store.write() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
            FIND.fetch(session, "fraud")

    with pytest.raises(StorageError):
        ask_while_it_goes()
    with store.read() as session:
        assert FIND.fetch(session, "fraud") == []


def test_of_values_that_repeat_each_row_has_its_own(store: State):
    later = NOW + timedelta(hours=1)
    add(store, row("+491"), row("+492"), row("+493", asked_at=later), row("+494"))
    with store.read() as session:
        assert sorted(FIND.fetch(session, "fraud")) == [
            ("+491", NOW),
            ("+492", NOW),
            ("+493", later),
            ("+494", NOW),
        ]


@pytest.mark.parametrize("odd", ["\x00", "a\x1bb", "\ud800"], ids=ascii)
def test_no_value_goes_past_the_door(store: State, odd: str):
    with pytest.raises(InvalidInput, match="character that cannot be used"):
        add(store, row("+491"), row("+492", sender_id=odd), row("+493"))
    with store.read() as session, pytest.raises(InvalidInput, match="character that cannot be used"):
        FIND.fetch(session, odd)
    with store.read() as session:
        assert session.scalars(select(StopConfirmationRow.msisdn)).all() == []


def test_a_time_without_a_zone_is_refused(store: State):
    with pytest.raises(ValueError, match="naive"):
        add(store, row("+491", asked_at=NOW.replace(tzinfo=None)))


@pytest.mark.parametrize("moment", [NOW, NOW + timedelta(microseconds=7), NOW.replace(year=999)])
def test_times_are_kept_as_sqlalchemy_would_keep_them_in_sqlite(moment: datetime):
    dialect = sqlite.dialect()
    write, read = UtcDateTime().bind_processor(dialect), UtcDateTime().result_processor(dialect, None)
    plain = sqlite.DATETIME().bind_processor(dialect)
    assert write is not None
    assert read is not None
    assert write(moment.astimezone(timezone(timedelta(hours=-7)))) == plain(moment)
    assert read(plain(moment)) == moment
    assert read(plain(moment)).tzinfo is UTC
    assert (write(None), read(None)) == (None, None)


def test_rows_that_share_a_time_in_turn_get_theirs(store: State):
    times = [NOW, NOW, NOW + timedelta(days=1), NOW + timedelta(days=1), NOW]
    add(store, *(row(f"+49{number}", asked_at=at) for number, at in enumerate(times)))
    with store.read() as session:
        assert FIND.fetch(session, "fraud") == [(f"+49{number}", at) for number, at in enumerate(times)]


@pytest.mark.parametrize("names", [("sender_id",), ("key", "new_sender", "more"), ("key", "other")])
def test_a_statement_with_other_parameters_than_are_given_is_never_run(store: State, names: tuple[str, ...]):
    prepared = Prepared(
        update(StopConfirmationRow)
        .where(StopConfirmationRow.msisdn == bindparam("key"))
        .values(sender_id=bindparam("new_sender")),
        names,
    )
    with pytest.raises(AssertionError, match="are not the parameters"), store.write() as session:
        prepared.run(session, *names)
