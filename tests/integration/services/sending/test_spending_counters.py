"""What is spent is counted to the cent, whatever becomes of the messages, and compared with the history."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.messages.messages import OutboundMessage, SubmitOutcome, SubmitResult
from core.errors import InvalidInput, OutcomeUnknown, StorageError
from core.services.sending.spending_limits import BatchSpending
from core.state.campaigns import spending
from core.state.engine.store import State
from core.state.tables.spending_models import AccountSpendingRow, CampaignSpendingRow
from tests.integration.services import steps
from tests.integration.services.paying import (
    CENTS,
    COST,
    COUNT,
    SUB_WINDOW,
    die_with_claims,
    frozen,
    resume,
    spent,
)
from tests.support.application.house import House, contacts
from tests.support.fakes.calm import calm


def test_what_was_refused_or_not_taken_is_given_back(paying: House):
    calm(paying.app, refused_rate=0.5)
    campaign = frozen(paying, budget_eur_cents=Decimal(COST))
    submit = paying.simulator.submit
    turns: list[int] = []

    def throttled(messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        turns.append(1)
        if len(turns) % 2:
            return [SubmitResult(each.message_id, SubmitOutcome.THROTTLED, now) for each in messages]
        return submit(messages, now, *rest)

    paying.simulator.submit = throttled
    steps.work(paying)
    assert paying.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    sent = steps.billed(paying, campaign.campaign_id)
    assert 0 < sent < COST
    assert (
        spent(paying)
        == paying.app.campaigns.limiting.find(paying.viewer, campaign.campaign_id, paying.now).spent_eur_cents
        == sent
    )


def test_what_is_unknown_counts_as_spent_and_stays_so(paying: House):
    steps.set_budget(paying, str(COST))
    campaign = frozen(paying)

    def silent(*_: object) -> list[SubmitResult]:
        raise OutcomeUnknown("No answer.", gateway="simulator")

    paying.simulator.submit = silent
    steps.work(paying)
    assert paying.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    assert spent(paying) == COST
    # Nothing of it may be spent again, by the history either_paying.
    with pytest.raises(InvalidInput, match="more than is left of the account's budget"):
        paying.launch(paying.upload(contacts(1, 8_000_000), name="One more").list_id)
    assert paying.app.accounts.counting.reconcile(paying.clock) == 0
    assert spent(paying) == COST


def test_what_a_killed_worker_had_claimed_counts_as_spent(paying: House, monkeypatch: pytest.MonkeyPatch):
    campaign = frozen(paying)

    die_with_claims(paying, campaign, monkeypatch)
    assert spent(paying) == SUB_WINDOW * CENTS
    paying.wait(timedelta(minutes=10))
    steps.work(paying)
    found = paying.app.reports.reporting.reconciliation(paying.viewer, campaign.campaign_id)
    assert (found.unknown_count, found.sent_count) == (SUB_WINDOW, COUNT - SUB_WINDOW)
    assert spent(paying) == COST


def test_a_claim_of_which_nobody_knows_whether_it_stands_is_given_back_once(
    paying: House, monkeypatch: pytest.MonkeyPatch
):
    campaign = frozen(paying)
    write = State.write
    faults: list[str] = []

    @contextmanager
    def forgetful(self: State) -> Iterator[Any]:
        with write(self) as session:
            yield session
            claims = session.info.pop("claims", False)
        if claims and len(faults) < 2:
            # Committed, but the word of it is lost: once of the claims, and once of giving them back.
            faults.append("lost")
            raise StorageError("The connection is gone.")

    for name in ("take", "give_back"):
        monkeypatch.setattr(BatchSpending, name, noting(getattr(BatchSpending, name)))
    monkeypatch.setattr(State, "write", forgetful)
    with pytest.raises(StorageError):
        paying.app.sending.submitting.run(campaign.campaign_id, paying.clock)
    assert faults == ["lost", "lost"]
    assert spent(paying) == 0
    monkeypatch.undo()
    paying.wait(timedelta(minutes=10))
    steps.work(paying)
    assert spent(paying) == COST == steps.billed(paying, campaign.campaign_id)


def noting(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a transaction know that this was called within it."""

    def noted(self: object, session: Any, *asked: object) -> object:
        session.info["claims"] = True
        return method(self, session, *asked)

    return noted


def test_each_message_counts_in_the_month_of_utc_in_which_it_was_claimed(paying: House):
    paying.now = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    steps.set_budget(paying, str(COST - 1))
    # Half of it is for April: that is a budget of its own.
    campaign = frozen(paying, count=COUNT - 1)
    steps.at_submit(paying, lambda: paying.wait(timedelta(seconds=2)), turn=3)
    steps.work(paying)
    assert paying.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    with paying.app.state.read() as session:
        months = [spending.list_counted(session, date(2026, month, 1)) for month in (3, 4)]
    assert [list(month.values()) for month in months] == [
        [3 * SUB_WINDOW * CENTS],
        [(COUNT - 1 - 3 * SUB_WINDOW) * CENTS],
    ]


def answered_in_april(paying: House, outcome: SubmitOutcome = SubmitOutcome.ACCEPTED) -> None:
    """Let the third sub-window be claimed in March and answered in April."""
    submit = paying.simulator.submit
    turns: list[int] = []

    def late(messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        turns.append(1)
        results = submit(messages, now, *rest)
        if len(turns) != 3:
            return results
        paying.wait(timedelta(seconds=2))
        return [replace(result, submitted_at=paying.now, outcome=outcome) for result in results]

    paying.simulator.submit = late


@pytest.mark.parametrize("outcome", [SubmitOutcome.ACCEPTED, SubmitOutcome.UNKNOWN])
def test_what_is_claimed_in_one_month_and_answered_in_the_next_counts_in_one_of_them(
    paying: House, outcome: SubmitOutcome
):
    paying.now = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    frozen(paying)
    answered_in_april(paying, outcome)
    steps.work(paying)
    in_march = 2 * SUB_WINDOW if outcome is SubmitOutcome.ACCEPTED else 3 * SUB_WINDOW
    assert spent(paying) == (COUNT - in_march) * CENTS
    with paying.app.state.read() as session:
        assert list(spending.list_counted(session, date(2026, 3, 1)).values()) == [in_march * CENTS]
    # The history says the same, and so does a launch by it.
    assert paying.app.accounts.counting.reconcile(paying.clock) == 0
    steps.set_budget(paying, str((COUNT - in_march + 1) * CENTS))
    paying.launch(paying.upload(contacts(1, 8_000_000), name="One more").list_id)


def test_who_begins_to_count_the_new_month_before_an_answer_and_ends_after_it_loses_nothing(
    paying: House, monkeypatch: pytest.MonkeyPatch
):
    paying.now = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    frozen(paying)
    answered_in_april(paying)
    account_id, april = paying.account.account_id, date(2026, 4, 1)
    submit, take = paying.simulator.submit, BatchSpending.take
    counted: list[Decimal] = []

    def count(messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        results = submit(messages, now, *rest)
        if paying.now.month == april.month and not counted:
            counted.append(paying.app.accounts.counting._count_account(account_id, april))
        return results

    def written(self: BatchSpending, session: Any, *facts: Any) -> object:
        if counted:
            spending.open_account(session, account_id, april, counted[0])
        return take(self, session, *facts)

    paying.simulator.submit = count
    monkeypatch.setattr(BatchSpending, "take", written)
    steps.work(paying)
    assert counted == [0]
    assert spent(paying) == (COUNT - 2 * SUB_WINDOW) * CENTS


def test_a_dead_worker_s_claims_count_in_the_month_of_their_claim(paying: House, monkeypatch: pytest.MonkeyPatch):
    paying.now = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    campaign = frozen(paying)
    die_with_claims(paying, campaign, monkeypatch)
    paying.wait(timedelta(minutes=10))
    steps.work(paying)
    assert paying.app.accounts.counting.reconcile(paying.clock) == 0
    assert spent(paying) == (COUNT - SUB_WINDOW) * CENTS


def test_what_an_open_batch_spent_last_month_is_not_of_this_one(paying: House):
    paying.now = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    campaign = frozen(paying)

    def pause() -> None:
        paying.app.campaigns.controlling.pause(paying.viewer, campaign.campaign_id, paying.now)

    # One batch is in history, one half of the second in the ledger.
    steps.at_submit(paying, pause, turn=3)
    steps.work(paying)
    paying.wait(timedelta(minutes=10))
    left = (COUNT - 3 * SUB_WINDOW) * CENTS
    steps.set_budget(paying, str(left - 1))
    with pytest.raises(InvalidInput, match="more than is left of the budget of the account"):
        resume(paying, campaign)
    steps.set_budget(paying, str(left + CENTS))
    paying.launch(paying.upload(contacts(1, 8_000_000), name="One more").list_id)
    resume(paying, campaign)


def test_what_is_under_way_at_an_upgrade_is_counted_from_history_and_ledger(either_paying: House):
    campaign = frozen(either_paying, budget_eur_cents=Decimal(COST))

    def as_before_the_upgrade() -> None:
        either_paying.app.campaigns.controlling.pause(either_paying.viewer, campaign.campaign_id, either_paying.now)

    # Two batches are in history, of the third one half is in the ledger.
    steps.at_submit(either_paying, as_before_the_upgrade, turn=5)
    steps.work(either_paying)
    with either_paying.app.state.write() as session:
        session.execute(delete(AccountSpendingRow))
        session.execute(delete(CampaignSpendingRow))
    assert spent(either_paying) == 5 * SUB_WINDOW * CENTS
    resume(either_paying, campaign)
    # This worker still believes that they are counted, and looks again.
    steps.work(either_paying)
    assert either_paying.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    with either_paying.app.state.read() as session:
        assert spending.find_campaign_spending(session, campaign.campaign_id) == COST
        assert spending.list_counted(session, date(2026, 3, 1)) == {either_paying.account.account_id: COST}


def test_a_counter_that_differs_from_the_history_is_corrected_unless_it_moves(
    either_paying: House, monkeypatch: pytest.MonkeyPatch
):
    frozen(either_paying)
    steps.work(either_paying)
    reconcile = either_paying.app.accounts.counting.reconcile
    assert reconcile(either_paying.clock) == 0
    account_id, month = either_paying.account.account_id, date(2026, 3, 1)
    with either_paying.app.state.write() as session:
        assert spending.correct_account(session, account_id, month, Decimal(COST), Decimal("7.5"))
    history = either_paying.app.accounts.counting._history
    count = history.count_account

    def overtaken(*asked: Any) -> Decimal:
        found = count(*asked)
        with either_paying.app.state.write() as session:
            spending.correct_account(session, account_id, month, Decimal("7.5"), Decimal("8.25"))
        return found

    monkeypatch.setattr(history, "count_account", overtaken)
    # Somebody has spent something meanwhile: what was counted is old.
    assert (reconcile(either_paying.clock), spent(either_paying)) == (0, Decimal("8.25"))
    monkeypatch.setattr(history, "count_account", count)
    assert (reconcile(either_paying.clock), spent(either_paying)) == (1, COST)
