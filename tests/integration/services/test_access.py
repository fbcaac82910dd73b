"""Every call of every service, as somebody without the permission and as somebody of another account."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from core.domain.accounts.accounts import AccountType
from core.domain.accounts.suppressions import SuppressionFilter, SuppressionKey, SuppressionSource
from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.campaigns.preflight import RowKind, Wanted
from core.domain.imports.entries import ALL_ENTRIES
from core.domain.people.people import UserStatus
from core.domain.people.permissions import PRESETS, Permission, Viewer
from core.domain.reports.audit import AuditFilter
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.paging import PageRequest
from core.domain.reports.replies import ReplyFilter
from core.domain.reports.statistics import GroupBy
from core.errors import Forbidden, InvalidInput, NotFound
from core.identifiers import new_id
from core.services.accounts.managing_accounts import AccountSettings, NewAccount
from core.services.campaigns.limiting import OwnLimits
from core.services.campaigns.preflighting import Look
from core.services.campaigns.quick_sending import QuickMessage
from core.services.lists.importing_lists import Upload
from core.services.people.adding_people import NewPerson
from core.services.people.inviting import Invitation
from core.services.people.managing_people import Change
from core.services.reports.reporting import StatisticsRequest
from core.services.sending.replying import keep_replies
from core.services.suppressions.importing import SuppressionUpload
from core.services.traffic.importing_traffic import TrafficUpload
from core.state.campaigns import campaigns, replies
from core.state.people import users
from core.state.people.users import NewUser
from tests.support.application import cdr
from tests.support.application.factories import make_reply
from tests.support.application.house import PASSWORD, House, contacts, copy_house, make_house
from tests.support.application.services import list_methods_for_viewers


@dataclass
class Things:
    """A list and a campaign of the house's account."""

    house: House
    list_id: str
    campaign_id: str
    account_id: str
    import_id: str
    suppression_import_id: str


Call = Callable[[Things, Viewer], object]

MESSAGE_ID = "0198a7c2-0000-7000-8000-00000000000a"
USERS = {Permission.USERS}
LISTS, CAMPAIGNS = {Permission.DISTRIBUTION_LISTS}, {Permission.CAMPAIGN}
ACCOUNTS, AUDIT = {Permission.TRAFFIC_ACCOUNTS}, {Permission.AUDIT}


def ask_traffic(name: str) -> Call:
    """Return the call of a method that takes an import and how it is read."""

    def ask(t: Things, v: Viewer) -> object:
        traffic = t.house.app.traffic
        return getattr(traffic, name)(v, t.import_id, traffic.propose(t.house.viewer, t.import_id).mapping)

    return ask


def moved(t: Things, *states: CampaignStatus) -> str:
    """Bring the campaign into the last of these states, one after the other; harmless when it is there."""
    with t.house.app.state.write() as session:
        is_there = campaigns.get_campaign(session, t.campaign_id).status is states[-1]
        for state in () if is_there else states:
            campaigns.move_campaign(session, t.campaign_id, state)
    return t.campaign_id


def looked_at(t: Things) -> Look:
    """Return a look at the campaign by somebody who may have one."""
    return t.house.app.campaigns.preflighting.look(t.house.viewer, t.campaign_id, t.house.now)


def colleague(t: Things, status: UserStatus = UserStatus.ACTIVE) -> str:
    """Add somebody who may do no more than manage users, in this status; return who."""
    user_id = new_id()
    new = NewUser(user_id, f"{user_id}@example.com", "Ben", "hash", frozenset({Permission.USERS}), status=status)
    with t.house.app.state.write() as session:
        users.add_user(session, new, t.house.now)
    return user_id


def invitation(t: Things) -> Invitation:
    accounts = frozenset({t.house.account.account_id})
    return Invitation("Ben", "ben@example.com", frozenset({Permission.USERS}), accounts)


def quick_message(t: Things) -> QuickMessage:
    return QuickMessage(str(uuid4()), t.house.account.account_id, "HELIOGRAPH", ("+491796000001",), "Hello")


def suppression_upload(house: House) -> SuppressionUpload:
    return SuppressionUpload(house.account.account_id, "", "opt-outs.csv")


CALLS: dict[str, tuple[set[Permission], Call]] = {
    "lists.upload": (
        LISTS,
        lambda t, v: t.house.app.lists.upload(
            v, Upload(t.house.account.account_id, "New list", "a.csv"), io.BytesIO(contacts(1).encode()), t.house.now
        ),
    ),
    "lists.page": (LISTS, lambda t, v: t.house.app.lists.page(v, PageRequest())),
    "lists.page_ready": (
        LISTS | CAMPAIGNS,
        lambda t, v: t.house.app.lists.page_ready(v, t.house.account.account_id, PageRequest()),
    ),
    "lists.get": (LISTS | CAMPAIGNS, lambda t, v: t.house.app.lists.get(v, t.list_id)),
    "lists.count_campaigns": (LISTS, lambda t, v: t.house.app.lists.count_campaigns(v, [])),
    "lists.preview": (LISTS | CAMPAIGNS, lambda t, v: t.house.app.lists.preview(v, t.list_id, 0, 5)),
    "lists.count_entries": (
        LISTS | CAMPAIGNS,
        lambda t, v: t.house.app.lists.count_entries(v, t.list_id, ALL_ENTRIES),
    ),
    "lists.rejected_csv": (LISTS, lambda t, v: t.house.app.lists.rejected_csv(v, t.list_id)),
    "lists.delete": (LISTS, lambda t, v: t.house.app.lists.delete(v, t.list_id, t.house.now)),
    "suppressions.managing.page": (
        LISTS,
        lambda t, v: t.house.app.suppressions.managing.page(v, SuppressionFilter(), 1, 10),
    ),
    "suppressions.managing.add": (
        LISTS,
        lambda t, v: t.house.app.suppressions.managing.add(
            v, t.house.account.account_id, "+491796000009", "", t.house.now
        ),
    ),
    "suppressions.managing.lift": (
        LISTS,
        lambda t, v: t.house.app.suppressions.managing.lift(
            v,
            [SuppressionKey(t.house.account.account_id, "+491796000009", SuppressionSource.PERSON)],
            "A mistake",
            t.house.now,
        ),
    ),
    "suppressions.managing.all_suppressions": (
        LISTS,
        lambda t, v: SimpleNamespace(
            total=t.house.app.suppressions.managing.all_suppressions(v, SuppressionFilter())[0]
        ),
    ),
    "suppressions.importing.upload": (
        LISTS,
        lambda t, v: t.house.app.suppressions.importing.upload(
            v, suppression_upload(t.house), io.BytesIO(contacts(1).encode()), t.house.now
        ),
    ),
    "suppressions.importing.list_recent": (LISTS, lambda t, v: t.house.app.suppressions.importing.list_recent(v)),
    "suppressions.importing.get": (
        LISTS,
        lambda t, v: t.house.app.suppressions.importing.get(v, t.suppression_import_id),
    ),
    "suppressions.importing.rejected_csv": (
        LISTS,
        lambda t, v: t.house.app.suppressions.importing.rejected_csv(v, t.suppression_import_id),
    ),
    "traffic.list_accounts": (ACCOUNTS, lambda t, v: t.house.app.traffic.list_accounts(v)),
    "traffic.upload": (
        ACCOUNTS,
        lambda t, v: t.house.app.traffic.upload(
            v, TrafficUpload(t.account_id, "a.csv"), io.BytesIO(cdr.records(1)), t.house.now
        ),
    ),
    "traffic.propose": (ACCOUNTS, lambda t, v: t.house.app.traffic.propose(v, t.import_id)),
    "traffic.preview": (ACCOUNTS, ask_traffic("preview")),
    "traffic.begin": (ACCOUNTS, ask_traffic("begin")),
    "traffic.page": (ACCOUNTS, lambda t, v: t.house.app.traffic.page(v, PageRequest())),
    "traffic.get": (ACCOUNTS, lambda t, v: t.house.app.traffic.get(v, t.import_id)),
    "traffic.rejected_csv": (
        ACCOUNTS,
        lambda t, v: t.house.app.traffic.rejected_csv(replace(v, user_id=t.house.viewer.user_id), t.import_id),
    ),
    "traffic.delete": (ACCOUNTS, lambda t, v: t.house.app.traffic.delete(v, t.import_id)),
    "campaigns.composing.save": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.composing.save(v, t.house.draft(t.list_id), t.house.now),
    ),
    "campaigns.composing.clone": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.composing.clone(v, t.campaign_id, "A copy", t.house.now),
    ),
    "campaigns.composing.list_there": (
        CAMPAIGNS | {Permission.QUICK_SEND},
        lambda t, v: t.house.app.campaigns.composing.list_there(v, t.house.campaign(t.campaign_id)),
    ),
    "campaigns.preflighting.look": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.preflighting.look(v, t.campaign_id, t.house.now),
    ),
    "campaigns.preflighting.read": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.preflighting.read(v, t.campaign_id, t.house.now),
    ),
    "campaigns.preflighting.count": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.preflighting.count(v, looked_at(t).reading, t.house.now),
    ),
    "campaigns.preflighting.rows": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.preflighting.rows(v, looked_at(t), Wanted(RowKind.ALL), 1, 5),
    ),
    "campaigns.launching.decide": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.launching.decide(v, looked_at(t), t.house.now),
    ),
    "sending.reconciling.rows": (
        CAMPAIGNS | {Permission.QUICK_SEND},
        lambda t, v: t.house.app.sending.reconciling.rows(v, t.campaign_id, "sent", None, 1, 5),
    ),
    "campaigns.quick_sending.estimate": (
        {Permission.QUICK_SEND},
        lambda t, v: t.house.app.campaigns.quick_sending.estimate(v, quick_message(t), t.house.now),
    ),
    "campaigns.quick_sending.find_estimate": (
        {Permission.QUICK_SEND},
        lambda t, v: t.house.app.campaigns.quick_sending.find_estimate(v, quick_message(t), t.house.now),
    ),
    "campaigns.quick_sending.send": (
        {Permission.QUICK_SEND},
        lambda t, v: t.house.app.campaigns.quick_sending.send(v, quick_message(t), t.house.now),
    ),
    "campaigns.quick_sending.send_test": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.quick_sending.send_test(
            v, t.campaign_id, "+491796000001", 0, str(uuid4()), t.house.now
        ),
    ),
    "campaigns.launching.start_overdue": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.launching.start_overdue(v, moved(t, CampaignStatus.SCHEDULED), t.house.now),
    ),
    "campaigns.controlling.pause": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.controlling.pause(
            v, moved(t, CampaignStatus.PROCESSING, CampaignStatus.ACTIVE), t.house.now
        ),
    ),
    "campaigns.controlling.resume": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.controlling.resume(
            v, moved(t, CampaignStatus.PROCESSING, CampaignStatus.ACTIVE, CampaignStatus.PAUSED), t.house.now
        ),
    ),
    "campaigns.controlling.cancel": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.controlling.cancel(v, moved(t, CampaignStatus.SCHEDULED), t.house.now),
    ),
    "campaigns.controlling.unschedule": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.controlling.unschedule(v, moved(t, CampaignStatus.SCHEDULED), t.house.now),
    ),
    "campaigns.limiting.find": (
        CAMPAIGNS | {Permission.QUICK_SEND},
        lambda t, v: t.house.app.campaigns.limiting.find(v, t.campaign_id, t.house.now),
    ),
    "campaigns.limiting.change": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.limiting.change(
            v, moved(t, CampaignStatus.SCHEDULED), OwnLimits(), OwnLimits(Decimal(5), 50), t.house.now
        ),
    ),
    "accounts.spending.list_months": (
        ACCOUNTS,
        lambda t, v: t.house.app.accounts.spending.list_months(v, [t.account_id], t.house.now),
    ),
    "campaigns.composing.get": (
        CAMPAIGNS | {Permission.QUICK_SEND},
        lambda t, v: t.house.app.campaigns.composing.get(v, t.campaign_id),
    ),
    "campaigns.composing.page": (CAMPAIGNS, lambda t, v: t.house.app.campaigns.composing.page(v, PageRequest())),
    "campaigns.composing.has_launched": (CAMPAIGNS, lambda t, v: t.house.app.campaigns.composing.has_launched(v)),
    "campaigns.composing.preview": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.composing.preview(v, t.house.draft(""), 0),
    ),
    "campaigns.launching.launch": (
        CAMPAIGNS,
        lambda t, v: t.house.app.campaigns.launching.launch(v, t.campaign_id, t.house.now),
    ),
    "reports.reporting.reconciliation": (
        CAMPAIGNS | {Permission.QUICK_SEND},
        lambda t, v: t.house.app.reports.reporting.reconciliation(v, t.campaign_id),
    ),
    "reports.reporting.reconciliations": (CAMPAIGNS, lambda t, v: t.house.app.reports.reporting.reconciliations(v, [])),
    "reports.reporting.messages": (
        {Permission.MESSAGE_HISTORY},
        lambda t, v: t.house.app.reports.reporting.messages(
            v, MessageQuery(frozenset({t.house.account.account_id}), t.house.everything()), 1, 10
        ),
    ),
    "reports.replies.page": (
        {Permission.MESSAGE_HISTORY},
        lambda t, v: t.house.app.reports.replies.page(v, ReplyFilter(t.house.everything()), 1, 10),
    ),
    "reports.replies.all_replies": (
        {Permission.MESSAGE_HISTORY},
        lambda t, v: SimpleNamespace(
            total=t.house.app.reports.replies.all_replies(v, ReplyFilter(t.house.everything()))[0]
        ),
    ),
    "reports.replies.of_message": (
        {Permission.MESSAGE_HISTORY},
        lambda t, v: SimpleNamespace(total=len(t.house.app.reports.replies.of_message(v, MESSAGE_ID))),
    ),
    "reports.replies.choices": (
        {Permission.MESSAGE_HISTORY},
        lambda t, v: SimpleNamespace(total=len(t.house.app.reports.replies.choices(v).campaigns)),
    ),
    "reports.reporting.require_campaign": (
        {Permission.MESSAGE_HISTORY},
        lambda t, v: t.house.app.reports.reporting.require_campaign(v, t.campaign_id),
    ),
    "reports.reporting.count_messages": (
        {Permission.MESSAGE_HISTORY},
        lambda t, v: t.house.app.reports.reporting.count_messages(
            v, MessageQuery(frozenset({t.house.account.account_id}), t.house.everything())
        ),
    ),
    "reports.reporting.all_messages": (
        {Permission.MESSAGE_HISTORY},
        lambda t, v: SimpleNamespace(
            total=t.house.app.reports.reporting.all_messages(v, MessageQuery(frozenset(), t.house.everything()))[0]
        ),
    ),
    "reports.reporting.all_statistics": (
        {Permission.STATISTICS},
        lambda t, v: t.house.app.reports.reporting.all_statistics(
            v, StatisticsRequest(t.house.everything(), (GroupBy.COUNTRY,))
        )[0],
    ),
    "reports.reporting.statistics": (
        {Permission.STATISTICS},
        lambda t, v: (
            t.house.app.reports.reporting.statistics(
                v, StatisticsRequest(t.house.everything(), (GroupBy.COUNTRY,))
            ).table
        ),
    ),
    "reports.reporting.arrivals": (
        CAMPAIGNS | {Permission.QUICK_SEND},
        lambda t, v: t.house.app.reports.reporting.arrivals(v, t.house.campaign(t.campaign_id), t.house.now),
    ),
    "traffic.list_unrated": (
        ACCOUNTS,
        lambda t, v: t.house.app.traffic.list_unrated(v, t.import_id),
    ),
    "reports.auditing.page": (AUDIT, lambda t, v: t.house.app.reports.auditing.page(v, AuditFilter(), 1, 15)),
    "reports.auditing.all_entries": (AUDIT, lambda t, v: t.house.app.reports.auditing.all_entries(v, AuditFilter())),
    "upkeep.maintaining.maintain": (
        AUDIT,
        lambda t, v: t.house.app.upkeep.maintaining.maintain(v, t.house.now, everything=False),
    ),
    "people.inviting.invite": (USERS, lambda t, v: t.house.app.people.inviting.invite(v, invitation(t), t.house.now)),
    "people.inviting.resend": (
        USERS,
        lambda t, v: t.house.app.people.inviting.resend(v, colleague(t, UserStatus.PENDING), t.house.now),
    ),
    "people.managing.page": (USERS, lambda t, v: t.house.app.people.managing.page(v, PageRequest())),
    "people.managing.get": (USERS, lambda t, v: t.house.app.people.managing.get(v, t.house.viewer.user_id)),
    "people.managing.change": (
        USERS,
        lambda t, v: t.house.app.people.managing.change(
            v, colleague(t), Change("Ben", frozenset(USERS), frozenset({t.house.account.account_id})), t.house.now
        ),
    ),
    "people.managing.deactivate": (
        USERS,
        lambda t, v: t.house.app.people.managing.deactivate(v, colleague(t), t.house.now),
    ),
    "people.managing.activate": (
        USERS,
        lambda t, v: t.house.app.people.managing.activate(v, colleague(t, UserStatus.INACTIVE), t.house.now),
    ),
    "people.managing.delete": (
        USERS,
        lambda t, v: t.house.app.people.managing.delete(v, colleague(t), t.house.now),
    ),
    "people.explaining.closed_sending": (
        CAMPAIGNS | {Permission.QUICK_SEND},
        lambda t, v: t.house.app.people.explaining.closed_sending(v),
    ),
}
# People, the audit and the lake belong to the company, not to an account: docs/decisions/0013-people-and-access.md.
OF_THE_COMPANY = {
    # Whoever holds every permission runs all accounts; others are refused in a test of its own.
    "accounts.spending.list_months",
    "reports.auditing.page",
    "reports.auditing.all_entries",
    "upkeep.maintaining.maintain",
    "people.inviting.resend",
    "people.managing.page",
    "people.managing.get",
    "people.managing.deactivate",
    "people.managing.activate",
    "people.managing.delete",
    # Tells viewers about their own accounts, and whom to ask.
    "people.explaining.closed_sending",
}
# What has no account to belong to, each with tests of its own: one's own things, and the running of accounts, which
# needs every permission there is.
ELSEWHERE = {
    "sending.strays.count_waiting",
    "sending.strays.list_newest",
    *(f"people.signing_in.{name}" for name in ("list_sessions", "revoke_session", "revoke_others")),
    *(f"people.own_account.{name}" for name in ("get", "change_profile", "change_sms_settings", "change_password")),
    *(f"people.own_account.{name}_avatar" for name in ("find", "set", "delete")),
    *(f"people.own_account.{name}_email_change" for name in ("find", "ask", "withdraw")),
    "people.own_account.find_avatar_digest",
    *(f"reports.exporting.{name}" for name in ("start", "list_mine", "fetch")),
    *(f"reports.views.{name}" for name in ("list_views", "save_view", "delete_view", "choose_columns", "find_columns")),
    *(f"accounts.managing.{name}" for name in ("list_accounts", "list_sending", "page", "get", "rename")),
    *(f"accounts.managing.{name}" for name in ("create", "change", "activate", "deactivate")),
    *(f"accounts.setting_up.{name}" for name in ("list_gateways", "get", "create", "change", "delete")),
    *(f"accounts.setting_up.{name}" for name in ("test_connection", "get_callback_url", "renew_callback")),
    "campaigns.quick_sending.send_gateway_test",
    "reports.following.follow",
    *(f"accounts.watching.{name}" for name in ("look", "list_standings", "list_stuck")),
    *(f"accounts.pricing.{name}" for name in ("list_lists", "get_prices", "download", "preview", "import_list")),
    "campaigns.composing.check_ready",
    "people.explaining.without_account",
    "people.explaining.helpers",
    "upkeep.rebuilding.rebuild",
    # Says in words what `all_replies` is asked for.
    "reports.replies.in_words",
    # What counts for all accounts is for everybody to see: tests/integration/services/suppressions/.
    *(f"suppressions.managing.{name}" for name in ("list_scopes", "history", "in_words")),
    "reports.reporting.hours",
    "reports.reporting.traffic",
    "reports.tracing.get",
    "upkeep.rolling_up.verify",
    "upkeep.indexing.verify",
    "demo.request",
}
# These answer with a page of the viewer's own things instead of refusing another account's.
EMPTY_FOR_OTHERS = {
    "lists.page",
    "lists.count_campaigns",
    "suppressions.managing.page",
    "suppressions.managing.all_suppressions",
    "suppressions.importing.list_recent",
    "traffic.list_accounts",
    "traffic.page",
    "campaigns.composing.page",
    "campaigns.composing.has_launched",
    "reports.reporting.reconciliations",
    *(f"reports.replies.{name}" for name in ("page", "all_replies", "of_message", "choices")),
    "reports.reporting.messages",
    "reports.reporting.count_messages",
    "reports.reporting.all_messages",
    "reports.reporting.all_statistics",
    "reports.reporting.statistics",
}


# These move the campaign first, so each needs one of its own.
MOVING = {
    "campaigns.launching.start_overdue",
    *(f"campaigns.controlling.{name}" for name in ("pause", "resume", "cancel", "unschedule")),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Things:
    """Return what every house here begins with, closed, to be copied."""
    things = make_things(make_house(tmp_path_factory.mktemp("template")))
    things.house.app.close()
    return things


@contextmanager
def copied(template: Things, data_dir: Path) -> Iterator[Things]:
    house = copy_house(template.house, data_dir)
    yield replace(template, house=house)
    house.app.close()


@pytest.fixture
def things(template: Things, tmp_path: Path) -> Iterator[Things]:
    with copied(template, tmp_path / "house") as made:
        yield made


@pytest.fixture(scope="module")
def things_of_all(template: Things, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Things]:
    with copied(template, tmp_path_factory.mktemp("refusing") / "house") as made:
        yield made


@pytest.fixture
def refusing(request: pytest.FixtureRequest, call: str) -> Things:
    """Return what all refusals share, since they change nothing."""
    return request.getfixturevalue("things" if call in MOVING else "things_of_all")


def make_things(house: House) -> Things:
    found = house.upload(contacts(5))
    saved = house.app.campaigns.composing.save(house.viewer, house.draft(found.list_id), house.now)
    account = cdr.open_outside(house)
    uploaded = cdr.upload(house, account, cdr.records(3))
    _answer(house, saved.campaign_id)
    importing = house.app.suppressions.importing
    file = io.BytesIO(b"PhoneNumber\n+436641234567\nnone\n")
    imported = importing.upload(house.viewer, suppression_upload(house), file, house.now).import_id
    importing.run(imported, house.clock)
    return Things(house, found.list_id, saved.campaign_id, account.account_id, uploaded.import_id, imported)


def _answer(house: House, campaign_id: str) -> None:
    """Let somebody have answered a message of the campaign."""
    with house.app.state.write() as session:
        keep_replies(session, [make_reply(text="Thank you", received_at=house.now)], house.now)
        (reply,) = replies.list_due(session, house.now, 1)
        replies.link(session, reply, replies.Answered(MESSAGE_ID, house.account.account_id, campaign_id))


def somebody(house: House, permissions: frozenset[Permission], account_ids: frozenset[str]) -> Viewer:
    return Viewer("user-9", "Eve", "eve@example.com", permissions, account_ids)


def add_person(house: House, viewer: Viewer) -> None:
    """Let the store know the viewer: whoever sends is looked up once more."""
    new = NewUser(viewer.user_id, viewer.email, viewer.name, "hash", viewer.permissions)
    with house.app.state.write() as session:
        users.add_user(session, new, house.now)
        for account_id in viewer.account_ids:
            users.add_membership(session, viewer.user_id, account_id)


@pytest.mark.parametrize("call", CALLS)
def test_without_the_permission_it_is_refused(refusing: Things, call: str):
    needed, ask = CALLS[call]
    roles = {
        **PRESETS,
        "custom, with all the others": frozenset(Permission) - needed,
        "custom, with one": frozenset({Permission.BRANDING}),
        "nobody": frozenset[Permission](),
    }
    refused = [name for name, permissions in roles.items() if permissions.isdisjoint(needed)]
    assert len(refused) >= 3
    for name in refused:
        # Another guard may refuse the same call for another reason, and must not stand in for this one.
        with pytest.raises(Forbidden, match=r"^This needs (the permission|one of the permissions) ") as caught:
            ask(refusing, somebody(refusing.house, roles[name], refusing.house.viewer.account_ids))
        assert caught.value.hint, name
        assert [permission for permission in needed if permission not in caught.value.message] == [], name


@pytest.mark.parametrize("call", [call for call in CALLS if call not in OF_THE_COMPANY])
def test_another_account_s_things_do_not_exist(refusing: Things, call: str):
    _, ask = CALLS[call]
    viewer = somebody(refusing.house, frozenset(Permission), frozenset({"another-account"}))
    if call not in EMPTY_FOR_OTHERS:
        with pytest.raises(NotFound):
            ask(refusing, viewer)
        return
    answer = ask(refusing, viewer)
    assert answer in ({}, (), 0) or getattr(answer, "total", getattr(answer, "num_rows", None)) == 0


@pytest.mark.parametrize("call", CALLS)
def test_with_permission_and_account_it_answers(things: Things, call: str):
    needed, ask = CALLS[call]
    house, viewer = things.house, somebody(things.house, frozenset({min(needed)}), things.house.viewer.account_ids)
    add_person(house, viewer)
    ask(things, viewer)


def test_every_service_method_for_viewers_is_in_the_table(house: House):
    found = set(list_methods_for_viewers(house.app))
    assert found == set(CALLS) | ELSEWHERE
    assert not ELSEWHERE & set(CALLS)


def test_numbers_are_masked_for_those_who_do_not_upload_them(things: Things):
    house = things.house
    house.app.campaigns.launching.launch(house.viewer, things.campaign_id, house.now)
    house.app.work.run_until_idle(house.clock)
    reader = somebody(house, PRESETS["Reporting manager"], house.viewer.account_ids)
    query = MessageQuery(frozenset(), house.everything())
    masked = house.app.reports.reporting.messages(reader, query, 1, 10).table["receiver"].to_pylist()
    plain = house.app.reports.reporting.messages(house.viewer, query, 1, 10).table["receiver"].to_pylist()
    assert all(number.startswith("+4917") for number in plain)
    assert all(number.startswith("+4") and "917" not in number for number in masked)


def test_masked_numbers_cannot_be_spelled_out_by_searching(things: Things):
    house = things.house
    house.app.campaigns.launching.launch(house.viewer, things.campaign_id, house.now)
    house.app.work.run_until_idle(house.clock)
    reader = somebody(house, PRESETS["Reporting manager"], house.viewer.account_ids)

    def found(receiver: str) -> int:
        query = MessageQuery(frozenset(), house.everything(), receiver=receiver)
        return house.app.reports.reporting.messages(reader, query, 1, 10).total

    assert found("+49 179 6000001") == 1
    for part in ("+4", "+49179", "6000001", "%"):
        with pytest.raises(InvalidInput):
            found(part)


def test_an_account_that_may_not_send_says_so(house: House):
    reader = house.app.people.adding.add(NewPerson("Rita", "rita@example.com", PASSWORD, "Campaign manager"), house.now)
    assert house.app.accounts.managing.list_sending(reader) == ()
    with pytest.raises(NotFound):
        house.app.campaigns.composing.save(reader, house.draft(), house.now)


def test_hours_and_rebuilding_are_refused_without_their_permissions(house: House):
    viewer = somebody(house, frozenset({Permission.CAMPAIGN}), house.viewer.account_ids)
    with pytest.raises(Forbidden):
        house.app.reports.reporting.hours(viewer, StatisticsRequest(house.everything(), (GroupBy.DAY,)))
    with pytest.raises(Forbidden):
        house.app.upkeep.rebuilding.rebuild(viewer, house.now, replace=False)


def test_the_hours_of_another_account_are_empty(house: House):
    viewer = somebody(house, frozenset(Permission), frozenset({"another-account"}))
    hours = house.app.reports.reporting.hours(viewer, StatisticsRequest(house.everything(), (GroupBy.DAY,)))
    assert not sum(hours["sent"].to_pylist())


def test_a_list_of_another_account_in_a_draft_has_no_name(things: Things):
    # The next check says of a list of one's own other account what it is called.
    house = things.house
    apart = house.app.accounts.managing.create(
        house.viewer,
        NewAccount("apart", "Apart", AccountType.CAMPAIGN, AccountSettings("simulator", 100)),
        house.now,
    )
    viewer = somebody(house, PRESETS["Campaign manager"], frozenset({apart.account_id}))
    draft = replace(house.draft(things.list_id), account_id=apart.account_id)
    for ask in (
        lambda: house.app.campaigns.composing.save(viewer, draft, house.now),
        lambda: house.app.campaigns.composing.save(
            viewer, replace(draft, list_ids=(), left_out_ids=draft.list_ids), house.now
        ),
        lambda: house.app.campaigns.composing.preview(viewer, draft, 0),
    ):
        with pytest.raises(InvalidInput) as caught:
            ask()
        assert caught.value.message == "A distribution list no longer exists."
