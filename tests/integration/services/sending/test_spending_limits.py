"""No budget is exceeded by what all workers send together, and people read why sending stopped."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import pytest

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.messages.messages import OutboundMessage, SubmitOutcome, SubmitResult
from core.errors import Conflict, InvalidInput, InvalidTransition
from core.services.sending.spending_limits import BatchSpending, SpendingLimits
from core.services.sending.submitting import Submitting
from tests.integration.services import steps
from tests.integration.services.paying import (
    CENTS,
    COST,
    COUNT,
    SUB_WINDOW,
    change_budget,
    die_with_claims,
    frozen,
    resume,
    spent,
    told,
)
from tests.support.application.house import House, contacts


def test_a_campaign_stops_where_the_next_message_would_exceed_the_accounts_budget(either_paying: House):
    campaign = frozen(either_paying)
    # Lowered while it is sent, in the middle of a sub-window's price.
    steps.at_submit(either_paying, lambda: steps.set_budget(either_paying, "134"), turn=2)
    steps.work(either_paying)
    paused = either_paying.campaign(campaign.campaign_id)
    assert paused.status is CampaignStatus.PAUSED
    assert paused.fault == (
        "The next message costs €\u00a00.05, more than is left of the budget of the account Simulator for March 2026"
        " (UTC): €\u00a01.30 of €\u00a01.34 is spent.\n"
        "An administrator can raise it on Traffic Accounts. Then resume the campaign, or cancel it."
        " On 1 April (UTC) a new budget begins."
    )
    assert (len(steps.receivers(either_paying)), spent(either_paying)) == (26, 130)


def test_resuming_without_room_is_refused_in_the_same_words(paying: House):
    campaign = frozen(paying)
    steps.at_submit(paying, lambda: steps.set_budget(paying, "134"), turn=2)
    steps.work(paying)
    with pytest.raises(InvalidInput) as caught:
        resume(paying, campaign)
    assert caught.value.message == (
        "The rest of the campaign costs €\u00a01.70, more than is left of the budget of the account Simulator for March"
        " 2026 (UTC): €\u00a01.30 of €\u00a01.34 is spent."
    )
    assert caught.value.hint.startswith("An administrator can raise it on Traffic Accounts.")
    steps.set_budget(paying, str(COST))
    resume(paying, campaign)
    steps.work(paying)
    assert paying.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    assert (len(steps.receivers(paying)), spent(paying)) == (COUNT, COST)


def test_a_campaigns_own_budget_is_lowered_and_raised_while_it_is_sent(paying: House):
    campaign = frozen(paying, budget_eur_cents=Decimal(COST))
    steps.at_submit(paying, lambda: change_budget(paying, campaign, "1.34"), turn=2)
    steps.work(paying)
    paused = paying.campaign(campaign.campaign_id)
    assert paused.fault == (
        "The next message costs €\u00a00.05, more than is left of the campaign's budget: "
        "€\u00a01.30 of €\u00a01.34 is spent.\n"
        "Raise it with Change limits on the campaign's page, then resume the campaign, or cancel it."
    )
    with pytest.raises(
        InvalidInput, match=r"€\u00a01\.70, more than is left of the campaign's budget: €\u00a01\.30 of €\u00a01\.34"
    ):
        resume(paying, campaign)
    assert change_budget(paying, campaign, "3").budget_eur_cents == COST
    resume(paying, campaign)
    steps.work(paying)
    assert paying.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    found = paying.app.campaigns.limiting.find(paying.viewer, campaign.campaign_id, paying.now)
    assert (found.spent_eur_cents, found.budget and found.budget.left_eur_cents) == (COST, 0)


def test_a_budget_changed_while_somebody_resumes_counts(paying: House, monkeypatch: pytest.MonkeyPatch):
    campaign = frozen(paying, budget_eur_cents=Decimal(COST))
    paying.app.campaigns.controlling.pause(paying.viewer, campaign.campaign_id, paying.now)
    budgeting = paying.app.accounts.budgeting
    judge = type(budgeting).refuse_rest

    def judged(self: object, *asked: Any) -> object:
        found = judge(self, *asked)
        change_budget(paying, campaign, "1")
        return found

    monkeypatch.setattr(type(budgeting), "refuse_rest", judged)
    with pytest.raises(Conflict, match="campaign's budget was changed a moment ago"):
        resume(paying, campaign)


def test_a_campaign_that_costs_more_than_its_own_budget_is_not_launched(paying: House):
    list_id = paying.upload(contacts(COUNT)).list_id
    draft = steps.save(paying, list_id, budget_eur_cents=Decimal(COST - 1))
    look = paying.app.campaigns.preflighting.look(paying.viewer, draft.campaign_id, paying.now)
    assert look.preflight.is_beyond_own_budget
    with pytest.raises(InvalidInput, match=r"costs €\u00a03.00, more than its budget of €\u00a02.99") as caught:
        steps.launch(paying, draft)
    assert "Raise the campaign's budget" in caught.value.hint
    # To the last cent.
    steps.launch(paying, steps.save(paying, list_id, name="Enough", budget_eur_cents=Decimal(COST)))
    steps.work(paying)
    assert len(steps.receivers(paying)) == COUNT


def test_a_scheduled_campaign_that_became_dearer_than_its_budget_is_paused_before_its_first_message(paying: House):
    list_id = paying.upload(contacts(COUNT)).list_id
    soon = timedelta(hours=3)
    campaign = paying.launch(list_id, schedule_at=paying.now + soon, budget_eur_cents=Decimal(COST))
    steps.price(paying, str(CENTS + 1))
    paying.wait(soon)
    steps.work(paying)
    paused = paying.campaign(campaign.campaign_id)
    assert paused.status is CampaignStatus.PAUSED
    assert (
        "The campaign now costs €\u00a03.60, more than its budget of €\u00a03.00.\nRaise it with Change limits"
        in paused.fault
    )
    assert steps.receivers(paying) == []


def test_a_clone_has_the_budget_and_drafts_and_ended_ones_are_not_changed_here(paying: House):
    campaign = frozen(paying, budget_eur_cents=Decimal(COST))
    clone = paying.app.campaigns.composing.clone(paying.viewer, campaign.campaign_id, "A copy", paying.now)
    assert clone.budget_eur_cents == COST
    for item in (clone, campaign):
        steps.work(paying)
        with pytest.raises(InvalidTransition, match="cannot be changed"):
            change_budget(paying, item, "5")


@pytest.mark.parametrize("eur", ["-1", "0.001", "100000001", "NaN"])
def test_a_budget_that_is_none_is_refused(paying: House, eur: str):
    campaign = frozen(paying)
    with pytest.raises(InvalidInput) as caught:
        change_budget(paying, campaign, eur)
    assert caught.value.field == "budget"
    with pytest.raises(InvalidInput):
        steps.save(paying, "", budget_eur_cents=Decimal(eur) * 100)


def test_two_campaigns_of_an_account_sent_by_several_threads_never_exceed_it_together(either_paying: House):
    both = [
        frozen(either_paying, 6_000_000, name="First one"),
        frozen(either_paying, 7_000_000, name="Second one"),
    ]
    budget = 2 * COST * 6 // 10 + 3
    steps.set_budget(either_paying, str(budget))
    # Each worker process has limits of its own.
    runs = [either_paying.app.sending.submitting, another_worker(either_paying)]
    seen: list[Decimal] = []
    submit = either_paying.simulator.submit

    def watched(messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        seen.append(spent(either_paying))
        return submit(messages, now, *rest)

    either_paying.simulator.submit = watched

    def send(run: Callable[..., None], campaign: Campaign) -> None:
        while either_paying.campaign(campaign.campaign_id).status is CampaignStatus.ACTIVE:
            run(campaign.campaign_id, either_paying.clock)

    results = steps.at_once([lambda run=run, item=item: send(run.run, item) for run in runs for item in both])
    assert results == [None] * 4
    assert [either_paying.campaign(item.campaign_id).status for item in both] == [CampaignStatus.PAUSED] * 2
    assert len(steps.receivers(either_paying)) * CENTS == spent(either_paying) == budget - 3
    assert max(seen) <= budget
    # Both were warned of and both stopped, and yet everybody is told once.
    assert [text.split(":")[0] for text in told(either_paying)] == [
        "80 % of the budget of the account Simulator for March 2026 (UTC) is reached",
        "The budget of the account Simulator for March 2026 (UTC) is used up",
    ]


def test_a_campaign_waits_for_what_another_may_get_back_before_it_is_paused(
    either_paying: House, monkeypatch: pytest.MonkeyPatch
):
    """Two campaigns together cost the budget twice, but nothing of the first one is taken."""
    first = frozen(either_paying, 6_000_000, count=SUB_WINDOW, name="Refused")
    second = frozen(either_paying, 7_000_000, count=SUB_WINDOW, name="Taken")
    steps.set_budget(either_paying, str(SUB_WINDOW * CENTS))
    submit, take = either_paying.simulator.submit, BatchSpending.take
    is_on_its_way, has_tried = Event(), Event()

    def refused(messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        if not messages[0].msisdn.startswith("+491796"):
            return submit(messages, now, *rest)
        is_on_its_way.set()
        assert has_tried.wait(steps.PATIENCE_S)
        return [SubmitResult(each.message_id, SubmitOutcome.REJECTED, now, error_code="11") for each in messages]

    def tried(self: BatchSpending, *asked: Any) -> object:
        found = take(self, *asked)
        if is_on_its_way.is_set():
            has_tried.set()
        return found

    either_paying.simulator.submit = refused
    monkeypatch.setattr(BatchSpending, "take", tried)

    def send_second() -> None:
        assert is_on_its_way.wait(steps.PATIENCE_S)
        another_worker(either_paying).run(second.campaign_id, either_paying.clock)

    run = either_paying.app.sending.submitting.run
    assert steps.at_once([lambda: run(first.campaign_id, either_paying.clock), send_second]) == [None] * 2
    assert [either_paying.campaign(item.campaign_id).status for item in (first, second)] == [
        CampaignStatus.COMPLETED
    ] * 2
    assert len(steps.receivers(either_paying)) == SUB_WINDOW
    assert spent(either_paying) == SUB_WINDOW * CENTS
    spent_so = "€\u00a00.50 of €\u00a00.50 is spent."
    assert told(either_paying) == [
        f"80 % of the budget of the account Simulator for March 2026 (UTC) is reached: {spent_so}"
    ]


def test_nobody_waits_for_what_a_dead_worker_had_on_its_way(paying: House, monkeypatch: pytest.MonkeyPatch):
    dead, alive = (frozen(paying, first, name=f"Guests {first}") for first in (6_000_000, 7_000_000))
    die_with_claims(paying, dead, monkeypatch)
    steps.set_budget(paying, str(SUB_WINDOW * CENTS))
    paying.wait(timedelta(minutes=10))

    def passing() -> datetime:
        paying.wait(timedelta(seconds=0.1))
        return paying.now

    paying.app.sending.submitting.run(alive.campaign_id, passing)
    assert paying.campaign(alive.campaign_id).status is CampaignStatus.PAUSED
    assert steps.receivers(paying) == []


def another_worker(paying: House) -> Submitting:
    """Return what sends in another process, which knows nothing of what this one has counted and told."""
    tools = paying.app.sending.submitting._tools
    return Submitting(replace(tools, limits=SpendingLimits(paying.app.accounts.counting)))
