"""A state store that is away between a claim and its outcome: what a sender alone knows is written once it is back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import StorageError
from core.state.campaigns import ledger
from tests.support.application.house import House, contacts
from tests.support.fakes.naps import Naps

COUNT = 800
LEASE_OVER = timedelta(minutes=2)


@pytest.fixture
def campaign_id(house: House) -> str:
    launched = house.launch(house.upload(contacts(COUNT)).list_id)
    house.app.campaigns.launching.freeze(launched.campaign_id, house.clock)
    house.app.sending.submitting._stop = Naps(house)
    return launched.campaign_id


def away(house: House, times: int, patch: pytest.MonkeyPatch) -> None:
    """Let the next *times* transactions fail before they begin."""
    write, left = house.app.state.write, iter(range(times))

    @contextmanager
    def failing() -> Iterator[Session]:
        if next(left, None) is not None:
            raise StorageError("The state store does not answer.")
        with write() as session:
            yield session

    patch.setattr(house.app.state, "write", failing)


def deaf(house: House, does: str, turn: int, patch: pytest.MonkeyPatch) -> None:
    """Let the transaction with call *turn* of the ledger's function *does* commit, and its caller not hear of it."""
    write, heard = house.app.state.write, getattr(ledger, does)
    called: list[bool] = []

    def noticed(*args: object) -> object:
        called.append(True)
        return heard(*args)

    @contextmanager
    def committing() -> Iterator[Session]:
        before = len(called)
        with write() as session:
            yield session
        if (before, len(called)) == (turn - 1, turn):
            raise StorageError("The connection is gone.")

    patch.setattr(ledger, does, noticed)
    patch.setattr(house.app.state, "write", committing)


def send_all(house: House, campaign_id: str) -> tuple[int, int, int]:
    """Send to the end; return how many were sent, are unknown, and were handed over twice."""
    try:
        house.app.sending.submitting.run(campaign_id, house.clock)
    except StorageError:
        # The lease of the batch runs out, and it is taken up again.
        house.wait(LEASE_OVER)
    house.app.work.run_until_idle(house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.pending_count, found.balances) == (0, True)
    return found.sent_count, found.unknown_count, len(house.simulator.journal.list_repeated())


def before_submit(house: House, action: Callable[[], None]) -> None:
    gateway, submit = house.simulator, house.simulator.submit

    def interrupted(messages: list, now: object, *rest: object) -> list:
        gateway.submit = submit
        action()
        return submit(messages, now, *rest)

    gateway.submit = interrupted


def test_outcomes_wait_for_the_store(house: House, campaign_id: str, monkeypatch: pytest.MonkeyPatch):
    before_submit(house, lambda: away(house, 5, monkeypatch))
    assert send_all(house, campaign_id) == (COUNT, 0, 0)


def test_what_the_gateway_did_not_take_waits_for_the_store(
    house: House, campaign_id: str, monkeypatch: pytest.MonkeyPatch
):
    def refuse() -> None:
        house.simulator.faults.unavailable = True
        away(house, 5, monkeypatch)

    before_submit(house, refuse)
    house.app.sending.submitting.run(campaign_id, house.clock)
    house.simulator.faults.unavailable = False
    assert send_all(house, campaign_id) == (COUNT, 0, 0)


@pytest.mark.parametrize(
    ("does", "turn"),
    [("claim", 1), ("claim", 2), ("record_outcomes", 2)],
    ids=["the first claims", "outcomes and claims", "the last outcomes"],
)
def test_a_commit_of_which_no_word_came_leaves_nothing_unknown(
    house: House, campaign_id: str, does: str, turn: int, monkeypatch: pytest.MonkeyPatch
):
    deaf(house, does, turn, monkeypatch)
    assert send_all(house, campaign_id) == (COUNT, 0, 0)


def test_after_outcomes_had_to_wait_nobody_waits_for_a_lease_to_run_out(
    house: House, campaign_id: str, monkeypatch: pytest.MonkeyPatch
):
    before_submit(house, lambda: away(house, 5, monkeypatch))
    house.app.sending.submitting.run(campaign_id, house.clock)
    assert house.app.reports.reporting.reconciliation(house.viewer, campaign_id).pending_count == 0


def test_a_claim_that_is_refused_takes_no_outcomes_with_it(
    house: House, campaign_id: str, monkeypatch: pytest.MonkeyPatch
):
    claim, turns = ledger.claim, iter(range(1, 100))

    def refused_the_second_time(*args: object) -> None:
        claim(*args)
        if next(turns) == 2:
            # The same receivers again: the ledger's own last line of defence.
            claim(*args)

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "claim", refused_the_second_time)
        with pytest.raises(IntegrityError):
            house.app.sending.submitting.run(campaign_id, house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.sent_count, found.unknown_count) == (house.app.settings.sub_window, 0)
    house.wait(LEASE_OVER)
    assert send_all(house, campaign_id) == (COUNT, 0, 0)


def test_a_question_that_gets_no_answer_takes_no_outcomes_with_it(
    house: House, campaign_id: str, monkeypatch: pytest.MonkeyPatch
):
    tools = house.app.sending.submitting._tools

    def fail(*_: object) -> str:
        raise StorageError("The state store does not answer.")

    with monkeypatch.context() as patch:
        before_submit(house, lambda: patch.setattr(tools.health, "choose", fail))
        with pytest.raises(StorageError):
            house.app.sending.submitting.run(campaign_id, house.clock)
    house.wait(LEASE_OVER)
    assert send_all(house, campaign_id) == (COUNT, 0, 0)


def test_outcomes_are_recorded_together_with_the_next_claims(
    house: House, campaign_id: str, monkeypatch: pytest.MonkeyPatch
):
    write, written = house.app.state.write, list[list[str]]()

    @contextmanager
    def noted() -> Iterator[Session]:
        written.append([])
        with write() as session:
            yield session

    def noting(does: str, call: Callable[..., object]) -> Callable[..., object]:
        def noted_call(*args: object) -> object:
            written[-1].append(does)
            return call(*args)

        return noted_call

    monkeypatch.setattr(house.app.state, "write", noted)
    for does in ("claim", "record_outcomes"):
        monkeypatch.setattr(ledger, does, noting(does, getattr(ledger, does)))
    house.app.sending.submitting.run(campaign_id, house.clock)
    assert [turn for turn in written if turn] == [["claim"], ["record_outcomes", "claim"], ["record_outcomes"]]


def test_a_store_that_stays_away_gives_the_thread_back(house: House, campaign_id: str, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        before_submit(house, lambda: away(house, 10_000, patch))
        with pytest.raises(StorageError):
            house.app.sending.submitting.run(campaign_id, house.clock)
    # Whoever takes the batch next cannot know either.
    house.wait(LEASE_OVER)
    sub_window = house.app.settings.sub_window
    assert send_all(house, campaign_id) == (COUNT - sub_window, sub_window, 0)
