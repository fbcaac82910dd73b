"""What is spent is counted to the cent, whatever becomes of the messages, and compared with the history."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.messages.messages import OutboundMessage, SubmitOutcome, SubmitResult
from core.errors import InvalidInput, OutcomeUnknown, StorageError
from core.services.sending import batches
from core.services.sending.batches import BatchRun
from core.services.sending.spending_limits import BatchSpending
from core.state.campaigns import spending
from core.state.engine.store import State
from core.state.tables.spending_models import AccountSpendingRow, CampaignSpendingRow
from tests.integration.services import steps
from tests.integration.services.sending.paying import (
    CENTS,
    COST,
    COUNT,
    SUB_WINDOW,
    frozen,
    make_paying,
    resume,
    spent,
)
from tests.support.application.house import House, contacts
from tests.support.fakes.calm import calm


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


def test_what_was_refused_or_not_taken_is_given_back(house: House):
    calm(house.app, refused_rate=0.5)
    campaign = frozen(house, budget_eur_cents=Decimal(COST))
    submit = house.simulator.submit
    turns: list[int] = []

    def throttled(messages: Sequence[OutboundMessage], now: datetime) -> list[SubmitResult]:
        turns.append(1)
        if len(turns) % 2:
            return [SubmitResult(each.message_id, SubmitOutcome.THROTTLED, now) for each in messages]
        return submit(messages, now)

    house.simulator.submit = throttled
    steps.work(house)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    sent = steps.billed(house, campaign.campaign_id)
    assert 0 < sent < COST
    assert spent(house) == house.app.campaigns.budgets.find(house.viewer, campaign.campaign_id).spent_eur_cents == sent


def test_what_is_unknown_counts_as_spent_and_stays_so(house: House):
    steps.set_budget(house, str(COST))
    campaign = frozen(house)

    def silent(*_: object) -> list[SubmitResult]:
        raise OutcomeUnknown("No answer.", gateway="simulator")

    house.simulator.submit = silent
    steps.work(house)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    assert spent(house) == COST
    # Nothing of it may be spent again, by the history either.
    with pytest.raises(InvalidInput, match="more than is left of the account's budget"):
        house.launch(house.upload(contacts(1, 8_000_000), name="One more").list_id)
    assert house.app.accounts.counting.reconcile(house.clock) == 0
    assert spent(house) == COST


class Killed(BaseException):
    """What a worker dies of."""


def killed(*_: object) -> None:
    raise Killed


def test_what_a_killed_worker_had_claimed_counts_as_spent(house: House, monkeypatch: pytest.MonkeyPatch):
    campaign = frozen(house)

    with monkeypatch.context() as patch:
        patch.setattr(BatchRun, "_hand_over", killed)
        with pytest.raises(Killed):
            house.app.sending.submitting.run(campaign.campaign_id, house.clock)
    assert spent(house) == SUB_WINDOW * CENTS
    house.wait(timedelta(minutes=10))
    steps.work(house)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert (found.unknown_count, found.sent_count) == (SUB_WINDOW, COUNT - SUB_WINDOW)
    assert spent(house) == COST


def test_a_claim_of_which_nobody_knows_whether_it_stands_is_given_back_once(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    campaign = frozen(house)
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
        house.app.sending.submitting.run(campaign.campaign_id, house.clock)
    assert faults == ["lost", "lost"]
    assert spent(house) == 0
    monkeypatch.undo()
    house.wait(timedelta(minutes=10))
    steps.work(house)
    assert spent(house) == COST == steps.billed(house, campaign.campaign_id)


def noting(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a transaction know that this was called within it."""

    def noted(self: object, session: Any, *asked: object) -> object:
        session.info["claims"] = True
        return method(self, session, *asked)

    return noted


def test_each_message_counts_in_the_month_of_utc_in_which_it_was_claimed(house: House):
    house.now = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    steps.set_budget(house, str(COST - 1))
    # Half of it is for April: that is a budget of its own.
    campaign = frozen(house, count=COUNT - 1)
    steps.at_submit(house, lambda: house.wait(timedelta(seconds=2)), turn=3)
    steps.work(house)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    with house.app.state.read() as session:
        months = [spending.list_counted(session, date(2026, month, 1)) for month in (3, 4)]
    assert [list(month.values()) for month in months] == [
        [3 * SUB_WINDOW * CENTS],
        [(COUNT - 1 - 3 * SUB_WINDOW) * CENTS],
    ]


def answered_in_april(house: House, outcome: SubmitOutcome = SubmitOutcome.ACCEPTED) -> None:
    """Let the third sub-window be claimed in March and answered in April."""
    submit = house.simulator.submit
    turns: list[int] = []

    def late(messages: Sequence[OutboundMessage], now: datetime) -> list[SubmitResult]:
        turns.append(1)
        results = submit(messages, now)
        if len(turns) != 3:
            return results
        house.wait(timedelta(seconds=2))
        return [replace(result, submitted_at=house.now, outcome=outcome) for result in results]

    house.simulator.submit = late


@pytest.mark.parametrize("outcome", [SubmitOutcome.ACCEPTED, SubmitOutcome.UNKNOWN])
def test_what_is_claimed_in_one_month_and_answered_in_the_next_counts_in_one_of_them(
    house: House, outcome: SubmitOutcome
):
    house.now = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    frozen(house)
    answered_in_april(house, outcome)
    steps.work(house)
    in_march = 2 * SUB_WINDOW if outcome is SubmitOutcome.ACCEPTED else 3 * SUB_WINDOW
    assert spent(house) == (COUNT - in_march) * CENTS
    with house.app.state.read() as session:
        assert list(spending.list_counted(session, date(2026, 3, 1)).values()) == [in_march * CENTS]
    # The history says the same, and so does a launch by it.
    assert house.app.accounts.counting.reconcile(house.clock) == 0
    steps.set_budget(house, str((COUNT - in_march + 1) * CENTS))
    house.launch(house.upload(contacts(1, 8_000_000), name="One more").list_id)


def test_who_begins_to_count_the_new_month_before_an_answer_and_ends_after_it_loses_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    house.now = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    frozen(house)
    answered_in_april(house)
    account_id, april = house.account.account_id, date(2026, 4, 1)
    submit, take = house.simulator.submit, BatchSpending.take
    counted: list[Decimal] = []

    def count(messages: Sequence[OutboundMessage], now: datetime) -> list[SubmitResult]:
        results = submit(messages, now)
        if house.now.month == april.month and not counted:
            counted.append(house.app.accounts.counting._count_account(account_id, april))
        return results

    def written(self: BatchSpending, session: Any, wanted: Sequence[OutboundMessage], now: datetime) -> object:
        if counted:
            spending.open_account(session, account_id, april, counted[0])
        return take(self, session, wanted, now)

    house.simulator.submit = count
    monkeypatch.setattr(BatchSpending, "take", written)
    steps.work(house)
    assert counted == [0]
    assert spent(house) == (COUNT - 2 * SUB_WINDOW) * CENTS


def test_a_dead_worker_s_claims_count_in_the_month_of_their_claim(house: House, monkeypatch: pytest.MonkeyPatch):
    house.now = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    campaign = frozen(house)
    with monkeypatch.context() as patch:
        patch.setattr(BatchRun, "_hand_over", killed)
        with pytest.raises(Killed):
            house.app.sending.submitting.run(campaign.campaign_id, house.clock)
    house.wait(timedelta(minutes=10))
    steps.work(house)
    assert house.app.accounts.counting.reconcile(house.clock) == 0
    assert spent(house) == (COUNT - SUB_WINDOW) * CENTS


def test_what_an_open_batch_spent_last_month_is_not_of_this_one(house: House):
    house.now = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    campaign = frozen(house)

    def pause() -> None:
        house.app.campaigns.controlling.pause(house.viewer, campaign.campaign_id, house.now)

    # One batch is in history, one half of the second in the ledger.
    steps.at_submit(house, pause, turn=3)
    steps.work(house)
    house.wait(timedelta(minutes=10))
    left = (COUNT - 3 * SUB_WINDOW) * CENTS
    steps.set_budget(house, str(left - 1))
    with pytest.raises(InvalidInput, match="more than is left of the account's budget"):
        resume(house, campaign)
    steps.set_budget(house, str(left + CENTS))
    house.launch(house.upload(contacts(1, 8_000_000), name="One more").list_id)
    resume(house, campaign)


def test_what_is_under_way_at_an_upgrade_is_counted_from_history_and_ledger(either: House):
    campaign = frozen(either, budget_eur_cents=Decimal(COST))

    def as_before_the_upgrade() -> None:
        either.app.campaigns.controlling.pause(either.viewer, campaign.campaign_id, either.now)

    # Two batches are in history, of the third one half is in the ledger.
    steps.at_submit(either, as_before_the_upgrade, turn=5)
    steps.work(either)
    with either.app.state.write() as session:
        session.execute(delete(AccountSpendingRow))
        session.execute(delete(CampaignSpendingRow))
    assert spent(either) == 5 * SUB_WINDOW * CENTS
    resume(either, campaign)
    # This worker still believes that they are counted, and looks again.
    steps.work(either)
    assert either.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    with either.app.state.read() as session:
        assert spending.find_campaign_spending(session, campaign.campaign_id) == COST
        assert spending.list_counted(session, date(2026, 3, 1)) == {either.account.account_id: COST}


def test_a_counter_that_differs_from_the_history_is_corrected_unless_it_moves(
    either: House, monkeypatch: pytest.MonkeyPatch
):
    frozen(either)
    steps.work(either)
    reconcile = either.app.accounts.counting.reconcile
    assert reconcile(either.clock) == 0
    account_id, month = either.account.account_id, date(2026, 3, 1)
    with either.app.state.write() as session:
        assert spending.correct_account(session, account_id, month, Decimal(COST), Decimal("7.5"))
    history = either.app.accounts.counting._history
    count = history.count_account

    def overtaken(*asked: Any) -> Decimal:
        found = count(*asked)
        with either.app.state.write() as session:
            spending.correct_account(session, account_id, month, Decimal("7.5"), Decimal("8.25"))
        return found

    monkeypatch.setattr(history, "count_account", overtaken)
    # Somebody has spent something meanwhile: what was counted is old.
    assert (reconcile(either.clock), spent(either)) == (0, Decimal("8.25"))
    monkeypatch.setattr(history, "count_account", count)
    assert (reconcile(either.clock), spent(either)) == (1, COST)
