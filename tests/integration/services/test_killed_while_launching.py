"""A launch killed around its commit, and a worker killed around hearing of one: nothing is half done."""

from datetime import UTC, datetime

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.reports.audit import Action
from core.errors import InvalidTransition
from core.services.work_queue import WorkKind
from core.state.reports import audit
from tests.integration.services import steps
from tests.integration.services.dying import LAUNCH, WORKER, die
from tests.support.application.house import House, contacts
from tests.support.processes.installation import worker
from tests.support.processes.waiting import wait_until

COUNT = 5
MOVE, COMMIT = "core.state.campaigns.campaigns.move_from", "sqlalchemy.engine.default.DefaultDialect.do_commit"
ENQUEUE, FREEZE = "jobs.pulse.Pulse._enqueue", "core.services.campaigns.launching.Launching.freeze"


def assert_everybody_got_one(house: House, campaign_id: str) -> None:
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED
    # A worker of its own has the simulator's luck: one in some hundred messages is refused.
    taken, refused = steps.receivers(house), found.failed_count
    assert (found.audience_count, found.pending_count, found.balances) == (COUNT, 0, True)
    assert found.sent_count + found.unknown_count == COUNT - refused
    assert len(set(taken)) == len(taken)
    assert found.sent_count <= len(taken) <= COUNT - refused


def is_told(house: House, campaign_id: str) -> bool:
    """Return whether the audit says that it was launched."""
    with house.app.state.read() as session:
        last = audit.find_last(session, "campaign", campaign_id)
    return last is not None and last.action is Action.CAMPAIGN_LAUNCHED


@pytest.mark.parametrize(("when", "function"), [("after", MOVE), ("before", COMMIT)], ids=["moved", "not committed"])
def test_killed_before_its_commit_a_launch_has_not_happened(either: House, when: str, function: str):
    draft = steps.save(either, either.upload(contacts(COUNT)).list_id)
    die(either, LAUNCH, draft.campaign_id, when, function)
    # Nobody waits for what the dead one had locked.
    assert either.campaign(draft.campaign_id) == draft
    assert not is_told(either, draft.campaign_id)
    steps.work(either)
    assert (steps.count_frozen(either, draft.campaign_id), steps.receivers(either)) == (0, [])
    steps.launch(either, draft)
    steps.work(either)
    assert_everybody_got_one(either, draft.campaign_id)


def test_killed_after_its_commit_a_launch_goes_on_by_itself(either: House):
    draft = steps.save(either, either.upload(contacts(COUNT)).list_id)
    die(either, LAUNCH, draft.campaign_id, "after", COMMIT)
    assert either.campaign(draft.campaign_id).status is CampaignStatus.PROCESSING
    assert is_told(either, draft.campaign_id)
    # The person, who saw no answer, clicks again.
    with pytest.raises(InvalidTransition, match="You have just launched it"):
        steps.launch(either, draft)
    steps.work(either)
    assert_everybody_got_one(either, draft.campaign_id)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("when", "function"),
    [("before", ENQUEUE), ("after", ENQUEUE), ("before", FREEZE)],
    ids=["found", "put into the queue", "taken out of the queue"],
)
def test_what_a_killed_worker_had_heard_of_the_next_one_does(house: House, when: str, function: str):
    house.now = datetime.now(UTC)
    launched = house.launch(house.upload(contacts(COUNT)).list_id)
    die(house, WORKER, "", when, function)
    assert house.campaign(launched.campaign_id).status is CampaignStatus.PROCESSING
    # Whatever else was put into the queue first: that it is this campaign's freeze is what was killed.
    assert [work.kind for work in house.app.work.find(house.now)] == [WorkKind.FREEZE]
    with worker({"HELIOGRAPH_DATA_DIR": str(house.app.settings.data_dir), "HELIOGRAPH_LOG_LEVEL": "WARNING"}):
        wait_until(lambda: house.campaign(launched.campaign_id).status is CampaignStatus.COMPLETED, "it is over")
    assert_everybody_got_one(house, launched.campaign_id)
