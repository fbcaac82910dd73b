"""Writing exported files, and deleting them when their time is over."""

from core.bootstrap import shared_app
from core.services.working import Work, WorkKind
from jobs.app import huey
from jobs.clock import utc_now


@huey.task()
def write_export(export_id: str) -> None:
    """Write the file, unless another worker does."""
    shared_app().working.do(Work(WorkKind.EXPORT, export_id), utc_now)


@huey.task()
def tidy_up(_subject: str = "") -> None:
    """Delete what nobody may fetch any more."""
    shared_app().working.do(Work(WorkKind.TIDY), utc_now)
