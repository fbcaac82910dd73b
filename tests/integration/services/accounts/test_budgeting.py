"""Budgets: what was sent this month and what is under way together never exceed what an account may spend."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.reports.paging import PageRequest
from core.errors import Conflict, InvalidInput
from core.history.rollups.spending import Spending
from core.services.accounts.budgeting import Budgeting, read_commitments
from core.services.campaigns.quick_sending import QuickMessage
from core.state.accounts import accounts
from tests.integration.services import steps
from tests.support.application.house import House, contacts, make_house
from tests.support.fakes.calm import calm

COUNT, SUB_WINDOW, BATCH, CENTS = 60, 10, 20, 5
COST = COUNT * CENTS
SOON = timedelta(hours=3)
NUMBER = "+491796999999"


def make(folder: Path, **settings: object) -> House:
    made = make_house(folder, sub_window=SUB_WINDOW, batch_size=BATCH, **settings)
    steps.price(made, str(CENTS))
    steps.set_budget(made, "1000")
    return made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make(tmp_path)
    yield made
    made.app.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house on either database: they lock in different ways."""
    url = request.getfixturevalue("new_state_database")() if request.param == "postgres" else ""
    made = make(tmp_path, database_url=url)
    yield made
    made.app.close()


def left(house: House, now: datetime | None = None, **options: str) -> Decimal | None:
    with house.app.state.read() as session:
        known = read_commitments(session, accounts.get_account(session, house.account.account_id), now or house.now)
    return Budgeting(Spending(house.app.lake)).find_left(known, now or house.now, **options)


def order(house: House, *numbers: str, token: str = "") -> QuickMessage:
    return QuickMessage(token or str(uuid4()), house.account.account_id, "HELIOGRAPH", numbers or (NUMBER,), "Hello")


def quick_send(house: House, *numbers: str) -> Campaign:
    return house.app.campaigns.quick_sending.send(house.viewer, order(house, *numbers), house.now)


def refused(action: Callable[[], object]) -> None:
    with pytest.raises(InvalidInput, match="costs more than is left of the account's budget this month") as caught:
        action()
    assert "raise the budget on Traffic Accounts" in caught.value.hint


def test_without_a_budget_there_is_no_end(house: House):
    steps.set_budget(house, None)
    assert left(house) is None
    house.launch(house.upload(contacts(COUNT)).list_id)
    steps.work(house)
    assert left(house) is None


def test_what_was_sent_counts_in_its_month_of_utc_only(house: House):
    house.now = datetime(2026, 3, 31, 23, 59, 30, tzinfo=UTC)
    house.launch(house.upload(contacts(COUNT)).list_id)
    steps.work(house)
    assert left(house) == 1000 - COST
    # In Berlin it is April by then.
    assert left(house, house.now.astimezone(ZoneInfo("Europe/Berlin"))) == 1000 - COST
    house.now = datetime(2026, 4, 1, tzinfo=UTC)
    assert left(house) == 1000
    # In New York it is still March.
    assert left(house, house.now.astimezone(ZoneInfo("America/New_York"))) == 1000
    quick_send(house)
    steps.work(house)
    assert left(house) == 1000 - CENTS


def test_from_the_launch_to_the_end_a_campaign_counts_with_its_whole_price(house: House):
    draft = steps.save(house, house.upload(contacts(COUNT)).list_id)
    assert left(house) == 1000
    steps.launch(house, draft)
    seen = [left(house)]
    house.app.campaigns.launching.freeze(draft.campaign_id, house.clock)
    seen.append(left(house))
    # With batches that are settled, one that is under way, and one that waits.
    for turn in range(1, 1 + COUNT // SUB_WINDOW):
        steps.at_submit(house, lambda: seen.append(left(house)), turn)
    steps.work(house)
    assert house.campaign(draft.campaign_id).status is CampaignStatus.COMPLETED
    assert [*seen, left(house)] == [1000 - COST] * (3 + COUNT // SUB_WINDOW)
    assert steps.billed(house, draft.campaign_id) == COST


def test_what_the_gateway_refused_is_given_back(house: House):
    calm(house.app, refused_rate=0.5)
    campaign = house.launch(house.upload(contacts(COUNT)).list_id)
    steps.work(house)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert found.failed_count == COUNT - found.sent_count > 0
    assert left(house) == 1000 - CENTS * found.sent_count


def test_a_paused_campaign_still_counts(house: House):
    campaign = house.launch(house.upload(contacts(COUNT)).list_id)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    steps.at_submit(
        house, lambda: house.app.campaigns.controlling.pause(house.viewer, campaign.campaign_id, house.now), turn=3
    )
    steps.work(house)
    assert left(house) == 1000 - COST


@pytest.mark.parametrize("ending", ["unschedule", "cancel"])
def test_a_scheduled_campaign_counts_until_it_is_none_any_more(house: House, ending: str):
    campaign = house.launch(house.upload(contacts(COUNT)).list_id, schedule_at=house.now + SOON)
    assert left(house) == 1000 - COST
    assert left(house, but=campaign.campaign_id) == 1000
    if ending == "cancel":
        house.app.campaigns.controlling.cancel(house.viewer, campaign.campaign_id, house.now)
    else:
        house.app.campaigns.controlling.unschedule(house.viewer, campaign.campaign_id, house.now)
    assert left(house) == 1000


def test_a_canceled_campaign_gives_back_the_rest_once_it_is_settled(house: House):
    campaign = house.launch(house.upload(contacts(COUNT)).list_id)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    steps.at_submit(
        house, lambda: house.app.campaigns.controlling.cancel(house.viewer, campaign.campaign_id, house.now), 3
    )
    house.app.sending.submitting.run(campaign.campaign_id, house.clock)
    # What has been sent is not all in history yet: it must not look as if it were free.
    assert left(house) <= 1000 - CENTS * 3 * SUB_WINDOW
    steps.work(house)
    assert left(house) == 1000 - CENTS * 3 * SUB_WINDOW


def test_a_launch_beyond_the_budget_is_refused_and_leaves_the_draft(house: House):
    steps.set_budget(house, str(COST - 1))
    draft = steps.save(house, house.upload(contacts(COUNT)).list_id)
    refused(lambda: steps.launch(house, draft))
    steps.work(house)
    assert house.campaign(draft.campaign_id) == draft
    assert (steps.count_frozen(house, draft.campaign_id), steps.receivers(house)) == (0, [])
    # To the last cent.
    steps.set_budget(house, str(COST))
    steps.launch(house, draft)
    steps.work(house)
    assert (left(house), len(steps.receivers(house))) == (0, COUNT)


def test_a_scheduled_campaign_leaves_less_for_others(house: House):
    steps.set_budget(house, str(2 * COST - 1))
    list_id = house.upload(contacts(COUNT)).list_id
    house.launch(list_id, schedule_at=house.now + SOON)
    draft = steps.save(house, list_id)
    refused(lambda: steps.launch(house, draft))
    house.wait(SOON)
    steps.work(house)
    assert len(steps.receivers(house)) == COUNT


def test_a_campaign_of_next_month_counts_against_next_months_budget(house: House):
    house.now = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
    april = house.now + SOON
    steps.set_budget(house, str(2 * COST - 1))
    list_id = house.upload(contacts(COUNT)).list_id
    house.launch(list_id, name="April", schedule_at=april)
    assert left(house) == 2 * COST - 1
    assert left(house, at=april) == COST - 1
    # So this month has room for another, next month has none.
    house.launch(list_id, name="March")
    assert left(house) == COST - 1
    refused(lambda: house.launch(list_id, name="Too much", schedule_at=april))
    steps.work(house)
    house.now = april
    assert left(house) == COST - 1
    steps.work(house)
    assert left(house) == COST - 1
    assert len(steps.receivers(house)) == 2 * COUNT


def test_a_scheduled_campaign_that_became_too_dear_is_paused_before_its_first_message(house: House):
    steps.set_budget(house, str(COST))
    campaign = house.launch(house.upload(contacts(COUNT)).list_id, schedule_at=house.now + SOON)
    steps.price(house, str(CENTS + 1))
    house.wait(SOON)
    steps.work(house)
    paused = house.campaign(campaign.campaign_id)
    assert paused.status is CampaignStatus.PAUSED
    assert "The campaign now costs €\u00a03.60, more than is left of the account's budget" in paused.fault
    assert steps.receivers(house) == []
    with pytest.raises(InvalidInput, match=r"costs €\u00a03\.60, more than is left of the budget of the") as caught:
        house.app.campaigns.controlling.resume(house.viewer, campaign.campaign_id, house.now)
    assert "raise it on Traffic Accounts" in caught.value.hint
    assert house.campaign(campaign.campaign_id) == paused
    # It is settled like any other once there is money.
    steps.set_budget(house, str(COUNT * (CENTS + 1)))
    house.app.campaigns.controlling.resume(house.viewer, campaign.campaign_id, house.now)
    steps.work(house)
    assert (len(steps.receivers(house)), left(house)) == (COUNT, 0)


def test_a_budget_lowered_during_a_pause_holds_the_rest_back(house: House):
    campaign = house.launch(house.upload(contacts(COUNT)).list_id)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    steps.at_submit(
        house, lambda: house.app.campaigns.controlling.pause(house.viewer, campaign.campaign_id, house.now), turn=3
    )
    steps.work(house)
    steps.set_budget(house, str(COST - 1))
    with pytest.raises(InvalidInput, match="The rest of the campaign"):
        house.app.campaigns.controlling.resume(house.viewer, campaign.campaign_id, house.now)
    house.app.campaigns.controlling.cancel(house.viewer, campaign.campaign_id, house.now)
    steps.work(house)
    assert len(steps.receivers(house)) == 3 * SUB_WINDOW


def test_a_budget_lowered_while_somebody_resumes_counts(house: House, monkeypatch: pytest.MonkeyPatch):
    campaign = house.launch(house.upload(contacts(COUNT)).list_id)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    house.app.campaigns.controlling.pause(house.viewer, campaign.campaign_id, house.now)
    add_up = Spending.add_up

    def lower_meanwhile(self: Spending, *asked: Any) -> Decimal:
        spent = add_up(self, *asked)
        steps.set_budget(house, str(COST - 1))
        return spent

    monkeypatch.setattr(Spending, "add_up", lower_meanwhile)
    with pytest.raises(Conflict, match="budget was changed a moment ago"):
        house.app.campaigns.controlling.resume(house.viewer, campaign.campaign_id, house.now)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.PAUSED
    # At the second look it is seen.
    with pytest.raises(InvalidInput, match="The rest of the campaign"):
        house.app.campaigns.controlling.resume(house.viewer, campaign.campaign_id, house.now)


def test_a_quick_send_counts_before_it_is_frozen_and_obeys(house: House):
    steps.set_budget(house, str(2 * CENTS))
    quick_send(house)
    assert left(house) == CENTS
    refused(lambda: quick_send(house, NUMBER, "+491796999998"))
    quick_send(house)
    refused(lambda: quick_send(house))
    steps.work(house)
    assert (left(house), len(steps.receivers(house))) == (0, 2)
    assert house.app.campaigns.composing.page(house.viewer, PageRequest()).total == 2


def test_a_repeated_quick_send_is_not_refused_for_what_it_costs_itself(house: House, monkeypatch: pytest.MonkeyPatch):
    steps.set_budget(house, str(CENTS))
    service, found = house.app.campaigns.quick_sending, order(house)
    find = service._find
    first = []

    def overtaken(*arguments: object) -> object:
        before = find(*arguments)
        monkeypatch.setattr(service, "_find", find)
        # The other click of two is through before this one has looked at what is left.
        first.append(service.send(house.viewer, found, house.now))
        return before

    monkeypatch.setattr(service, "_find", overtaken)
    second = service.send(house.viewer, found, house.now)
    assert [second.campaign_id] == [item.campaign_id for item in first]
    steps.work(house)
    assert steps.receivers(house) == [NUMBER]


def test_a_test_to_oneself_obeys(house: House):
    draft = steps.save(house, house.upload(contacts(COUNT)).list_id)
    steps.set_budget(house, str(CENTS))

    def send_test() -> Campaign:
        return house.app.campaigns.quick_sending.send_test(
            house.viewer, draft.campaign_id, NUMBER, 0, str(uuid4()), house.now
        )

    send_test()
    refused(send_test)
    steps.work(house)
    refused(send_test)
    assert steps.receivers(house) == [NUMBER]


def test_of_two_launches_at_once_that_exceed_it_together_one_is_refused(either: House, monkeypatch: pytest.MonkeyPatch):
    steps.set_budget(either, str(2 * COST - 1))
    list_id = either.upload(contacts(COUNT)).list_id
    drafts = [steps.save(either, list_id, name=f"Campaign {number}") for number in range(2)]
    look_together(either.app.campaigns.launching._tools.preflights, "count", monkeypatch)
    results = steps.at_once([lambda draft=draft: steps.launch(either, draft) for draft in drafts])
    (started,) = [result for result in results if isinstance(result, Campaign)]
    (refusal,) = [result for result in results if isinstance(result, InvalidInput)]
    assert "budget" in refusal.message
    steps.work(either)
    statuses = {draft.campaign_id: either.campaign(draft.campaign_id).status for draft in drafts}
    assert statuses.pop(started.campaign_id) is CampaignStatus.COMPLETED
    assert list(statuses.values()) == [CampaignStatus.INACTIVE]
    assert left(either) == COST - 1


def test_two_launches_at_once_that_the_budget_suffices_for_are_both_started(
    either: House, monkeypatch: pytest.MonkeyPatch
):
    steps.set_budget(either, str(2 * COST))
    list_id = either.upload(contacts(COUNT)).list_id
    drafts = [steps.save(either, list_id, name=f"Campaign {number}") for number in range(2)]
    look_together(either.app.campaigns.launching._tools.preflights, "count", monkeypatch)
    results = steps.at_once([lambda draft=draft: steps.launch(either, draft) for draft in drafts])
    assert [result.status for result in results] == [CampaignStatus.PROCESSING] * 2
    steps.work(either)
    assert left(either) == 0


def test_of_two_quick_sends_at_once_that_exceed_it_together_one_is_refused(
    either: House, monkeypatch: pytest.MonkeyPatch
):
    steps.set_budget(either, str(CENTS))
    look_together(either.app.campaigns.quick_sending, "_estimate", monkeypatch)
    results = steps.at_once([lambda: quick_send(either)] * 2)
    assert sum(isinstance(result, Campaign) for result in results) == 1
    assert sum(isinstance(result, InvalidInput) and "budget" in result.message for result in results) == 1
    with either.app.lake.read() as cursor:
        # The numbers of the refused one are not kept.
        assert cursor.execute("SELECT count(*) FROM lake.contacts").fetchone() == (1,)
    steps.work(either)
    assert steps.receivers(either) == [NUMBER]


def look_together(owner: object, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two look at what is left before either goes on."""
    both = Barrier(2)
    look = getattr(owner, name)

    def looked(*arguments: object) -> object:
        found = look(*arguments)
        both.wait(steps.PATIENCE_S)
        return found

    monkeypatch.setattr(owner, name, looked)
