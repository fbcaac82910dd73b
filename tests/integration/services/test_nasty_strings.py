"""What people may type, or programs hand over, into every service that asks a store: an answer or an error in words."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings

from core.domain.accounts.accounts import AccountType
from core.domain.accounts.suppressions import SuppressionFilter
from core.domain.campaigns.preflight import RowKind, Wanted
from core.domain.imports.cdr import CdrField, CdrMapping
from core.domain.imports.entries import EntryQuery
from core.domain.messages.messages import DeliveryStatus, Receipt
from core.domain.people.people import SmsSettings
from core.domain.people.permissions import Permission
from core.domain.reports.audit import AuditFilter
from core.domain.reports.exports import ExportFormat
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.paging import PageRequest
from core.domain.reports.replies import ReplyFilter
from core.domain.reports.statistics import GroupBy, NameFilter, Operator
from core.domain.words.control_characters import find_control
from core.errors import AppError, StorageError
from core.history.lake.schema import UNSENT_SCHEMA
from core.history.messages.message_store import MessageStore
from core.services.accounts.managing_accounts import AccountSettings, NewAccount
from core.services.accounts.setting_up_gateways import GatewayForm
from core.services.campaigns.quick_sending import QuickMessage
from core.services.lists.importing_lists import Upload
from core.services.people import passwords
from core.services.people.adding_people import NewPerson
from core.services.people.following_links import Acceptance
from core.services.people.inviting import Invitation
from core.services.people.managing_people import Change
from core.services.people.own_account import NewPassword, Profile
from core.services.people.signing_in import SetUp
from core.services.reports.export_requests import AuditRequest, MessagesRequest
from core.services.reports.reporting import StatisticsRequest
from core.services.traffic.importing_traffic import TrafficUpload
from core.state.campaigns import receipts
from core.state.people.sessions import Browser
from tests.support.application import cdr
from tests.support.application.house import PASSWORD, House, contacts, make_house
from tests.support.cases.nasty import EXAMPLES, FEW, SUITE, TABLE, fuzz, texts
from tests.support.stores.inbox import list_inbox
from tests.support.stores.messages import make_message, message_table

FIELDS = ("receiver", "sender", "message_id", "country", "network", "mccmnc", "delivery_status", "error_code")
GROUPS = (GroupBy.ACCOUNT, GroupBy.COUNTRY, GroupBy.NETWORK, GroupBy.NETWORK_CODE)
IS_LONG = EXAMPLES > SUITE
Ask = Callable[[], object]


@dataclass(frozen=True)
class Things:
    """A house with a list, a draft, an import and a colleague."""

    house: House
    list_id: str
    campaign_id: str
    import_id: str
    account_id: str


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Things]:
    with patch.object(passwords, "PasswordHasher", new=lambda: PasswordHasher(time_cost=1, memory_cost=64)):
        house = make_house(tmp_path_factory.mktemp("nasty"))
    account = house.account.account_id
    sent = [make_message(account=account, sent_at=house.now, error_code=str(number % 7)) for number in range(60)]
    MessageStore(house.app.lake).append_batch("b", "c", message_table(*sent), UNSENT_SCHEMA.empty_table(), house.now)
    found = house.upload(contacts(3))
    saved = house.app.campaigns.composing.save(house.viewer, house.draft(found.list_id), house.now)
    outside = cdr.open_outside(house)
    uploaded = cdr.upload(house, outside, cdr.records(3))
    house.viewer = house.app.people.adding.get_viewer("ada@example.com")
    yield Things(house, found.list_id, saved.campaign_id, uploaded.import_id, account)
    house.app.close()


def of_messages(t: Things, text: str) -> Iterator[Ask]:
    house, viewer = t.house, t.house.viewer
    reporting, tracing = house.app.reports.reporting, house.app.reports.tracing
    base = MessageQuery(frozenset(), house.everything())
    for name in (*FIELDS, "campaign_id"):
        query = replace(base, **{name: text})
        yield lambda query=query: reporting.messages(viewer, query, 1, 15)
    both = replace(base, error_code=text, campaign_id=text)
    yield lambda: reporting.messages(viewer, both, 1, 15)
    yield lambda: reporting.count_messages(viewer, replace(base, error_code=text))
    yield lambda: reporting.all_messages(viewer, replace(base, account_ids=frozenset({text})))
    for group in GROUPS:
        names = (NameFilter(group, Operator.STARTS_WITH, text),)
        request = StatisticsRequest(house.everything(), (GroupBy.NETWORK,), names)
        yield lambda request=request: reporting.statistics(viewer, request)
        yield lambda names=names: reporting.messages(viewer, replace(base, names=names), 1, 15)
    suppressions = house.app.suppressions.managing
    for name in ("number", "account_id"):
        sought = replace(SuppressionFilter(), **{name: text})
        yield lambda sought=sought: suppressions.page(viewer, sought, 1, 10)
        yield lambda sought=sought: [table.num_rows for table in suppressions.all_suppressions(viewer, sought)[1]]
        yield lambda sought=sought: suppressions.in_words(viewer, sought)
    yield lambda: suppressions.history(viewer, text)
    replies = house.app.reports.replies
    for name in ("search", "account_id", "campaign_id"):
        wanted = replace(ReplyFilter(house.everything()), **{name: text})
        yield lambda wanted=wanted: replies.page(viewer, wanted, 1, 15)
        yield lambda wanted=wanted: [table.num_rows for table in replies.all_replies(viewer, wanted)[1]]
        yield lambda wanted=wanted: replies.in_words(viewer, wanted)
    yield lambda: replies.of_message(viewer, text)
    yield lambda: reporting.reconciliation(viewer, text)
    yield lambda: tracing.get(viewer, text)
    yield lambda: house.app.sending.reconciling.rows(viewer, text, text, text, 1, 15)
    yield lambda: house.app.sending.reconciling.rows(viewer, t.campaign_id, "sent", text, 1, 15)


def of_lists(t: Things, text: str) -> Iterator[Ask]:
    app, viewer, now = t.house.app, t.house.viewer, t.house.now
    for service in (app.lists, app.traffic):
        yield lambda service=service: service.get(viewer, text)
        yield lambda service=service: service.page(viewer, PageRequest(search=text))
        yield lambda service=service: service.page(viewer, PageRequest(sort=text))
        yield lambda service=service: service.rejected_csv(viewer, text)
    yield lambda: app.lists.preview(viewer, text, 0, 5)
    yield lambda: app.lists.preview(viewer, t.list_id, 0, 5, EntryQuery(text))
    yield lambda: app.lists.count_entries(viewer, t.list_id, EntryQuery(text))
    yield lambda: app.lists.page_ready(viewer, text, PageRequest(search=text))
    yield lambda: app.lists.page_ready(viewer, t.account_id, PageRequest(search=text))
    yield lambda: app.lists.delete(viewer, text, now)
    for upload in (Upload(text, "x", "a.csv"), Upload(t.account_id, text, "a.csv"), Upload(t.account_id, "x", text)):
        yield lambda upload=upload: app.lists.upload(viewer, upload, io.BytesIO(contacts(1).encode()), now)
    content = f"PhoneNumber,{text}\n+491796000001,{text}\n".encode("utf-8", "surrogatepass")
    yield lambda: app.lists.upload(viewer, Upload(t.account_id, uuid4().hex, "a.csv"), io.BytesIO(content), now)
    mapping = CdrMapping({CdrField.SENDER: text}, None, text, statuses={text: DeliveryStatus.DELIVERED})
    traffic = app.traffic
    yield lambda: traffic.preview(viewer, t.import_id, mapping)
    yield lambda: traffic.begin(viewer, t.import_id, mapping)
    yield lambda: traffic.upload(viewer, TrafficUpload(text, text), io.BytesIO(cdr.records(1)), now)
    yield lambda: traffic.propose(viewer, text)
    yield lambda: traffic.delete(viewer, text)


def of_campaigns(t: Things, text: str) -> Iterator[Ask]:
    house, app, viewer, now = t.house, t.house.app, t.house.viewer, t.house.now
    yield lambda: app.campaigns.composing.get(viewer, text)
    yield lambda: app.campaigns.composing.clone(viewer, t.campaign_id, text, now)
    yield lambda: app.campaigns.composing.page(viewer, PageRequest(search=text))
    yield lambda: app.campaigns.composing.page(viewer, PageRequest(sort=text))
    for name in ("name", "sender_id", "message", "account_id"):
        yield lambda name=name: app.campaigns.composing.save(viewer, house.draft(t.list_id, **{name: text}), now)
    columns = {"placeholders": {"FirstName": text}, "fallbacks": {"FirstName": text}}
    for draft in (house.draft(text), house.draft(t.list_id, **columns), house.draft(left_out_ids=(text,))):
        yield lambda draft=draft: app.campaigns.composing.save(viewer, draft, now)
        yield lambda draft=draft: app.campaigns.composing.preview(viewer, draft, 0)
    for method in (
        app.campaigns.launching.launch,
        app.campaigns.launching.start_overdue,
        app.campaigns.preflighting.look,
    ):
        yield lambda method=method: method(viewer, text, now)
    for method in ("pause", "resume", "cancel", "unschedule"):
        yield lambda method=method: getattr(app.campaigns.controlling, method)(viewer, text, now)
    preflighting = app.campaigns.preflighting
    for kind in (RowKind.ALL, RowKind.EMPTY):
        yield lambda kind=kind: preflighting.rows(
            viewer, preflighting.look(viewer, t.campaign_id, now), Wanted(kind, text), 1, 5
        )
    order = QuickMessage(str(uuid4()), t.account_id, "HELIOGRAPH", ("+491796000001",), "Hello")
    for name in ("token", "account_id", "sender_id", "message", "name"):
        yield lambda name=name: app.campaigns.quick_sending.send(viewer, replace(order, **{name: text}), now)
    yield lambda: app.campaigns.quick_sending.estimate(viewer, replace(order, numbers=(text,)), now)
    yield lambda: app.campaigns.quick_sending.send_test(viewer, text, text, 0, text, now)


def of_people(t: Things, text: str) -> Iterator[Ask]:
    app, viewer, now = t.house.app, t.house.viewer, t.house.now
    here, link = Browser(text, text), uuid4().hex
    yield lambda: app.people.signing_in.sign_in(text, text, Browser("192.0.2.7", link), now, replaced=text)
    yield lambda: app.people.signing_in.set_up(SetUp(text, text, text, text), here, now)
    for method in ("identify", "recall", "time_left", "touch", "sign_out"):
        yield lambda method=method: getattr(app.people.signing_in, method)(text, now)
    yield lambda: app.people.signing_in.revoke_session(viewer, text, now)
    yield lambda: app.people.signing_in.list_sessions(viewer, text, now)
    yield lambda: app.people.signing_in.revoke_others(viewer, text, now)
    yield lambda: app.people.adding.add(NewPerson(text, f"{link}@example.com", PASSWORD), now)
    yield lambda: app.people.adding.add(NewPerson("Ben", text, PASSWORD), now)
    yield lambda: app.people.adding.add(NewPerson("Ben", "ben@example.com", text, accounts=(text,)), now)
    yield lambda: app.people.adding.get_viewer(text)
    yield lambda: app.people.resetting.ask(text, text, now)
    yield lambda: app.people.resetting.deliver(text, text, now)
    yield lambda: app.people.resetting.find(text, now)
    yield lambda: app.people.resetting.use(text, PASSWORD, text, now)
    yield lambda: app.people.links.accept(Acceptance(text, text, text), here, now)
    yield lambda: app.people.links.confirm_email(text, text, now)
    for name, email, accounts in ((text, f"{link}@example.com", ()), ("Ben", text, ()), ("B", "b@b.de", (text,))):
        wanted = Invitation(name, email, frozenset({Permission.USERS}), frozenset(accounts or {t.account_id}))
        yield lambda wanted=wanted: app.people.inviting.invite(viewer, wanted, now)
    yield lambda: app.people.inviting.resend(viewer, text, now)
    yield lambda: app.people.managing.page(viewer, PageRequest(search=text))
    yield lambda: app.people.managing.page(viewer, PageRequest(sort=text))
    for method in ("deactivate", "activate", "delete"):
        yield lambda method=method: getattr(app.people.managing, method)(viewer, text, now)
    yield lambda: app.people.managing.change(viewer, text, Change(text, frozenset({Permission.USERS})), now)


def of_oneself(t: Things, text: str) -> Iterator[Ask]:
    app, viewer, now = t.house.app, t.house.viewer, t.house.now
    fine = Profile("Ada Lovelace", "", "en", "UTC")
    for name in ("name", "phone", "language", "time_zone"):
        yield lambda name=name: app.people.own_account.change_profile(viewer, replace(fine, **{name: text}), now)
    yield lambda: app.people.own_account.change_sms_settings(viewer, SmsSettings(sender_id=text), now)
    yield lambda: app.people.own_account.ask_email_change(viewer, text, PASSWORD, now)
    yield lambda: app.people.own_account.change_password(viewer, NewPassword(PASSWORD, text, f"{text}!"), text, now)
    yield lambda: app.people.own_account.set_avatar(viewer, text.encode("utf-8", "surrogatepass"), now)
    yield lambda: app.reports.views.list_views(viewer, text)
    yield lambda: app.reports.views.delete_view(viewer, text)
    for page, name, address in (("statistics", text, text), ("statistics", "Mine", f"x={text}"), (text, "Mine", "")):
        yield lambda page=page, name=name, address=address: app.reports.views.save_view(
            viewer, page, name, address, shared=True, now=now
        )
    yield lambda: app.reports.views.choose_columns(viewer, "message_history", [text])
    yield lambda: app.reports.views.find_columns(viewer, text)
    yield lambda: app.reports.exporting.fetch(viewer, text, now)
    yield lambda: app.reports.exporting.start(viewer, AuditRequest(AuditFilter(text=text)), ExportFormat.CSV, now)
    query = MessageQuery(frozenset(), t.house.everything(), sender=text)
    yield lambda: app.reports.exporting.start(viewer, MessagesRequest(query, (text,)), ExportFormat.CSV, now)
    yield lambda: app.reports.auditing.page(viewer, AuditFilter(text=text), 1, 15)
    yield lambda: app.reports.auditing.all_entries(viewer, AuditFilter(text=text))


def of_accounts(t: Things, text: str) -> Iterator[Ask]:
    app, viewer, now = t.house.app, t.house.viewer, t.house.now
    own = AccountSettings("simulator", 100, Decimal(10))
    yield lambda: app.accounts.managing.page(viewer, PageRequest(search=text))
    yield lambda: app.accounts.managing.page(viewer, PageRequest(sort=text))
    yield lambda: app.accounts.managing.get(viewer, text)
    yield lambda: app.accounts.managing.rename(viewer, t.account_id, text, now)
    yield lambda: app.accounts.managing.create(viewer, NewAccount(text, "Name", AccountType.CAMPAIGN, own), now)
    yield lambda: app.accounts.managing.create(viewer, NewAccount(uuid4().hex, text, AccountType.CAMPAIGN, own), now)
    yield lambda: app.accounts.managing.change(viewer, t.account_id, replace(own, gateway=text), now)
    for method in ("activate", "deactivate"):
        yield lambda method=method: getattr(app.accounts.managing, method)(viewer, text, now)
    yield lambda: app.accounts.managing.change(viewer, t.account_id, replace(own, fallback_gateway=text), now)
    odd = GatewayForm({text: text}, forgotten=frozenset({text}))
    for name, kind, form in ((text, "simulator", odd), ("Berlin", text, odd), (text, text, GatewayForm({}))):
        yield lambda name=name, kind=kind, form=form: app.accounts.setting_up.create(viewer, name, kind, form, now)
    yield lambda: app.accounts.setting_up.change(viewer, "simulator", odd, now)
    yield lambda: app.accounts.setting_up.change(viewer, text, GatewayForm({}), now)
    for method in ("get", "get_callback_url"):
        yield lambda method=method: getattr(app.accounts.setting_up, method)(viewer, text)
    for method in ("delete", "renew_callback", "test_connection"):
        yield lambda method=method: getattr(app.accounts.setting_up, method)(viewer, text, now)
    yield lambda: app.accounts.connecting.open_connection(text)
    yield lambda: app.sending.callbacks.find(text)
    today = now.date() + timedelta(days=1)
    yield lambda: app.accounts.pricing.list_lists(viewer, text, now)
    yield lambda: app.accounts.pricing.get_prices(viewer, text, today)
    content = f"MCCMNC,Price\n{text},0.05\n26201,{text}\n".encode("utf-8", "surrogatepass")
    yield lambda: app.accounts.pricing.preview(viewer, t.account_id, io.BytesIO(content), None)


def of_gateways(t: Things, text: str) -> Iterator[Ask]:
    """What a provider says is no input of a person: it is taken, whatever it is."""
    app, now = t.house.app, t.house.now

    def land() -> None:
        with app.state.write() as session:
            receipts.add_receipts(session, [Receipt("simulator", text, text, text, now)], now)
            found = list_inbox(session, now, 10_000)
            assert not any(find_control(item.receipt.gateway_message_id) for item in found)

    yield land


# What takes longest. In the suite each of their calls meets some of the texts, and each text some of the calls.
SLOW, EVERY = {of_messages, of_campaigns, of_people}, 5
KINDS = (of_messages, of_lists, of_campaigns, of_people, of_oneself, of_accounts, of_gateways)
TAKEN = {of_gateways}


def ask(call: Ask, *, is_taken: bool) -> None:
    """Take an answer or an error in words; a store that fails over it is none, and neither is SQL."""
    try:
        call()
    except StorageError as error:
        pytest.fail(f"a store failed over it: {error.message[:200]}")
    except AppError as error:
        if is_taken or not error.message:
            raise


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", TABLE if IS_LONG else FEW, ids=lambda text: ascii(text)[:20])
def test_a_nasty_text_ends_in_words_or_an_answer(things: Things, kind: Callable[..., Iterator[Ask]], text: str):
    every = EVERY if kind in SLOW and not IS_LONG else 1
    for number, call in enumerate(kind(things, text)):
        if (number + FEW.index(text) if every > 1 else 0) % every == 0:
            ask(call, is_taken=kind in TAKEN)


@pytest.mark.skipif(not IS_LONG, reason="only with HELIOGRAPH_FUZZ: each example is hundreds of calls")
@pytest.mark.parametrize("kind", KINDS)
@settings(fuzz, max_examples=max(1, EXAMPLES // 20))
@given(text=texts)
def test_any_text_ends_in_words_or_an_answer(things: Things, kind: Callable[..., Iterator[Ask]], text: str):
    for call in kind(things, text):
        ask(call, is_taken=kind in TAKEN)
