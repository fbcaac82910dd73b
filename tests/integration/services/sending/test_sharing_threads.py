"""A long campaign gives its thread away as soon as another campaign has none."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.domain.accounts.departures import Limit, Log, Terms, book
from core.services.sending.submitting import ALWAYS, LEAST_SLICE_S, SLICE_S
from core.state.accounts import departures, gateways
from core.state.campaigns import ledger
from tests.integration.services.steps import at_submit, receivers
from tests.support.application.house import House, contacts, make_house

SUB_WINDOW, COUNT, RATE_TPS = 10, 60, 1_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path, batch_size=COUNT, sub_window=SUB_WINDOW, default_rate_tps=RATE_TPS)
    yield made
    made.app.close()


@pytest.fixture
def long(house: House) -> str:
    return start(house, "Long", first=1_000_000)


def start(house: House, name: str, first: int, count: int = COUNT) -> str:
    """Launch and freeze a campaign with numbers of its own."""
    list_id = house.upload(contacts(count, first=first), name=name).list_id
    campaign_id = house.launch(list_id, name=name).campaign_id
    house.app.campaigns.launching.freeze(campaign_id, house.clock)
    return campaign_id


def test_whoever_has_no_thread_gets_one_after_the_shortest_slice(house: House, long: str):
    start(house, "Short", first=2_000_000)
    at_submit(house, lambda: house.wait(timedelta(seconds=LEAST_SLICE_S)), turn=2)
    house.app.sending.submitting.run(long, house.clock)
    assert len(receivers(house)) == 2 * SUB_WINDOW
    # Nothing is lost by it: the batch is free at once, and goes on where it stopped.
    house.app.sending.submitting.run(long, house.clock)
    assert len(receivers(house)) == COUNT
    assert house.simulator.journal.list_repeated() == []


def test_within_the_shortest_slice_nobody_is_interrupted(house: House, long: str):
    start(house, "Short", first=2_000_000)
    at_submit(house, lambda: house.wait(timedelta(seconds=LEAST_SLICE_S / 2)), turn=2)
    house.app.sending.submitting.run(long, house.clock)
    assert len(receivers(house)) == COUNT


def test_alone_a_campaign_keeps_its_thread_for_a_whole_slice(house: House, long: str):
    at_submit(house, lambda: house.wait(timedelta(seconds=SLICE_S / 2)), turn=2)
    house.app.sending.submitting.run(long, house.clock)
    assert len(receivers(house)) == COUNT


def test_even_alone_a_slice_ends(house: House, long: str):
    at_submit(house, lambda: house.wait(timedelta(seconds=SLICE_S)), turn=2)
    house.app.sending.submitting.run(long, house.clock)
    assert len(receivers(house)) == 2 * SUB_WINDOW


@pytest.fixture
def shared(house: House) -> str:
    """Launch a campaign of three batches, two of which another worker sends."""
    campaign_id = start(house, "Shared", first=1_000_000, count=3 * COUNT)
    with house.app.state.write() as session:
        now = house.clock()
        for _ in range(ALWAYS):
            assert ledger.lease_batch(session, campaign_id, "another worker", now, now + timedelta(minutes=1))
    return campaign_id


def use_up(house: House, share: float) -> None:
    """Let somebody else have used up that share of the account's rate for a while, until now."""
    step, log, end = timedelta(milliseconds=50), Log(), house.clock()
    count = round(share * RATE_TPS * step.total_seconds())
    moment: datetime = end - 40 * step
    while moment < end:
        moment += step
        (log,) = book([Limit(RATE_TPS, log)], [count], moment, Terms()).logs
    with house.app.state.write() as session:
        subject = departures.of_account(house.account.account_id)
        departures.lock_log(session, subject, end)
        departures.store_log(session, subject, log, end)


def test_no_third_batch_is_begun_while_two_use_up_the_rate(house: House, shared: str):
    use_up(house, 0.95)
    house.app.sending.submitting.run(shared, house.clock)
    assert receivers(house) == []


def test_a_second_batch_is_begun_whatever_the_rate(house: House):
    campaign_id = start(house, "Two", first=1_000_000, count=2 * COUNT)
    with house.app.state.write() as session:
        now = house.clock()
        assert ledger.lease_batch(session, campaign_id, "another worker", now, now + timedelta(minutes=1))
    use_up(house, 0.95)
    # There is room for a batch, and by what those who send have used up not for a thread.
    house.wait(timedelta(milliseconds=200))
    house.app.sending.submitting.run(campaign_id, house.clock)
    assert len(receivers(house)) == COUNT


def test_a_rate_that_lies_there_unused_calls_for_another_thread(house: House, shared: str):
    use_up(house, 0.8)
    house.app.sending.submitting.run(shared, house.clock)
    assert len(receivers(house)) == COUNT


def test_a_gateway_s_own_rate_that_is_used_up_calls_for_none(house: House, shared: str):
    with house.app.state.write() as session:
        stored = gateways.get_gateway(session, "simulator")
        gateways.change_gateway(session, replace(stored.setup, rate_tps=10), stored.sealed)
        departures.lock_log(session, departures.of_gateway("simulator"), house.now)
        (log,) = book([Limit(10, Log())], [10], house.now, Terms()).logs
        departures.store_log(session, departures.of_gateway("simulator"), log, house.now)
    house.app.sending.submitting.run(shared, house.clock)
    assert receivers(house) == []


def test_a_worker_that_died_with_a_batch_keeps_nobody_away(house: House, shared: str):
    house.wait(timedelta(minutes=1, seconds=1))
    use_up(house, 0.95)
    house.wait(timedelta(seconds=2))
    while house.app.sending.submitting.list_sendable(house.now):
        house.app.sending.submitting.run(shared, house.clock)
        house.wait(timedelta(seconds=1))
    assert len(receivers(house)) == 3 * COUNT
