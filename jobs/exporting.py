"""Writing exported files, and deleting them when their time is over."""

from core.services.work_queue import Work, WorkKind
from jobs.app import huey
from jobs.doing import do


@huey.task()
def write_export(export_id: str) -> None:
    """Write the file, unless another worker does."""
    do(Work(WorkKind.EXPORT, export_id))


@huey.task()
def tidy_up(_subject: str = "") -> None:
    """Delete what nobody may fetch any more."""
    do(Work(WorkKind.TIDY))
