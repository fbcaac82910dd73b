"""
A worker that is killed in the middle of one piece of work.

`python -m tests.integration.services.dying <data_dir> <now> <kind> <campaign_id> <before|after> <function>`: does the
work and is killed right before, or right after, it calls that function for the first time. It exits with 0 if it never
did.
"""

import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from pkgutil import resolve_name

from core.bootstrap import build_app
from core.config import Settings
from core.services.work_queue import Work, WorkKind
from tests.support.fakes.calm import calm


def main(data_dir: str, now: str, kind: str, campaign_id: str, when: str, function: str) -> None:
    die_at(when, function)
    app = build_app(Settings(data_dir=Path(data_dir), duckdb_memory_mib=512, sub_window=10, batch_size=20))
    calm(app)
    app.work.do(Work(WorkKind(kind), campaign_id), lambda: datetime.fromisoformat(now))
    app.close()


def die_at(when: str, function: str) -> None:
    path, name = function.rsplit(".", 1)
    owner = resolve_name(path)
    real = getattr(owner, name)

    def fatal(*arguments: object, **named: object) -> None:
        if when == "after":
            real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, fatal)


if __name__ == "__main__":
    main(*sys.argv[1:])
