"""People, links, sessions and the audit on both databases."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from core.domain.accounts.pricing import Price
from core.domain.people.people import SmsSettings, UserStatus
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action, AuditFilter, Subject
from core.domain.reports.paging import PageRequest
from core.errors import InvalidTransition, NotFound
from core.state.accounts import accounts
from core.state.engine.store import State
from core.state.people import links, sessions, users
from core.state.people.links import Link, Purpose
from core.state.people.sessions import SignedIn
from core.state.reports import audit
from tests.support.application.factories import NOW, make_account, make_user

ADA = Viewer("user-1", "Ada", "ada@example.com", address="192.0.2.1")


@pytest.fixture
def peopled(state: State) -> State:
    with state.write() as session:
        users.add_user(session, make_user(), NOW)
        accounts.add_account(session, make_account(), NOW)
        users.add_membership(session, "user-1", "account-1")
    return state


def test_people_come_with_their_accounts_in_two_statements(peopled: State):
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    with peopled.write() as session:
        for number in range(2, 8):
            users.add_user(session, make_user(user_id=f"user-{number}", email=f"{number}@example.com"), NOW)
            if number % 2:
                users.add_membership(session, f"user-{number}", "account-1")
    event.listen(peopled._engine, "before_cursor_execute", note)
    with peopled.read() as session:
        found = users.list_active(session)
    event.remove(peopled._engine, "before_cursor_execute", note)
    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 2
    assert {person.user_id for person in found if person.account_ids} == {"user-1", "user-3", "user-5", "user-7"}
    assert len(found) == 7


def record(state: State, action: Action, name: str, minutes: int) -> None:
    with state.write() as session:
        subject = Subject("campaign", f"id-{name}", name)
        audit.record(session, ADA, action, subject, NOW + timedelta(minutes=minutes), {"recipients": "3"})


def test_the_audit_lists_the_newest_first_and_filters(state: State):
    record(state, Action.CAMPAIGN_LAUNCHED, "Spring 100%", 0)
    record(state, Action.CAMPAIGN_PAUSED, "Summer", 1)
    record(state, Action.CAMPAIGN_LAUNCHED, "Autumn", 2)

    def names(wanted: AuditFilter, limit: int = 10, offset: int = 0) -> list[str]:
        with state.read() as session:
            found = [entry.subject.name for entry in audit.list_entries(session, wanted, limit, offset)]
            if not offset and len(found) < limit:
                assert audit.count_entries(session, wanted) == len(found)
                assert [entry.subject.name for entry in audit.stream_entries(session, wanted)] == found
        return found

    assert names(AuditFilter()) == ["Autumn", "Summer", "Spring 100%"]
    assert names(AuditFilter(), 1, 1) == ["Summer"]
    assert names(AuditFilter(action=Action.CAMPAIGN_LAUNCHED)) == ["Autumn", "Spring 100%"]
    assert names(AuditFilter(text="0%")) == ["Spring 100%"]
    assert names(AuditFilter(text="ADA")) == names(AuditFilter())
    assert names(AuditFilter(start=NOW + timedelta(minutes=1), end=NOW + timedelta(minutes=2))) == ["Summer"]
    with state.read() as session:
        entry = audit.list_entries(session, AuditFilter(), 1, 0)[0]
    assert (entry.who, entry.address, entry.details) == ("Ada", "192.0.2.1", {"recipients": "3"})


@pytest.mark.parametrize("change", ["UPDATE audit_log SET who = 'nobody'", "DELETE FROM audit_log"])
def test_the_database_refuses_to_change_the_audit(state: State, change: str):
    record(state, Action.CAMPAIGN_LAUNCHED, "Spring", 0)
    with pytest.raises(DBAPIError, match="append-only"), state.write() as session:
        session.execute(text(change))
    with state.read() as session:
        assert audit.list_entries(session, AuditFilter(), 10, 0)[0].who == "Ada"


AGAIN = "INTO audit_log SELECT * FROM audit_log"
WRITING_OVER = {
    "sqlite": f"REPLACE {AGAIN}",
    "postgresql": f"INSERT {AGAIN} ON CONFLICT (entry_id) DO UPDATE SET who = 'nobody'",
}


def test_nobody_writes_over_a_line_of_the_audit(state: State):
    # As it was: SQLite let REPLACE do it, which deletes without firing what watches over deletions.
    record(state, Action.CAMPAIGN_LAUNCHED, "Spring", 0)
    with pytest.raises(DBAPIError, match="append-only"), state.write() as session:
        session.execute(text(WRITING_OVER[session.get_bind().dialect.name]))


def test_the_audit_outlives_the_person(peopled: State):
    record(peopled, Action.CAMPAIGN_LAUNCHED, "Spring", 0)
    with peopled.write() as session:
        users.set_avatar(session, "user-1", b"png", "digest")
        users.delete_person(session, "user-1")
    with peopled.read() as session:
        assert audit.count_entries(session, AuditFilter()) == 1
        assert users.find_avatar(session, "user-1") is None
        with pytest.raises(NotFound):
            users.get_person(session, "user-1")


def test_a_link_works_once_for_its_purpose_and_in_time(peopled: State):
    link = Link("user-1", "new@example.com", NOW + timedelta(hours=1))
    with peopled.write() as session:
        links.add_link(session, "hash-1", Purpose.EMAIL_CHANGE, link, NOW)
    with peopled.write() as session:
        assert links.take_link(session, "hash-1", Purpose.PASSWORD_RESET, NOW) is None
        assert links.take_link(session, "hash-1", Purpose.EMAIL_CHANGE, NOW + timedelta(hours=1)) is None
        assert links.find_link(session, "hash-1", Purpose.EMAIL_CHANGE, NOW) == link
        assert links.take_link(session, "hash-1", Purpose.EMAIL_CHANGE, NOW) == link
        assert links.take_link(session, "hash-1", Purpose.EMAIL_CHANGE, NOW) is None


def test_a_new_link_ends_the_earlier_one_of_its_purpose(peopled: State):
    link = Link("user-1", "ada@example.com", NOW + timedelta(hours=1))
    with peopled.write() as session:
        links.add_link(session, "reset-1", Purpose.PASSWORD_RESET, link, NOW)
        links.add_link(session, "invite", Purpose.INVITATION, link, NOW)
        links.add_link(session, "reset-2", Purpose.PASSWORD_RESET, link, NOW)
        assert links.find_link(session, "reset-1", Purpose.PASSWORD_RESET, NOW) is None
        assert links.find_link(session, "reset-2", Purpose.PASSWORD_RESET, NOW) == link
        assert links.find_link(session, "invite", Purpose.INVITATION, NOW) == link


def test_people_are_found_by_name_or_email(peopled: State):
    with peopled.write() as session:
        new = make_user(user_id="user-2", email="Grace@Example.org", name="Grace", status=UserStatus.PENDING)
        users.add_user(session, new, NOW)

    def found(search: str, **how: object) -> list[str]:
        with peopled.read() as session:
            page = users.page_people(session, PageRequest(search=search, sort="name", descending=False, **how))
        return [person.user_id for person in page.items]

    assert found("example.ORG") == ["user-2"]
    assert sorted(found("")) == ["user-1", "user-2"]
    assert found("%") == []
    assert len(found("", size=1, page=2)) == 1


def test_a_person_keeps_what_is_set(peopled: State):
    with peopled.write() as session:
        users.set_profile(session, "user-1", name="Ada L.", phone="+15417543010", language="en", time_zone="Asia/Tokyo")
        users.set_sms_settings(session, "user-1", SmsSettings(True, "Shop"))
        users.set_access(session, "user-1", frozenset({Permission.USERS}), [])
        users.move_person(session, "user-1", UserStatus.INACTIVE)
    with peopled.write() as session:
        person = users.get_person(session, "user-1")
        with pytest.raises(InvalidTransition):
            users.move_person(session, "user-1", UserStatus.INACTIVE)
    assert (person.name, person.phone, person.time_zone) == ("Ada L.", "+15417543010", "Asia/Tokyo")
    assert (person.sms, person.permissions, person.account_ids) == (
        SmsSettings(True, "Shop"),
        frozenset({Permission.USERS}),
        frozenset(),
    )


def test_sessions_are_listed_and_ended_one_by_one_or_all_but_one(peopled: State):
    with peopled.write() as session:
        for number in range(3):
            browser = sessions.Browser(f"192.0.2.{number}", "Firefox")
            sessions.add_session(session, f"hash-{number}", "user-1", NOW + timedelta(minutes=number), browser)
    with peopled.write() as session:
        listed = sessions.list_open(session, "user-1", NOW + timedelta(minutes=1), NOW)
        assert [item.token_hash for item in listed] == ["hash-2", "hash-1"]
        assert not sessions.revoke_by_id(session, "user-2", listed[0].session_id, NOW)
        assert sessions.revoke_by_id(session, "user-1", listed[0].session_id, NOW)
        assert not sessions.revoke_by_id(session, "user-1", listed[0].session_id, NOW)
        assert sessions.revoke_all(session, "user-1", NOW, but="hash-1") == 1
        assert [item.token_hash for item in sessions.list_open(session, "user-1", NOW, NOW)] == ["hash-1"]


def test_the_newest_price_list_of_the_day_counts(peopled: State):
    first, second = date(2026, 3, 1), date(2026, 4, 1)
    with peopled.write() as session:
        accounts.replace_prices(session, "account-1", [Price("", "", Decimal(5)), Price("DE", "", Decimal(7))], first)
        accounts.replace_prices(session, "account-1", [Price("", "", Decimal(6))], second)
    with peopled.read() as session:

        def prices(on: date | None) -> list[Decimal]:
            return sorted(price.price_eur_cents for price in accounts.list_prices(session, "account-1", on))

        assert prices(date(2026, 2, 28)) == []
        assert prices(first) == prices(date(2026, 3, 31)) == [5, 7]
        assert prices(second) == prices(None) == [6]
        assert accounts.list_price_lists(session, "account-1") == ((second, 1), (first, 2))


def test_a_session_tells_who_is_behind_it_and_what_of(peopled: State):
    with peopled.write() as session:
        accounts.add_account(session, make_account(account_id="account-2", name="second", display_name="Second"), NOW)
        users.add_membership(session, "user-1", "account-2")
        sessions.add_session(session, "hash-1", "user-1", NOW)

    def ask(token_hash: str) -> tuple[SignedIn, Viewer] | None:
        with peopled.ask() as connection:
            return sessions.find_viewer(connection, token_hash)

    signed_in, viewer = ask("hash-1")
    assert signed_in == SignedIn("user-1", NOW, NOW)
    with peopled.read() as session:
        assert viewer == users.find_viewer(session, "user-1")
    assert viewer.account_ids == {"account-1", "account-2"}
    assert ask("hash-2") is None
    with peopled.write() as session:
        users.move_person(session, "user-1", UserStatus.INACTIVE)
    assert ask("hash-1") is None


def test_ended_sessions_and_old_links_are_deleted(peopled: State):
    with peopled.write() as session:
        for number, minutes in enumerate((0, 10, 20)):
            sessions.add_session(session, f"hash-{number}", "user-1", NOW + timedelta(minutes=minutes))
        sessions.revoke_session(session, "hash-2", NOW + timedelta(minutes=21))
        links.add_link(session, "old", Purpose.INVITATION, Link("user-1", "a@example.com", NOW), NOW)
        links.add_link(
            session, "new", Purpose.PASSWORD_RESET, Link("user-1", "a@example.com", NOW + timedelta(hours=1)), NOW
        )
    with peopled.write() as session:
        since = NOW + timedelta(minutes=5)
        assert sessions.delete_ended(session, NOW + timedelta(minutes=30), since, NOW) == 2
        assert links.delete_expired(session, NOW) == 1
        assert sessions.find_session(session, "hash-1") is not None
        assert links.find_link(session, "new", Purpose.PASSWORD_RESET, NOW) is not None
