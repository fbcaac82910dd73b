"""Keeping the lake's files few, and stored times within reach."""

from core.bootstrap import shared_app
from core.services.working import Work, WorkKind
from jobs.app import huey
from jobs.clock import utc_now


@huey.task()
def maintain_history(_subject: str = "") -> None:
    """Do what is due for a while, unless another worker does."""
    shared_app().working.do(Work(WorkKind.MAINTENANCE), utc_now)


@huey.task()
def mend_times(_subject: str = "") -> None:
    """Bring times back that were stored before the clock was set back."""
    shared_app().working.do(Work(WorkKind.MEND), utc_now)
