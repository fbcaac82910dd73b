"""Collecting delivery receipts and merging them into history."""

from core.bootstrap import shared_app
from core.services.working import Work, WorkKind
from jobs.app import huey
from jobs.clock import utc_now


@huey.task()
def merge_receipts(_subject: str = "") -> None:
    """Collect what gateways report and merge what is due."""
    shared_app().working.do(Work(WorkKind.RECEIPTS), utc_now)
