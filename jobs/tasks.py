"""The one task there is: a piece of work, by its kind and the id of what it is about."""

from datetime import datetime

from huey.api import Task

from core.bootstrap import shared_app
from core.services.work_queue import Work, WorkKind
from jobs.app import huey
from jobs.doing import doing


@huey.task()
def do_work(kind: str, subject: str) -> None:
    """Do it by the time that the state store tells, or nothing when somebody else does."""
    work = Work(WorkKind(kind), subject)
    with doing.under_way(work):
        shared_app().work.do(work, utc_now)


def task_of(work: Work) -> Task:
    """Return what is put into the queue for it."""
    return do_work.s(work.kind.value, work.subject)


def work_of(task: Task) -> Work:
    """Return what a task in the queue is about."""
    kind, subject = task.args
    return Work(WorkKind(kind), subject)


def utc_now() -> datetime:
    """Return the present moment, as the application has it: the pulse sets it by the state store with every beat."""
    return shared_app().clock()
