import threading
import traceback
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from core.errors import StorageError
from core.logs import FieldFormatter
from core.state.accounts import accounts
from core.state.engine.store import State
from core.state.people import sessions, users
from core.state.tables.models import Base
from core.state.upkeep import installation
from tests.support.application.factories import NOW, make_account, make_user


def test_migrating_twice_is_harmless_and_ends_at_the_models(state: State):
    state.migrate()
    with state.read() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, Base.metadata) == []


def test_a_failed_block_leaves_nothing(state: State):
    def fail() -> None:
        with state.write() as session:
            installation.set_setting(session, "color", "purple")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with state.read() as session:
        assert installation.find_setting(session, "color") is None


def test_times_come_back_aware_and_in_utc(state: State):
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    with state.write() as session:
        users.add_user(session, make_user(), elsewhere)
        sessions.add_session(session, "token", "user-1", elsewhere)
    with state.read() as session:
        found = sessions.find_session(session, "token")
    assert found is not None
    assert found.created_at == NOW
    assert found.created_at.tzinfo is UTC


def test_times_without_a_zone_are_refused(state: State):
    with pytest.raises(StatementError, match="naive"), state.write() as session:
        users.add_user(session, make_user(), datetime(2026, 3, 1))


def test_writers_wait_for_each_other(state: State):
    def count_up() -> None:
        for _ in range(20):
            with state.write() as session:
                paced = accounts.lock_paced(session, "account-1")
                accounts.set_rate(session, "account-1", paced.rate_tps + 1)

    with state.write() as session:
        accounts.add_account(session, make_account(rate_tps=0), NOW)
    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with state.read() as session:
        assert accounts.get_account(session, "account-1").rate_tps == 80


def test_emails_are_compared_without_case(state: State):
    with state.write() as session:
        users.add_user(session, make_user(email="Ada@Example.com"), NOW)
    with state.read() as session:
        assert users.find_credentials(session, "ADA@example.COM") is not None
        assert users.find_user_id(session, "ada@EXAMPLE.com") == "user-1"
    with pytest.raises(IntegrityError), state.write() as session:
        users.add_user(session, make_user(user_id="user-2", email="ADA@EXAMPLE.COM"), NOW)


def test_a_revoked_session_is_gone_and_stays_so(state: State):
    with state.write() as session:
        users.add_user(session, make_user(), NOW)
        sessions.add_session(session, "token", "user-1", NOW)
        sessions.revoke_session(session, "token", NOW)
        sessions.revoke_session(session, "token", NOW + timedelta(hours=1))
    with state.read() as session:
        assert sessions.find_session(session, "token") is None


def test_activity_never_goes_back(state: State):
    with state.write() as session:
        users.add_user(session, make_user(), NOW)
        sessions.add_session(session, "token", "user-1", NOW)
        sessions.record_activity(session, "token", NOW + timedelta(minutes=5))
        sessions.record_activity(session, "token", NOW + timedelta(minutes=1))
    with state.read() as session:
        found = sessions.find_session(session, "token")
    assert found is not None
    assert found.active_at == NOW + timedelta(minutes=5)


def test_failures_are_counted_per_key_and_forgotten(state: State):
    later = NOW + timedelta(seconds=4)
    with state.write() as session:
        sessions.record_failure(session, "email:ada", 1, NOW)
        sessions.record_failure(session, "email:ada", 2, later)
    with state.write() as session:
        found = sessions.find_attempts(session, "email:ada")
        assert found is not None
        assert (found.failed_count, found.blocked_until) == (2, later)
        sessions.clear_attempts(session, "email:ada")
    with state.read() as session:
        assert sessions.find_attempts(session, "email:ada") is None


def test_only_one_of_two_gets_the_demo_request(state: State):
    until = NOW + timedelta(seconds=10)
    with state.write() as session:
        users.add_user(session, make_user(), NOW)
        installation.request_demo(session, "user-1", NOW)
    with state.write() as session:
        assert installation.lease_demo(session, "user-1", "one", NOW, until)
        assert not installation.lease_demo(session, "user-1", "two", NOW, until)
        assert installation.list_demo_requests(session, NOW) == []
        assert installation.list_demo_requests(session, until + timedelta(seconds=1)) == ["user-1"]
        installation.delete_demo_request(session, "user-1")
        assert not installation.lease_demo(session, "user-1", "one", NOW, until)


def test_a_store_that_cannot_be_reached_says_so():
    store = State("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StorageError, match="does not answer"), store.read() as session:
        users.count_users(session)
    store.close()


def test_a_file_that_is_no_database_is_said_in_words(tmp_path: Path):
    path = tmp_path / "state.sqlite"
    path.write_bytes(b"no database " * 1_000)
    store = State(f"sqlite:///{path}")
    with pytest.raises(StorageError, match="is not a database"):
        store.migrate()
    with pytest.raises(StorageError, match="is not a database"), store.read() as session:
        users.count_users(session)
    store.close()


def shown(error: BaseException) -> str:
    """Return all that a log, ours or another's, and a page could show of it."""
    ours = FieldFormatter().formatException((type(error), error, error.__traceback__))
    return "\n".join([*traceback.format_exception(error), ours, repr(error)])


@pytest.mark.parametrize(
    "wrong", [{}, {"user_id": "user-2"}, {"user_id": "user-2", "email": "b@example.org", "name": None}]
)
def test_an_error_quotes_nothing_that_was_bound(state: State, wrong: dict[str, str | None]):
    values = {"email": "grace@example.org", "name": "Grace of Hopper", "password_hash": "hash-of-a-password"}
    with state.write() as session:
        users.add_user(session, make_user(**values), NOW)
    with pytest.raises(IntegrityError) as caught, state.write() as session:
        users.add_user(session, make_user(**(values | wrong)), NOW)
    said = shown(caught.value)
    assert "users" in said
    assert [value for value in values.values() if value in said] == []


# What each database quotes when it can make nothing of a value.
NO_SUCH_VALUE = {
    "postgresql": "SELECT CAST(:value AS INTEGER)",
    "sqlite": "SELECT CAST(CAST(x'ff' AS TEXT) || :value AS TEXT)",
}


def test_a_value_of_which_nothing_can_be_made_is_not_quoted(state: State):
    # In a variable: a traceback shows the line that failed.
    secret = "grace@example.org"
    with state.read() as session:
        statement = text(NO_SUCH_VALUE[session.get_bind().dialect.name])
        with pytest.raises(DBAPIError) as caught:
            session.execute(statement, {"value": secret}).all()
    assert secret not in shown(caught.value)


def test_the_store_tells_what_time_it_is(state: State):
    told = [state.tell_time() for _ in range(3)]
    assert told == sorted(told)
    assert all(moment.utcoffset() == timedelta(0) for moment in told)
    assert abs(told[-1] - datetime.now(UTC)) < timedelta(minutes=1)
