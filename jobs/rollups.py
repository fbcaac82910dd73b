"""Keeping the rollups and the index of numbers up to date."""

from core.bootstrap import shared_app
from core.services.working import Work, WorkKind
from jobs.app import huey
from jobs.clock import utc_now


@huey.task()
def refresh_rollups(_subject: str = "") -> None:
    """Fold what was logged, build and index what is missing."""
    shared_app().working.do(Work(WorkKind.ROLLUPS), utc_now)
