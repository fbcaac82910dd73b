"""Reading uploaded lists and files of outside traffic, and creating the demo company."""

from core.bootstrap import shared_app
from core.services.working import Work, WorkKind
from jobs.app import huey
from jobs.clock import utc_now


@huey.task()
def import_list(list_id: str) -> None:
    """Import the list, unless another worker does."""
    shared_app().working.do(Work(WorkKind.IMPORT, list_id), utc_now)


@huey.task()
def import_traffic(import_id: str) -> None:
    """Import the file of outside traffic, unless another worker does."""
    shared_app().working.do(Work(WorkKind.TRAFFIC, import_id), utc_now)


@huey.task()
def seed_demo(user_id: str) -> None:
    """Create the demo company for the person who asked for it."""
    shared_app().working.do(Work(WorkKind.DEMO, user_id), utc_now)
