"""Keeping the rollups and the index of numbers up to date."""

from core.services.work_queue import Work, WorkKind
from jobs.app import huey
from jobs.doing import do


@huey.task()
def refresh_rollups(_subject: str = "") -> None:
    """Fold what was logged, build and index what is missing."""
    do(Work(WorkKind.ROLLUPS))
