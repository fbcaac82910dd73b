"""No budget is exceeded by what all workers send together, and people read why sending stopped."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.messages.messages import OutboundMessage, SubmitResult
from core.errors import Conflict, InvalidInput, InvalidTransition
from core.services.sending import batches
from core.services.sending.spending_limits import SpendingLimits
from core.services.sending.submitting import Submitting
from tests.integration.services import steps
from tests.integration.services.sending.paying import (
    CENTS,
    COST,
    COUNT,
    change_budget,
    frozen,
    make_paying,
    resume,
    spent,
    told,
)
from tests.support.application.house import House, contacts


@pytest.fixture(autouse=True)
def no_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "NAP_MAX_S", 0.001)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = request.getfixturevalue("new_state_database")() if request.param == "postgres" else ""
    made = make_paying(tmp_path, url)
    yield made
    made.app.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_paying(tmp_path)
    yield made
    made.app.close()


def test_a_campaign_stops_where_the_next_message_would_exceed_the_accounts_budget(either: House):
    campaign = frozen(either)
    # Lowered while it is sent, in the middle of a sub-window's price.
    steps.at_submit(either, lambda: steps.set_budget(either, "134"), turn=2)
    steps.work(either)
    paused = either.campaign(campaign.campaign_id)
    assert paused.status is CampaignStatus.PAUSED
    assert paused.fault == (
        "The next message costs 0.05 EUR, more than is left of the account's budget this month: 1.30 of 1.34 EUR is"
        " spent. Ask an administrator for a higher budget for March 2026 and resume it, or cancel it."
    )
    assert (len(steps.receivers(either)), spent(either)) == (26, 130)


def test_resuming_without_room_is_refused_in_the_same_words(house: House):
    campaign = frozen(house)
    steps.at_submit(house, lambda: steps.set_budget(house, "134"), turn=2)
    steps.work(house)
    with pytest.raises(InvalidInput) as caught:
        resume(house, campaign)
    assert caught.value.message == (
        "The rest of the campaign costs 1.70 EUR, more than is left of the account's budget this month: 1.30 of 1.34"
        " EUR is spent."
    )
    assert caught.value.hint.startswith("Ask an administrator for a higher budget for March 2026")
    steps.set_budget(house, str(COST))
    resume(house, campaign)
    steps.work(house)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    assert (len(steps.receivers(house)), spent(house)) == (COUNT, COST)


def test_a_campaigns_own_budget_is_lowered_and_raised_while_it_is_sent(house: House):
    campaign = frozen(house, budget_eur_cents=Decimal(COST))
    steps.at_submit(house, lambda: change_budget(house, campaign, "1.34"), turn=2)
    steps.work(house)
    paused = house.campaign(campaign.campaign_id)
    assert paused.fault == (
        "The next message costs 0.05 EUR, more than is left of the campaign's budget: 1.30 of 1.34 EUR is spent."
        " Raise the campaign's budget and resume it, or cancel it."
    )
    with pytest.raises(InvalidInput, match=r"1\.70 EUR, more than is left of the campaign's budget: 1\.30 of 1\.34"):
        resume(house, campaign)
    assert change_budget(house, campaign, "3").budget_eur_cents == COST
    resume(house, campaign)
    steps.work(house)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    found = house.app.campaigns.budgets.find(house.viewer, campaign.campaign_id)
    assert (found.spent_eur_cents, found.budget and found.budget.left_eur_cents) == (COST, 0)


def test_a_budget_changed_while_somebody_resumes_counts(house: House, monkeypatch: pytest.MonkeyPatch):
    campaign = frozen(house, budget_eur_cents=Decimal(COST))
    house.app.campaigns.controlling.pause(house.viewer, campaign.campaign_id, house.now)
    budgeting = house.app.accounts.budgeting
    judge = type(budgeting).refuse_rest

    def judged(self: object, *asked: Any) -> object:
        found = judge(self, *asked)
        change_budget(house, campaign, "1")
        return found

    monkeypatch.setattr(type(budgeting), "refuse_rest", judged)
    with pytest.raises(Conflict, match="campaign's budget was changed a moment ago"):
        resume(house, campaign)


def test_a_campaign_that_costs_more_than_its_own_budget_is_not_launched(house: House):
    list_id = house.upload(contacts(COUNT)).list_id
    draft = steps.save(house, list_id, budget_eur_cents=Decimal(COST - 1))
    look = house.app.campaigns.preflighting.look(house.viewer, draft.campaign_id, house.now)
    assert look.preflight.is_beyond_own_budget
    with pytest.raises(InvalidInput, match=r"costs 3.00 EUR, more than its budget of 2.99 EUR") as caught:
        steps.launch(house, draft)
    assert "Raise the campaign's budget" in caught.value.hint
    # To the last cent.
    steps.launch(house, steps.save(house, list_id, name="Enough", budget_eur_cents=Decimal(COST)))
    steps.work(house)
    assert len(steps.receivers(house)) == COUNT


def test_a_scheduled_campaign_that_became_dearer_than_its_budget_is_paused_before_its_first_message(house: House):
    list_id = house.upload(contacts(COUNT)).list_id
    soon = timedelta(hours=3)
    campaign = house.launch(list_id, schedule_at=house.now + soon, budget_eur_cents=Decimal(COST))
    steps.price(house, str(CENTS + 1))
    house.wait(soon)
    steps.work(house)
    paused = house.campaign(campaign.campaign_id)
    assert paused.status is CampaignStatus.PAUSED
    assert "It now costs 3.60 EUR, more than the campaign's budget of 3.00 EUR." in paused.fault
    assert steps.receivers(house) == []


def test_a_clone_has_the_budget_and_drafts_and_ended_ones_are_not_changed_here(house: House):
    campaign = frozen(house, budget_eur_cents=Decimal(COST))
    clone = house.app.campaigns.composing.clone(house.viewer, campaign.campaign_id, "A copy", house.now)
    assert clone.budget_eur_cents == COST
    for item in (clone, campaign):
        steps.work(house)
        with pytest.raises(InvalidTransition, match="cannot be changed"):
            change_budget(house, item, "5")


@pytest.mark.parametrize("eur", ["-1", "0.001", "100000001", "NaN"])
def test_a_budget_that_is_none_is_refused(house: House, eur: str):
    campaign = frozen(house)
    with pytest.raises(InvalidInput) as caught:
        change_budget(house, campaign, eur)
    assert caught.value.field == "budget"
    with pytest.raises(InvalidInput):
        steps.save(house, "", budget_eur_cents=Decimal(eur) * 100)


def test_two_campaigns_of_an_account_sent_by_several_threads_never_exceed_it_together(either: House):
    both = [frozen(either, 6_000_000, name="First one"), frozen(either, 7_000_000, name="Second one")]
    budget = 2 * COST * 6 // 10 + 3
    steps.set_budget(either, str(budget))
    # Each worker process has limits of its own.
    runs = [either.app.sending.submitting, another_worker(either)]
    seen: list[Decimal] = []
    submit = either.simulator.submit

    def watched(messages: Sequence[OutboundMessage], now: datetime) -> list[SubmitResult]:
        seen.append(spent(either))
        return submit(messages, now)

    either.simulator.submit = watched

    def send(run: Callable[..., None], campaign: Campaign) -> None:
        while either.campaign(campaign.campaign_id).status is CampaignStatus.ACTIVE:
            run(campaign.campaign_id, either.clock)

    results = steps.at_once([lambda run=run, item=item: send(run.run, item) for run in runs for item in both])
    assert results == [None] * 4
    assert [either.campaign(item.campaign_id).status for item in both] == [CampaignStatus.PAUSED] * 2
    assert len(steps.receivers(either)) * CENTS == spent(either) == budget - 3
    assert max(seen) <= budget
    # Both were warned of and both stopped, and yet everybody is told once.
    assert [text.split(":")[0] for text in told(either)] == [
        "80 % of the budget of the account Simulator for March 2026 (UTC) is reached",
        "The budget of the account Simulator for March 2026 (UTC) is used up",
    ]


def another_worker(house: House) -> Submitting:
    """Return what sends in another process, which knows nothing of what this one has counted and told."""
    tools = house.app.sending.submitting._tools
    return Submitting(replace(tools, limits=SpendingLimits(house.app.accounts.counting)))
