"""A long campaign gives its thread away as soon as another campaign has none."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.accounts.pacing import Bucket
from core.services.sending.account_pacing import SPARE_S
from core.services.sending.submitting import LEAST_SLICE_S, SLICE_S
from core.state.accounts import accounts
from core.state.campaigns import campaigns, ledger
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
    """Launch a campaign of two batches: another worker sends one, and has left a little less than is spare."""
    campaign_id = start(house, "Shared", first=1_000_000, count=2 * COUNT)
    with house.app.state.write() as session:
        now = house.clock()
        assert ledger.lease_batch(session, campaign_id, "another worker", now, now + timedelta(minutes=1))
        account_id = campaigns.get_campaign(session, campaign_id).account_id
        accounts.set_bucket(session, account_id, Bucket(SPARE_S * RATE_TPS - 10, now))
    return campaign_id


def test_no_second_batch_is_begun_while_the_first_uses_up_the_rate(house: House, shared: str):
    house.app.sending.submitting.run(shared, house.clock)
    assert receivers(house) == []


def test_a_rate_that_lies_there_unused_calls_for_another_thread(house: House, shared: str):
    house.app.sending.submitting.run(shared, house.clock)
    house.wait(timedelta(seconds=10 / RATE_TPS))
    house.app.sending.submitting.run(shared, house.clock)
    assert len(receivers(house)) == COUNT


def test_a_worker_that_died_with_a_batch_keeps_nobody_away(house: House, shared: str):
    house.wait(timedelta(minutes=1, seconds=1))
    with house.app.state.write() as session:
        account_id = campaigns.get_campaign(session, shared).account_id
        # Enough for the campaign, and too little to call for another thread.
        accounts.set_bucket(session, account_id, Bucket(2.0 * COUNT, house.clock()))
    house.app.sending.submitting.run(shared, house.clock)
    assert len(receivers(house)) == 2 * COUNT
