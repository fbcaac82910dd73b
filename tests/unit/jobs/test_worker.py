import importlib
import pkgutil

import jobs
from core.services.working import WorkKind
from jobs.app import huey
from jobs.periodic import TASKS
from jobs.worker import TASK_MODULES


def modules_with_tasks() -> set[str]:
    """Return the modules of `jobs` that decorate a task, found by loading every one."""
    for module in pkgutil.iter_modules(jobs.__path__, "jobs."):
        importlib.import_module(module.name)
    return {name.rpartition(".")[0] for name in huey._registry._registry}


def test_the_worker_loads_every_module_with_tasks():
    assert modules_with_tasks() == {module.__name__ for module in TASK_MODULES}


def test_there_is_a_task_for_every_kind_of_work():
    assert set(TASKS) == set(WorkKind)


def test_every_task_is_one_the_pulse_can_put_in():
    assert {task.task_class.__name__ for task in TASKS.values()} == {
        name.rpartition(".")[2] for name in huey._registry._registry
    }
