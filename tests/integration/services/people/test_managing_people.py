"""Inviting and managing people: statuses, links, sessions, what reaches the audit, and who may not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.people.people import Person, UserStatus
from core.domain.people.permissions import PRESETS, Permission, Viewer
from core.domain.reports.audit import AuditFilter
from core.domain.reports.exports import ExportFormat
from core.domain.reports.paging import PageRequest
from core.errors import Forbidden, InvalidInput, InvalidTransition, NotFound, StorageError, TooManyAttempts
from core.services.people.adding_people import NewPerson
from core.services.people.following_links import Acceptance
from core.services.people.inviting import MOST, WINDOW, Invitation, Inviting
from core.services.people.mailing import Mailing
from core.services.people.managing_people import Change
from core.services.reports.auditing import in_words
from core.services.reports.export_requests import AuditRequest
from core.state.people import links, users
from core.state.people.links import Link, Purpose
from core.state.people.sessions import Browser
from tests.support.application import cdr
from tests.support.application.house import PASSWORD, House
from tests.support.fakes.mail import FakePost, token_in

MANAGER, REPORTER = PRESETS["User manager"], PRESETS["Reporting manager"]
BROWSER = Browser("192.0.2.1", "Firefox/140")


@pytest.fixture
def inviting(house: House, post: FakePost) -> Inviting:
    return Inviting(house.app.state, Mailing(post, "https://sms.example.org"), house.app.settings.invitation_h)


def add(house: House, preset: str = "Reporting manager", email: str = "ben@example.com", *accounts: str) -> Viewer:
    return house.app.people.adding.add(NewPerson("Ben", email, PASSWORD, preset, accounts), house.now)


def invite(house: House, inviting: Inviting, **overrides: object) -> Person:
    facts = {"name": "Ben", "email": "ben@example.com", "permissions": REPORTER}
    return inviting.invite(house.viewer, Invitation(**(facts | overrides)), house.now)


def lines(house: House) -> list[tuple[str, str, str]]:
    entries = house.app.reports.auditing.page(house.viewer, AuditFilter(), 1, 50).items
    return [(entry.action.value, entry.subject.name, in_words(entry)) for entry in entries]


def test_an_invitation_leads_from_pending_to_active(house: House, inviting: Inviting, post: FakePost):
    account_id = house.account.account_id
    ben = invite(house, inviting, name="  Ben  <b>Miller</b> ", account_ids=frozenset({account_id}))
    assert (ben.name, ben.status, ben.has_password) == ("Ben <b>Miller</b>", UserStatus.PENDING, False)
    assert (ben.permissions, ben.account_ids) == (REPORTER, {account_id})
    assert post.mails[0].to == "ben@example.com"
    assert "Ada Lovelace" in post.mails[0].text
    assert lines(house)[0] == (
        "person invited",
        "Ben <b>Miller</b>",
        "email ben@example.com, permissions Reporting manager",
    )
    house.app.people.links.accept(Acceptance(token_in(post.mails[-1]), "Ben", PASSWORD), BROWSER, house.now)
    assert house.app.people.managing.get(house.viewer, ben.user_id).status is UserStatus.ACTIVE


def test_tokens_are_in_the_mail_and_nowhere_else(house: House, inviting: Inviting, post: FakePost):
    invite(house, inviting)
    assert token_in(post.mails[-1]) not in str(lines(house))
    for path in house.app.settings.data_dir.glob("state.sqlite*"):
        assert token_in(post.mails[-1]).encode() not in path.read_bytes()


def test_a_link_is_good_for_as_long_as_the_settings_say(house: House, inviting: Inviting, post: FakePost):
    invite(house, inviting)
    valid = timedelta(hours=house.app.settings.invitation_h)
    assert house.app.people.links.find(token_in(post.mails[-1]), house.now + valid - timedelta(seconds=1))
    with pytest.raises(NotFound):
        house.app.people.links.find(token_in(post.mails[-1]), house.now + valid)


def test_a_mail_that_is_not_taken_leaves_somebody_to_resend_to(house: House, inviting: Inviting, post: FakePost):
    post.broken = True
    with pytest.raises(StorageError) as caught:
        invite(house, inviting)
    assert "resend" in caught.value.hint
    (ben,) = [person for person in everybody(house) if person.email == "ben@example.com"]
    assert ben.status is UserStatus.PENDING
    post.broken = False
    inviting.resend(house.viewer, ben.user_id, house.now)
    assert house.app.people.links.find(token_in(post.mails[-1]), house.now).user_id == ben.user_id
    assert [action for action, *_ in lines(house)][:2] == ["invitation sent again", "person invited"]


def test_a_new_invitation_ends_the_earlier_one(house: House, inviting: Inviting, post: FakePost):
    ben = invite(house, inviting)
    first = token_in(post.mails[-1])
    inviting.resend(house.viewer, ben.user_id, house.now)
    with pytest.raises(NotFound):
        house.app.people.links.find(first, house.now)
    house.app.people.links.accept(Acceptance(token_in(post.mails[-1]), "Ben", PASSWORD), BROWSER, house.now)
    with pytest.raises(InvalidTransition):
        inviting.resend(house.viewer, ben.user_id, house.now)


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"email": "ADA@example.com"}, "email"),
        ({"email": "ben"}, "email"),
        ({"email": "ben@example.com\nBcc: eve@example.com"}, "email"),
        ({"email": "ben@example.com, eve@example.com"}, "email"),
        ({"name": "  "}, "name"),
        ({"name": "Ben\u202e"}, "name"),
        ({"permissions": frozenset()}, "permissions"),
    ],
)
def test_what_cannot_be_an_invitation_sends_nothing(
    house: House, inviting: Inviting, post: FakePost, overrides: dict[str, object], field: str
):
    with pytest.raises(InvalidInput) as caught:
        invite(house, inviting, **overrides)
    assert (caught.value.field, post.mails) == (field, [])
    assert len(everybody(house)) == 1


def test_nobody_invites_without_end(house: House, inviting: Inviting, post: FakePost):
    ben = invite(house, inviting)
    for _ in range(MOST - 1):
        inviting.resend(house.viewer, ben.user_id, house.now)
    house.wait(WINDOW - timedelta(seconds=1))
    with pytest.raises(TooManyAttempts, match=f"{MOST} invitations"):
        inviting.resend(house.viewer, ben.user_id, house.now)
    with pytest.raises(TooManyAttempts):
        invite(house, inviting, email="carol@example.com")
    other = add(house, "User manager", "dan@example.com")
    inviting.invite(other, Invitation("Eve", "eve@example.com", MANAGER), house.now)
    house.wait(timedelta(seconds=1))
    invite(house, inviting, email="carol@example.com")
    assert len(post.mails) == MOST + 2


def test_nobody_invites_above_himself_or_herself(house: House, inviting: Inviting, post: FakePost):
    manager = add(house, "User manager")
    strange = cdr.open_outside(house).account_id
    for permissions, account_ids, error in (
        (PRESETS["Administrator"], frozenset[str](), Forbidden),
        (MANAGER | {Permission.CAMPAIGN}, frozenset[str](), Forbidden),
        (MANAGER, frozenset({strange}), NotFound),
        (MANAGER, frozenset({"no-such-account"}), NotFound),
    ):
        with pytest.raises(error):
            inviting.invite(manager, Invitation("Eve", "eve@example.com", permissions, account_ids), house.now)
    assert post.mails == []


def test_deactivating_ends_sessions_and_links_at_once(house: House):
    ben = add(house)
    token = house.app.people.signing_in.sign_in("ben@example.com", PASSWORD, BROWSER, house.now)
    link = Link(ben.user_id, ben.email, house.now + timedelta(hours=1))
    with house.app.state.write() as session:
        links.add_link(session, "reset-1", Purpose.PASSWORD_RESET, link, house.now)
    house.app.people.managing.deactivate(house.viewer, ben.user_id, house.now)
    assert house.app.people.signing_in.identify(token, house.now) is None
    with house.app.state.read() as session:
        assert links.find_link(session, "reset-1", Purpose.PASSWORD_RESET, house.now) is None
    house.app.people.managing.activate(house.viewer, ben.user_id, house.now)
    # The session of before does not come back with the person.
    assert house.app.people.signing_in.identify(token, house.now) is None
    assert house.app.people.signing_in.sign_in("ben@example.com", PASSWORD, BROWSER, house.now)
    assert [action for action, *_ in lines(house)][1:3] == ["person activated", "person deactivated"]


def test_who_never_accepted_is_pending_again_and_needs_another_link(house: House, inviting: Inviting, post: FakePost):
    ben = invite(house, inviting)
    first = token_in(post.mails[-1])
    house.app.people.managing.deactivate(house.viewer, ben.user_id, house.now)
    with pytest.raises(NotFound):
        house.app.people.links.find(first, house.now)
    assert house.app.people.managing.activate(house.viewer, ben.user_id, house.now).status is UserStatus.PENDING
    with pytest.raises(NotFound):
        house.app.people.links.find(first, house.now)
    inviting.resend(house.viewer, ben.user_id, house.now)
    assert house.app.people.links.find(token_in(post.mails[-1]), house.now).user_id == ben.user_id


def test_a_deleted_person_is_gone_and_the_email_free(house: House, inviting: Inviting):
    ben = add(house)
    token = house.app.people.signing_in.sign_in("ben@example.com", PASSWORD, BROWSER, house.now)
    house.app.people.managing.delete(house.viewer, ben.user_id, house.now)
    assert house.app.people.signing_in.identify(token, house.now) is None
    for ask in (
        lambda: house.app.people.managing.get(house.viewer, ben.user_id),
        lambda: house.app.people.managing.delete(house.viewer, ben.user_id, house.now),
        lambda: inviting.resend(house.viewer, ben.user_id, house.now),
    ):
        with pytest.raises(NotFound):
            ask()
    assert lines(house)[0] == ("person deleted", "Ben", "email ben@example.com")
    assert invite(house, inviting).user_id != ben.user_id


def test_a_deleted_person_s_exports_do_not_stay_behind(house: House):
    admin = add(house, "Administrator")
    ordered = house.app.reports.exporting.start(admin, AuditRequest(AuditFilter()), ExportFormat.CSV, house.now)
    kept = house.app.reports.exporting.start(house.viewer, AuditRequest(AuditFilter()), ExportFormat.CSV, house.now)
    for export in (ordered, kept):
        house.app.reports.exporting.run(export.export_id, house.clock)
    house.app.people.managing.delete(house.viewer, admin.user_id, house.now)
    house.app.reports.exporting.delete_expired(house.now)
    files = [path.name for path in house.app.settings.exports_dir.iterdir()]
    assert len(files) == 1
    assert files[0].startswith(kept.export_id)


def test_a_change_counts_with_the_next_click_and_says_what_it_was(house: House):
    ben = add(house, "Reporting manager", "ben@example.com", house.account.name)
    token = house.app.people.signing_in.sign_in("ben@example.com", PASSWORD, BROWSER, house.now)
    change = Change("Benjamin", frozenset({Permission.AUDIT, Permission.STATISTICS}))
    house.app.people.managing.change(house.viewer, ben.user_id, change, house.now)
    now = house.app.people.signing_in.identify(token, house.now)
    assert now
    assert (now.name, now.permissions, now.account_ids) == ("Benjamin", change.permissions, frozenset())
    assert lines(house)[0] == (
        "person changed",
        "Benjamin",
        "name Ben → Benjamin, permissions Reporting manager → Audit, Statistics, accounts removed "
        + house.account.name,
    )
    before = len(lines(house))
    house.app.people.managing.change(house.viewer, ben.user_id, change, house.now)
    assert len(lines(house)) == before


def test_a_user_manager_moves_people_between_accounts_and_reaches_nothing_else(house: House):
    account_id = house.account.account_id
    manager = add(house, "User manager", "dan@example.com", house.account.name)
    ben = add(house, "Campaign manager")
    people = house.app.people.managing
    for account_ids in (frozenset({account_id}), frozenset[str]()):
        changed = people.change(manager, ben.user_id, Change("Ben", ben.permissions, account_ids), house.now)
        assert changed.account_ids == account_ids
    for attempt in (
        lambda: people.change(manager, ben.user_id, Change("Benny", ben.permissions), house.now),
        lambda: people.change(manager, ben.user_id, Change("Ben", MANAGER), house.now),
        lambda: people.change(manager, house.viewer.user_id, Change("Ada Lovelace", MANAGER), house.now),
        lambda: people.change(manager, manager.user_id, Change("Ben", frozenset(Permission)), house.now),
        lambda: people.deactivate(manager, ben.user_id, house.now),
        lambda: people.delete(manager, house.viewer.user_id, house.now),
        lambda: people.deactivate(manager, manager.user_id, house.now),
        lambda: people.delete(manager, manager.user_id, house.now),
    ):
        with pytest.raises(Forbidden):
            attempt()
    strange = cdr.open_outside(house).account_id
    for user_id in (ben.user_id, manager.user_id):
        held = people.get(manager, user_id)
        with pytest.raises(NotFound):
            people.change(manager, user_id, Change("Ben", held.permissions, frozenset({strange})), house.now)


def test_people_are_found_by_part_of_a_name_in_any_order(house: House):
    for name, email in (("Ben", "b@example.com"), ("Élise 100%", "x@example.com")):
        house.wait(timedelta(minutes=1))
        house.app.people.adding.add(NewPerson(name, email, PASSWORD, "Reporting manager"), house.now)

    def found(search: str = "", sort: str = "name", *, descending: bool = False) -> list[str]:
        request = PageRequest(search=search, sort=sort, descending=descending)
        return [person.name for person in house.app.people.managing.page(house.viewer, request).items]

    assert found("ÉLI") == found("0%") == ["Élise 100%"]
    assert found("x@ex") == ["Élise 100%"]
    assert found(sort="created_at", descending=True) == ["Élise 100%", "Ben", "Ada Lovelace"]
    assert found() == list(reversed(found(descending=True)))
    assert found("_") == []


def test_why_sending_is_closed_and_who_can_help(house: House):
    explaining, account = house.app.people.explaining, house.account
    assert explaining.closed_sending(house.viewer) is None
    ben = add(house, "Campaign manager")
    found = explaining.closed_sending(ben)
    assert found
    assert found.reasons == ()
    assert [(helper.name, helper.email) for helper in found.helpers] == [("Ada Lovelace", "ada@example.com")]
    manager = add(house, "User manager", "dan@example.com", account.name)
    found = explaining.closed_sending(ben)
    assert found
    assert [helper.email for helper in found.helpers] == ["dan@example.com", "ada@example.com"]
    # Who is paused or belongs to no such account could not help.
    house.app.people.managing.deactivate(house.viewer, manager.user_id, house.now)
    outside = cdr.open_outside(house)
    house.app.accounts.managing.join(ben.user_id, outside.account_id)
    found = explaining.closed_sending(replace(ben, account_ids=frozenset({outside.account_id})))
    assert found
    assert [helper.email for helper in found.helpers] == ["ada@example.com"]
    assert "sent outside" in found.reasons[0][1]


def everybody(house: House) -> list[Person]:
    with house.app.state.read() as session:
        return list(users.page_people(session, PageRequest(size=100)).items)
