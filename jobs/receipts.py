"""Collecting delivery receipts and merging them into history."""

from core.services.work_queue import Work, WorkKind
from jobs.app import huey
from jobs.doing import do


@huey.task()
def merge_receipts(_subject: str = "") -> None:
    """Collect what gateways report and merge what is due."""
    do(Work(WorkKind.RECEIPTS))
