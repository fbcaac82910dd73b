"""Keeping the lake's files few, and stored times within reach."""

from core.services.work_queue import Work, WorkKind
from jobs.app import huey
from jobs.doing import do


@huey.task()
def maintain_history(_subject: str = "") -> None:
    """Do what is due for a while, unless another worker does."""
    do(Work(WorkKind.MAINTENANCE))


@huey.task()
def mend_times(_subject: str = "") -> None:
    """Bring times back that were stored before the clock was set back."""
    do(Work(WorkKind.MEND))
