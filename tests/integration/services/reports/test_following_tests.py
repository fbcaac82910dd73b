"""A test of a gateway: by that gateway whatever the account's is, once, and told until nothing more becomes of it."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress as suppress_errors
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from core.domain.accounts.pricing import Price
from core.domain.campaigns.campaigns import CampaignStatus, Source
from core.domain.gateways.gateways import SIMULATOR
from core.domain.messages.messages import OutboundMessage, Receipt, SubmitOutcome, SubmitResult
from core.domain.people.permissions import PRESETS
from core.domain.reports.audit import Action, AuditFilter
from core.domain.reports.message_query import MessageQuery
from core.errors import BadCredentials, Forbidden, InvalidInput, NotFound
from core.services.accounts.encryption import make_key
from core.services.accounts.setting_up_gateways import GatewayForm
from core.services.campaigns import quick_sending
from core.services.campaigns.quick_sending import TESTS_MOST, TESTS_WITHIN, QuickMessage
from core.services.reports.following_tests import Fate, Step
from core.state.accounts import accounts
from core.state.campaigns import campaigns
from core.state.people import users
from tests.integration.services.steps import suppress
from tests.support.application.factories import make_account
from tests.support.application.house import House, contacts, make_house
from tests.support.fakes.fake_gateway import KIND, VALUES, FakeGateway, FakeKind

NUMBER = "+491796000001"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        FakeKind().register(patch)
        house = make_house(Path(tmp_path_factory.mktemp("house")), secret_key=make_key())
        house.app.accounts.setting_up.create(house.viewer, "Berlin", KIND, GatewayForm(VALUES), house.now)
        with house.app.state.write() as session:
            accounts.set_prices(session, house.account.account_id, [Price("", "", Decimal(5))])
        yield house
        house.app.close()


@pytest.fixture
def house(opened: House, monkeypatch: pytest.MonkeyPatch) -> House:
    # Each test sends some.
    monkeypatch.setattr(quick_sending, "TESTS_MOST", 1_000)
    opened.now += TESTS_WITHIN
    return opened


def order(house: House, **overrides: object) -> QuickMessage:
    facts = {
        "token": str(uuid4()),
        "account_id": house.account.account_id,
        "sender_id": "HELIOGRAPH",
        "numbers": (NUMBER,),
        "message": "Test of the gateway Berlin.",
        "gateway": "Berlin",
    }
    return QuickMessage(**(facts | overrides))


def answer(
    monkeypatch: pytest.MonkeyPatch, house: House, outcome: SubmitOutcome, code: str = "", theirs: str = ""
) -> list[str]:
    """Let the gateway answer so; return whom it was asked to send to."""
    asked = list[str]()

    def submit(_: FakeGateway, messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        asked.extend(each.msisdn for each in messages)
        return [SubmitResult(each.message_id, outcome, now, theirs, code) for each in messages]

    monkeypatch.setattr(FakeGateway, "submit", submit)
    return asked


def send(house: House) -> str:
    return house.app.campaigns.quick_sending.send_gateway_test(house.viewer, order(house), house.now).campaign_id


def follow(house: House, campaign_id: str) -> Fate:
    return house.app.reports.following.follow(house.viewer, campaign_id, house.now)


def work(house: House) -> None:
    house.app.work.run_until_idle(house.clock)


def test_a_test_goes_by_its_gateway_and_is_followed_until_it_is_delivered(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    asked, before = answer(monkeypatch, house, SubmitOutcome.ACCEPTED, theirs="b1"), house.simulator.journal
    accepted = before.count_accepted()
    campaign_id = send(house)
    assert follow(house, campaign_id) == Fate(Step.WAITING)
    work(house)
    # The account's is the simulator, which hears nothing of it.
    assert (asked, before.count_accepted()) == ([NUMBER], accepted)
    campaign = house.campaign(campaign_id)
    assert (campaign.source, campaign.name, campaign.cost_eur_cents) == (Source.QUICK_SEND, "Test of Berlin", 5)
    house.now += timedelta(seconds=1)
    taken = follow(house, campaign_id)
    assert (taken.step, taken.gateway_message_id, taken.is_final) == (Step.ACCEPTED, "b1", False)
    query = MessageQuery(frozenset(), house.everything(), campaign_id=campaign_id)
    (row,) = house.app.reports.reporting.messages(house.viewer, query, 1, 10).table.to_pylist()
    assert row["message_id"] == taken.message_id
    found = house.app.reports.tracing.get(house.viewer, taken.message_id).message
    assert (found.source, found.gateway, found.price_eur_cents) == ("quick_send", "Berlin", Decimal(5))
    house.app.sending.callbacks.store([Receipt("Berlin", "b1", "DELIVRD", "", house.now)], [])
    # What is told unasked comes at the installation's own time.
    house.app.sending.receiving.merge(house.app.clock)
    assert follow(house, campaign_id).step is Step.DELIVERED
    page = house.app.reports.auditing.page(house.viewer, AuditFilter(), 1, 10)
    first = next(entry for entry in page.items if entry.action == Action.QUICK_SENT)
    assert first.details["gateway"] == "Berlin"


def test_a_provider_that_says_no_id_is_not_said_to_call_it_by_ours(house: House, monkeypatch: pytest.MonkeyPatch):
    known = list[str]()

    def submit(_: FakeGateway, messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        known.extend(each.message_id for each in messages)
        return [SubmitResult(each.message_id, SubmitOutcome.ACCEPTED, now, each.message_id) for each in messages]

    monkeypatch.setattr(FakeGateway, "submit", submit)
    campaign_id = send(house)
    work(house)
    house.now += timedelta(seconds=1)
    assert follow(house, campaign_id) == Fate(Step.ACCEPTED, *known)


@pytest.mark.parametrize(
    ("outcome", "code", "step"),
    [(SubmitOutcome.REJECTED, "0x0000000B", Step.REFUSED), (SubmitOutcome.UNKNOWN, "", Step.UNKNOWN)],
)
def test_what_was_not_taken_says_why(
    house: House, monkeypatch: pytest.MonkeyPatch, outcome: SubmitOutcome, code: str, step: Step
):
    answer(monkeypatch, house, outcome, code)
    campaign_id = send(house)
    work(house)
    fate = follow(house, campaign_id)
    assert (fate.step, fate.reason, fate.is_final) == (step, code, True)


def test_one_that_waits_for_its_gateway_says_so_and_one_that_is_canceled_too(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    def refuse(
        gateway: FakeGateway, messages: Sequence[OutboundMessage], now: datetime, *rest: object
    ) -> list[SubmitResult]:
        raise BadCredentials("The password is wrong.", gateway="Berlin")

    monkeypatch.setattr(FakeGateway, "submit", refuse)
    bulk = house.launch(house.upload(contacts(3, 6_100_000), f"Guests {uuid4().hex[:6]}").list_id)
    campaign_id = send(house)
    work(house)
    fate = follow(house, campaign_id)
    assert (fate.step, fate.is_final) == (Step.HELD, False)
    assert "The password is wrong." in fate.reason
    # What goes by the account's own gateway does not wait for this one.
    assert house.campaign(bulk.campaign_id).status is CampaignStatus.COMPLETED
    house.app.campaigns.controlling.cancel(house.viewer, campaign_id, house.now)
    work(house)
    assert follow(house, campaign_id).is_final
    house.app.accounts.setting_up.test_connection(house.viewer, "Berlin", house.now)


def test_a_number_that_is_suppressed_gets_no_test(house: House, monkeypatch: pytest.MonkeyPatch):
    asked = answer(monkeypatch, house, SubmitOutcome.ACCEPTED, theirs="b2")
    suppress(house, "+491796000077")
    with pytest.raises(InvalidInput, match="does not want messages") as error:
        house.app.campaigns.quick_sending.send_gateway_test(
            house.viewer, order(house, numbers=("+491796000077",)), house.now
        )
    assert error.value.field == "numbers"
    assert asked == []


@pytest.mark.parametrize("numbers", [(), (NUMBER, "+491796000002"), ("12ab",)])
def test_a_test_goes_to_one_number(house: House, numbers: tuple[str, ...]):
    with pytest.raises(InvalidInput):
        house.app.campaigns.quick_sending.send_gateway_test(house.viewer, order(house, numbers=numbers), house.now)


def test_there_are_not_too_many_tests(house: House, monkeypatch: pytest.MonkeyPatch):
    answer(monkeypatch, house, SubmitOutcome.ACCEPTED, theirs="b3")
    monkeypatch.setattr(quick_sending, "TESTS_MOST", 2)
    house.now += TESTS_WITHIN
    send(house), send(house)
    with pytest.raises(InvalidInput, match="2 tests of gateways were sent in the last 10 minutes"):
        send(house)
    house.now += TESTS_WITHIN * 1.1
    send(house)
    assert TESTS_MOST < 100
    work(house)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def own(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house of the test's own, with two gateways and two accounts."""
    FakeKind().register(monkeypatch)
    url = request.getfixturevalue("new_state_database")() if request.param == "postgres" else ""
    house = make_house(tmp_path, database_url=url, secret_key=make_key())
    house.app.accounts.setting_up.create(house.viewer, "Berlin", KIND, GatewayForm(VALUES), house.now)
    prices = [Price("", "", Decimal(5))]
    other = house.app.accounts.managing.open_account(make_account(name="service"), prices, house.now)
    with house.app.state.write() as session:
        accounts.set_prices(session, house.account.account_id, prices)
        users.add_membership(session, house.viewer.user_id, other.account_id)
    house.viewer = replace(house.viewer, account_ids=house.viewer.account_ids | {other.account_id})
    yield house
    house.app.close()


def test_nor_are_there_at_the_same_moment(own: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(quick_sending, "TESTS_MOST", 1)
    count, together = campaigns.count_gateway_tests, threading.Barrier(2)

    def count_together(session: Session, since: datetime) -> int:
        found = count(session, since)
        # Both have counted, or the other one cannot before this one's is written down.
        with suppress_errors(threading.BrokenBarrierError):
            together.wait(1)
        return found

    monkeypatch.setattr(campaigns, "count_gateway_tests", count_together)
    (other,) = own.viewer.account_ids - {own.account.account_id}
    orders = [order(own), order(own, gateway=SIMULATOR, account_id=other)]
    sending = own.app.campaigns.quick_sending
    with ThreadPoolExecutor() as pool:
        sent = [pool.submit(sending.send_gateway_test, own.viewer, each, own.now) for each in orders]
    refused = [error for each in sent if (error := each.exception())]
    assert [type(error) for error in refused] == [InvalidInput]


def test_only_administrators_send_tests_and_only_by_gateways_there_are(house: House):
    sender = replace(house.viewer, permissions=PRESETS["Campaign manager"])
    with pytest.raises(Forbidden):
        house.app.campaigns.quick_sending.send_gateway_test(sender, order(house), house.now)
    with pytest.raises(Forbidden):
        house.app.reports.following.follow(sender, "any", house.now)
    for gateway in ("Rome", ""):
        with pytest.raises(NotFound):
            house.app.campaigns.quick_sending.send_gateway_test(house.viewer, order(house, gateway=gateway), house.now)
    with pytest.raises(NotFound):
        house.app.reports.following.follow(house.viewer, "nothing", house.now)


def test_a_quick_send_chooses_no_gateway(house: House):
    sent = house.app.campaigns.quick_sending.send(house.viewer, order(house), house.now)
    assert house.campaign(sent.campaign_id).gateway == ""
    work(house)


def test_a_double_click_sends_one_test(house: House, monkeypatch: pytest.MonkeyPatch):
    asked, found = answer(monkeypatch, house, SubmitOutcome.ACCEPTED, theirs="b4"), order(house)
    for _ in range(2):
        house.app.campaigns.quick_sending.send_gateway_test(house.viewer, found, house.now)
    work(house)
    assert asked == [NUMBER]
