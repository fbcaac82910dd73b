"""Quick Send: once, to whom it may, for what was said."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid4

import pytest

from core.domain.accounts.pricing import Price
from core.domain.campaigns.campaigns import CampaignStatus, Source
from core.domain.reports.paging import PageRequest
from core.errors import InvalidInput
from core.services.campaigns.quick_sending import QuickMessage
from core.services.people.adding_people import NewPerson
from core.state.accounts import accounts
from core.state.suppressions import suppressions
from tests.support.application.factories import make_origin
from tests.support.application.house import PASSWORD, House, contacts

NUMBERS = ("+491796000001", "+49 179 6000002", "+491796000001")


def order(house: House, **overrides: object) -> QuickMessage:
    facts = {
        "token": str(uuid4()),
        "account_id": house.account.account_id,
        "sender_id": "HELIOGRAPH",
        "numbers": NUMBERS,
        "message": "Doors open at 8.",
    }
    return QuickMessage(**(facts | overrides))


def priced(house: House, cents: int = 5) -> None:
    with house.app.state.write() as session:
        accounts.set_prices(session, house.account.account_id, [Price("", "", Decimal(cents))])


def test_a_message_is_sent_at_once_for_what_was_estimated(house: House):
    priced(house)
    found = order(house, message="x" * 161)
    estimate = house.app.campaigns.quick_sending.estimate(house.viewer, found, house.now)
    assert (estimate.recipient_count, estimate.measure.segment_count, estimate.cost_eur_cents) == (2, 2, Decimal(20))
    campaign = house.app.campaigns.quick_sending.send(house.viewer, found, house.now)
    assert (campaign.source, campaign.status) == (Source.QUICK_SEND, CampaignStatus.PROCESSING)
    house.app.work.run_until_idle(house.clock)
    done = house.campaign(campaign.campaign_id)
    assert (done.status, done.cost_eur_cents) == (CampaignStatus.COMPLETED, Decimal(20))
    assert house.simulator.journal.count_accepted() == 2
    with house.app.lake.read() as cursor:
        assert cursor.execute("SELECT count(*) FROM lake.contacts").fetchone() == (0,)
        assert cursor.execute("SELECT DISTINCT source FROM lake.messages").fetchall() == [("quick_send",)]


def test_an_accent_typed_apart_costs_no_unicode(house: House):
    priced(house)
    found = order(house, message="e\u0301" * 160)
    assert house.app.campaigns.quick_sending.estimate(house.viewer, found, house.now).measure.segment_count == 1
    assert house.app.campaigns.quick_sending.send(house.viewer, found, house.now).message == "\u00e9" * 160


def test_a_double_click_sends_once(house: House):
    found = order(house)
    with ThreadPoolExecutor(4) as threads:
        sent = list(
            threads.map(lambda _: house.app.campaigns.quick_sending.send(house.viewer, found, house.now), range(4))
        )
    assert len({campaign.campaign_id for campaign in sent}) == 1
    house.app.work.run_until_idle(house.clock)
    again = house.app.campaigns.quick_sending.send(house.viewer, found, house.now)
    assert again.status is CampaignStatus.COMPLETED
    house.app.work.run_until_idle(house.clock)
    assert house.simulator.journal.count_accepted() == 2
    assert house.app.campaigns.composing.page(house.viewer, PageRequest()).total == 1


@pytest.mark.parametrize("sends_test", [False, True])
def test_a_token_that_is_the_id_of_something_else_reaches_nothing_of_it(house: House, *, sends_test: bool):
    guests = house.upload(contacts(3))
    draft = house.app.campaigns.composing.save(house.viewer, house.draft(guests.list_id), house.now)
    before = house.app.lists.preview(house.viewer, guests.list_id, 0, 10)
    for token in (guests.list_id, draft.campaign_id):
        if sends_test:
            args = (draft.campaign_id, NUMBERS[0], 0, token, house.now)
            sent = house.app.campaigns.quick_sending.send_test(house.viewer, *args)
        else:
            sent = house.app.campaigns.quick_sending.send(house.viewer, order(house, token=token), house.now)
        assert sent.source is Source.QUICK_SEND
    house.app.work.run_until_idle(house.clock)
    assert house.app.lists.preview(house.viewer, guests.list_id, 0, 10) == before
    assert house.campaign(draft.campaign_id) == draft


def test_the_same_token_of_two_people_makes_two_messages(house: House):
    person = NewPerson("Grace Hopper", "grace@example.com", PASSWORD, "Campaign manager", (house.account.name,))
    other = house.app.people.adding.add(person, house.now)
    found = order(house)
    sent = {
        house.app.campaigns.quick_sending.send(viewer, found, house.now).campaign_id for viewer in (house.viewer, other)
    }
    assert len(sent) == 2


def test_one_canceled_before_it_is_frozen_leaves_no_numbers_behind(house: House):
    campaign = house.app.campaigns.quick_sending.send(house.viewer, order(house), house.now)
    house.app.campaigns.controlling.cancel(house.viewer, campaign.campaign_id, house.now)
    house.app.work.run_until_idle(house.clock)
    assert house.simulator.journal.count_accepted() == 0
    with house.app.lake.read() as cursor:
        assert cursor.execute("SELECT count(*) FROM lake.contacts").fetchone() == (0,)


def test_suppressed_numbers_get_nothing(house: House):
    with house.app.state.write() as session:
        suppressions.add_suppressions(
            session,
            house.account.account_id,
            ["+491796000002"],
            make_origin(created_at=house.now),
        )
    found = order(house)
    estimate = house.app.campaigns.quick_sending.estimate(house.viewer, found, house.now)
    assert (estimate.recipient_count, estimate.excluded) == (1, {"suppressed": 1})
    campaign = house.app.campaigns.quick_sending.send(house.viewer, found, house.now)
    house.app.work.run_until_idle(house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert (found.excluded, found.balances) == ({"suppressed": 1}, True)
    with pytest.raises(InvalidInput, match="Nobody would receive"):
        house.app.campaigns.quick_sending.send(house.viewer, order(house, numbers=("+491796000002",)), house.now)


def test_nothing_is_sent_beyond_the_budget(house: House):
    priced(house)
    with house.app.state.write() as session:
        accounts.set_budget(session, house.account.account_id, Decimal(19))
    house.app.campaigns.quick_sending.send(house.viewer, order(house), house.now)
    # Not frozen yet, then sent: it counts both times.
    house.app.work.run_until_idle(house.clock)
    with pytest.raises(InvalidInput, match="budget"):
        house.app.campaigns.quick_sending.send(house.viewer, order(house), house.now)
    assert house.app.campaigns.quick_sending.send(house.viewer, order(house, numbers=NUMBERS[:1]), house.now)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"numbers": ()}, "numbers"),
        ({"numbers": ("+4917960", "hello")}, "numbers"),
        ({"numbers": tuple(f"+49179{number:07d}" for number in range(1_001))}, "numbers"),
        ({"message": "  \n"}, "message"),
        ({"message": "x" * 2_001}, "message"),
        ({"sender_id": "TWELVELETTER"}, "sender_id"),
        ({"token": "../../etc"}, ""),
    ],
)
def test_bad_input_names_its_field_and_sends_nothing(house: House, change: dict[str, object], field: str):
    with pytest.raises(InvalidInput) as caught:
        house.app.campaigns.quick_sending.send(house.viewer, order(house, **change), house.now)
    assert (caught.value.field, bool(caught.value.hint)) == (field, True)
    assert house.app.campaigns.composing.page(house.viewer, PageRequest()).total == 0
