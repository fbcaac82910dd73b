"""An account's rate holds whatever the workers' clocks say, and no clock stops it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from threading import Thread

import pytest

from core.domain.accounts.pacing import Bucket
from core.domain.messages.messages import OutboundMessage
from core.domain.texts.segments import MAX_SEGMENTS
from core.services.sending.account_pacing import AccountPacing
from core.state.accounts import accounts
from core.state.engine.store import State
from tests.contract.gateways.gateway_contract import make_outbound
from tests.support.application.factories import NOW, make_account
from tests.support.fakes.clock import StoppedClock

# Above the longest message's segments, so that it is the bucket's capacity as well.
RATE = 2 * MAX_SEGMENTS
TICK = timedelta(milliseconds=100)
WINDOW: tuple[OutboundMessage, ...] = tuple(make_outbound(number) for number in range(RATE))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[State]:
    made = State(f"sqlite:///{tmp_path / 'state.sqlite'}")
    made.migrate()
    with made.write() as session:
        accounts.add_account(session, make_account(rate_tps=RATE), NOW)
        accounts.set_bucket(session, "account-1", Bucket(0.0, NOW))
    yield made
    made.close()


@dataclass
class Worker:
    """A worker process: its own clock, and what it knows of the bucket."""

    store: State
    clock: StoppedClock
    pacing: AccountPacing = field(default_factory=AccountPacing)

    def send(self) -> int:
        with self.store.write() as session:
            paced = accounts.lock_bucket(session, "account-1")
            return len(self.pacing.take(session, "account-1", paced, WINDOW, self.clock)[0])


def pass_time(workers: list[Worker], seconds: float) -> int:
    """Let all of them try ten times a second; return how much they sent together."""
    sent = 0
    for _ in range(round(seconds / TICK.total_seconds())):
        for worker in workers:
            worker.clock.now += TICK
            sent += worker.send()
    return sent


@pytest.mark.parametrize("minutes", [0, 5, -5, 600], ids=lambda minutes: f"{minutes} minutes apart")
def test_two_workers_keep_the_rate_together_whatever_their_clocks_say(store: State, minutes: int):
    workers = [Worker(store, StoppedClock(NOW)), Worker(store, StoppedClock(NOW + timedelta(minutes=minutes)))]
    pass_time(workers, 1)
    sent = pass_time(workers, 10)
    assert 0.95 * 10 * RATE <= sent <= 10 * RATE + RATE


def test_a_worker_whose_clock_was_set_back_while_it_looked_at_nothing_goes_on_where_the_others_are(store: State):
    slept, awake = Worker(store, StoppedClock(NOW)), Worker(store, StoppedClock(NOW))
    pass_time([slept, awake], 1)
    awake.clock.now += timedelta(minutes=10)
    awake.send()
    # The other's clock says that no time has gone by, and it is alone now.
    sent = pass_time([slept], 10)
    assert 0.95 * 10 * RATE <= sent <= 10 * RATE + RATE


def test_a_clock_set_back_by_an_hour_stops_nothing_and_mints_nothing(store: State):
    worker = Worker(store, StoppedClock(NOW))
    pass_time([worker], 2)
    worker.clock.advance(hours=-1)
    assert worker.send() == 0
    assert 0.95 * 5 * RATE <= pass_time([worker], 5) <= 5 * RATE


def test_a_worker_started_after_the_clock_was_set_back_sends_at_once(store: State):
    with store.write() as session:
        accounts.set_bucket(session, "account-1", Bucket(0.0, NOW + timedelta(days=400)))
    worker = Worker(store, StoppedClock(NOW))
    assert 0.9 * 2 * RATE <= pass_time([worker], 2) <= 2 * RATE


def test_a_clock_set_forward_mints_no_more_than_a_rest_does(store: State):
    worker = Worker(store, StoppedClock(NOW))
    pass_time([worker], 2)
    worker.clock.advance(hours=1)
    assert pass_time([worker], 5) <= 6 * RATE


def test_what_was_taken_in_a_transaction_that_failed_is_there_again(store: State):
    worker = Worker(store, StoppedClock(NOW))
    pass_time([worker], 1)
    worker.clock.advance(seconds=1)
    with store.write() as session:
        paced = accounts.lock_bucket(session, "account-1")
        assert worker.pacing.take(session, "account-1", paced, WINDOW, worker.clock)[0]
        session.rollback()
    assert worker.send() >= RATE - 1


@pytest.mark.parametrize("seed", range(3))
def test_workers_that_look_in_any_order_send_the_rate_together_and_never_more(store: State, seed: int):
    """One of them may look ten times while the other does once: neither loses nor doubles the time that passed."""
    chance = Random(seed)
    workers = [Worker(store, StoppedClock(NOW + timedelta(minutes=offset))) for offset in (0, 7)]
    for worker in workers:
        worker.send()
    seconds = sent = 0.0
    while seconds < 20:
        step = chance.uniform(0.001, 0.4)
        seconds += step
        for worker in workers:
            worker.clock.advance(seconds=step)
        sent += chance.choices(workers, weights=(10, 1))[0].send()
    # Up to a step's worth is left in the bucket at the end; what the first look began with is nothing.
    assert 20 * RATE * 0.97 <= sent <= seconds * RATE


def test_a_thread_that_looks_while_another_is_held_up_mints_nothing(store: State):
    """Only who takes holds the account's lock: who just looks whether tokens are spare must not disturb the count."""
    worker, late = Worker(store, StoppedClock(NOW)), NOW + timedelta(minutes=1)
    with store.read() as session:
        paced = accounts.look_at_bucket(session, "account-1")
    worker.pacing.is_spare("account-1", paced, worker.clock)
    other = Thread(target=worker.pacing.is_spare, args=("account-1", paced, StoppedClock(late)))

    def held_up() -> datetime:
        """Read the clock, and be out of turn for as long as the other takes, if it can go on at all."""
        other.start()
        other.join(timeout=0.05)
        return NOW

    worker.pacing.is_spare("account-1", paced, held_up)
    other.join()
    worker.clock.now = late
    worker.send()
    with store.read() as session:
        assert accounts.look_at_bucket(session, "account-1").bucket.updated_at == late
