"""A long campaign gives its thread away as soon as another campaign has none."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.services.sending import LEAST_SLICE_S, SLICE_S
from tests.integration.services.steps import at_submit, receivers
from tests.support.house import House, contacts, make_house

SUB_WINDOW, COUNT = 10, 60


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path, batch_size=COUNT, sub_window=SUB_WINDOW, default_rate_tps=1_000)
    yield made
    made.app.close()


@pytest.fixture
def long(house: House) -> str:
    return start(house, "Long", first=1_000_000)


def start(house: House, name: str, first: int) -> str:
    """Launch and freeze a campaign with numbers of its own."""
    list_id = house.upload(contacts(COUNT, first=first), name=name).list_id
    campaign_id = house.launch(list_id, name=name).campaign_id
    house.app.launching.freeze(campaign_id, house.clock)
    return campaign_id


def test_whoever_has_no_thread_gets_one_after_the_shortest_slice(house: House, long: str):
    start(house, "Short", first=2_000_000)
    at_submit(house, lambda: house.wait(timedelta(seconds=LEAST_SLICE_S)), turn=2)
    house.app.sending.run(long, house.clock)
    assert len(receivers(house)) == 2 * SUB_WINDOW
    # Nothing is lost by it: the batch is free at once, and goes on where it stopped.
    house.app.sending.run(long, house.clock)
    assert len(receivers(house)) == COUNT
    assert house.simulator.journal.list_repeated() == []


def test_within_the_shortest_slice_nobody_is_interrupted(house: House, long: str):
    start(house, "Short", first=2_000_000)
    at_submit(house, lambda: house.wait(timedelta(seconds=LEAST_SLICE_S / 2)), turn=2)
    house.app.sending.run(long, house.clock)
    assert len(receivers(house)) == COUNT


def test_alone_a_campaign_keeps_its_thread_for_a_whole_slice(house: House, long: str):
    at_submit(house, lambda: house.wait(timedelta(seconds=SLICE_S / 2)), turn=2)
    house.app.sending.run(long, house.clock)
    assert len(receivers(house)) == COUNT


def test_even_alone_a_slice_ends(house: House, long: str):
    at_submit(house, lambda: house.wait(timedelta(seconds=SLICE_S)), turn=2)
    house.app.sending.run(long, house.clock)
    assert len(receivers(house)) == 2 * SUB_WINDOW
