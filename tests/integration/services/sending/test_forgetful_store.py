"""A state store that is away between a claim and its outcome: what a sender alone knows is written once it is back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
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


def deaf(house: House, does: str, patch: pytest.MonkeyPatch) -> None:
    """Let the first transaction with a call of the ledger's function *does* commit, and its caller not hear of it."""
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
        if (before, len(called)) == (0, 1):
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

    def interrupted(messages: list, now: object) -> list:
        gateway.submit = submit
        action()
        return submit(messages, now)

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


@pytest.mark.parametrize("does", ["claim", "record_outcomes"])
def test_a_commit_of_which_no_word_came_leaves_nothing_unknown(
    house: House, campaign_id: str, does: str, monkeypatch: pytest.MonkeyPatch
):
    deaf(house, does, monkeypatch)
    assert send_all(house, campaign_id) == (COUNT, 0, 0)


def test_a_store_that_stays_away_gives_the_thread_back(house: House, campaign_id: str, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        before_submit(house, lambda: away(house, 10_000, patch))
        with pytest.raises(StorageError):
            house.app.sending.submitting.run(campaign_id, house.clock)
    # Whoever takes the batch next cannot know either.
    house.wait(LEASE_OVER)
    sub_window = house.app.settings.sub_window
    assert send_all(house, campaign_id) == (COUNT - sub_window, sub_window, 0)
