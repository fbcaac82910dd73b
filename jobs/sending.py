"""Starting campaigns whose time has come, freezing audiences, sending their batches."""

from core.services.work_queue import Work, WorkKind
from jobs.app import huey
from jobs.doing import do


@huey.task()
def start_campaign(campaign_id: str) -> None:
    """Start the scheduled campaign, unless another worker does."""
    do(Work(WorkKind.START, campaign_id))


@huey.task()
def settle_canceled(campaign_id: str) -> None:
    """Settle what the cancellation of the campaign left."""
    do(Work(WorkKind.CANCEL, campaign_id))


@huey.task()
def freeze_audience(campaign_id: str) -> None:
    """Freeze the audience, unless another worker does."""
    do(Work(WorkKind.FREEZE, campaign_id))


@huey.task()
def send_campaign(campaign_id: str) -> None:
    """Send free batches of the campaign for a while."""
    do(Work(WorkKind.SEND, campaign_id))
