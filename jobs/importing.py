"""Reading uploaded lists and files of outside traffic, and creating the demo company."""

from core.services.work_queue import Work, WorkKind
from jobs.app import huey
from jobs.doing import do


@huey.task()
def import_list(list_id: str) -> None:
    """Import the list, unless another worker does."""
    do(Work(WorkKind.IMPORT, list_id))


@huey.task()
def import_traffic(import_id: str) -> None:
    """Import the file of outside traffic, unless another worker does."""
    do(Work(WorkKind.TRAFFIC, import_id))


@huey.task()
def seed_demo(user_id: str) -> None:
    """Create the demo company for the person who asked for it."""
    do(Work(WorkKind.DEMO, user_id))
