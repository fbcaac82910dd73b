"""Starting campaigns whose time has come, freezing audiences, sending their batches."""

from core.bootstrap import shared_app
from core.services.working import Work, WorkKind
from jobs.app import huey
from jobs.clock import utc_now


@huey.task()
def start_campaign(campaign_id: str) -> None:
    """Start the scheduled campaign, unless another worker does."""
    shared_app().working.do(Work(WorkKind.START, campaign_id), utc_now)


@huey.task()
def settle_canceled(campaign_id: str) -> None:
    """Settle what the cancellation of the campaign left."""
    shared_app().working.do(Work(WorkKind.CANCEL, campaign_id), utc_now)


@huey.task()
def freeze_audience(campaign_id: str) -> None:
    """Freeze the audience, unless another worker does."""
    shared_app().working.do(Work(WorkKind.FREEZE, campaign_id), utc_now)


@huey.task()
def send_campaign(campaign_id: str) -> None:
    """Send free batches of the campaign for a while."""
    shared_app().working.do(Work(WorkKind.SEND, campaign_id), utc_now)
