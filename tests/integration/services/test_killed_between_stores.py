"""A worker killed while it starts, freezes or settles a campaign: the next one comes to the right end."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.services.work_queue import WorkKind
from tests.integration.services import steps
from tests.integration.services.dying import die
from tests.support.application.house import House, contacts, make_house

COUNT, SUB_WINDOW, BATCH = 60, 10, 20
LEASE_OVER = timedelta(seconds=60)
SOON = timedelta(hours=3)

MOVE, FREEZE = "core.state.campaigns.campaigns.move_from", "core.history.audience.audience_store.AudienceStore.freeze"
ADD_BATCHES, SUBMIT = (
    "core.state.campaigns.ledger.add_batches",
    "core.gateways.simulator.gateway.SimulatorGateway.submit",
)
APPEND, FORGET = (
    "core.history.messages.message_store.MessageStore.append_batch",
    "core.state.campaigns.ledger.settle_batch",
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path, sub_window=SUB_WINDOW, batch_size=BATCH)
    steps.suppress(made, "+491796000003")
    yield made
    made.app.close()


def assert_everybody_got_one(house: House, campaign_id: str) -> None:
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED
    assert (found.audience_count, found.excluded) == (COUNT, {"suppressed": 1})
    assert (found.sent_count, found.balances) == (COUNT - 1, True)
    assert len(set(steps.receivers(house))) == len(steps.receivers(house)) == COUNT - 1


def test_killed_before_a_start_is_committed_it_is_started_again(house: House):
    key = house.launch(house.upload(contacts(COUNT)).list_id, schedule_at=house.now + SOON).campaign_id
    house.wait(SOON)
    die(house, WorkKind.START, key, "after", MOVE)
    assert house.campaign(key).status is CampaignStatus.SCHEDULED
    # There is no lease to wait for.
    steps.work(house)
    assert_everybody_got_one(house, key)


@pytest.mark.parametrize(
    ("when", "function"),
    [("before", FREEZE), ("after", FREEZE), ("after", ADD_BATCHES)],
    ids=["before the lake has it", "when the lake has it", "before the state has it"],
)
def test_killed_while_freezing_the_audience_is_frozen_once(house: House, when: str, function: str):
    key = house.launch(house.upload(contacts(COUNT)).list_id).campaign_id
    die(house, WorkKind.FREEZE, key, when, function)
    assert house.campaign(key).status is CampaignStatus.PROCESSING
    steps.work(house)
    # The dead worker's lease is respected until it runs out.
    assert steps.receivers(house) == []
    house.wait(LEASE_OVER)
    steps.work(house)
    assert_everybody_got_one(house, key)


@pytest.mark.parametrize(
    ("when", "function"),
    [("before", APPEND), ("after", APPEND), ("after", FORGET)],
    ids=["before history has it", "when history has it", "before the count is committed"],
)
def test_killed_while_settling_a_cancellation_nobody_is_counted_twice(house: House, when: str, function: str):
    steps.price(house, "5")
    key = house.launch(house.upload(contacts(COUNT)).list_id).campaign_id
    house.app.campaigns.launching.freeze(key, house.clock)
    steps.at_submit(house, lambda: house.app.campaigns.controlling.cancel(house.viewer, key, house.now), turn=3)
    house.app.sending.submitting.run(key, house.clock)
    die(house, WorkKind.CANCEL, key, when, function)
    assert house.app.reports.reporting.reconciliation(house.viewer, key).balances
    house.wait(LEASE_OVER)
    steps.work(house)
    assert_canceled(house, key, sent=3 * SUB_WINDOW, unknown=0)
    assert steps.billed(house, key) == 5 * 3 * SUB_WINDOW
    assert len(steps.receivers(house)) == 3 * SUB_WINDOW


def test_what_a_killed_sender_had_in_hand_is_unknown_after_a_cancellation(house: House):
    key = house.launch(house.upload(contacts(COUNT)).list_id).campaign_id
    house.app.campaigns.launching.freeze(key, house.clock)
    die(house, WorkKind.SEND, key, "after", SUBMIT)
    house.app.campaigns.controlling.cancel(house.viewer, key, house.now)
    steps.work(house)
    midway = house.app.reports.reporting.reconciliation(house.viewer, key)
    assert (midway.pending_count, midway.balances) == (BATCH, True)
    house.wait(LEASE_OVER)
    steps.work(house)
    assert_canceled(house, key, sent=0, unknown=SUB_WINDOW)
    # The gateway took them, but its answer was lost.
    assert len(steps.receivers(house)) == SUB_WINDOW


def assert_canceled(house: House, campaign_id: str, *, sent: int, unknown: int) -> None:
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert house.campaign(campaign_id).status is CampaignStatus.CANCELED
    rest = COUNT - 1 - sent - unknown
    assert found.excluded == {"suppressed": 1, "canceled": rest}
    assert (found.sent_count, found.unknown_count, found.pending_count) == (sent, unknown, 0)
    assert (found.audience_count, found.balances) == (COUNT, True)
    assert house.app.sending.reconciling.rows(house.viewer, campaign_id, "excluded", "canceled", 1, 1).total == rest
    assert len(set(steps.receivers(house))) == len(steps.receivers(house))
