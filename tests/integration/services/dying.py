"""
A process that is killed in the middle of one piece of work.

`python -m tests.integration.services.dying <settings as JSON> <now> <work> <subject> <before|after> <function>`: does
the work, which is a kind that workers do, `launch` for a campaign that the first administrator launches, or `worker`
for all that a worker finds. It is killed right before, or right after, it calls that function for the first time, and
exits with 0 if it never did.
"""

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from pkgutil import resolve_name

from core.bootstrap import App, build_app
from core.config import Settings
from core.services.work_queue import Work, WorkKind
from core.state.people import users
from tests.support.application.house import House
from tests.support.fakes.calm import calm
from tests.support.processes.live_server import REPOSITORY
from tests.support.processes.waiting import PATIENCE_S

LAUNCH, WORKER = "launch", "worker"


def die(house: House, work: str, subject: str, when: str, function: str) -> None:
    """Let another process do the work and be killed at this moment."""
    facts = vars(house.app.settings) | {"data_dir": str(house.app.settings.data_dir)}
    given = [json.dumps(facts), house.now.isoformat(), work, subject, when, function]
    environment = {"HELIOGRAPH_DATA_DIR": facts["data_dir"], "HELIOGRAPH_DATABASE_URL": facts["database_url"]}
    ended = subprocess.run(
        [sys.executable, "-m", "tests.integration.services.dying", *given],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def main(settings: str, now: str, work: str, subject: str, when: str, function: str) -> None:
    if work == WORKER:
        # Its settings are in the environment.
        from jobs import worker  # noqa: PLC0415

        die_at(when, function)
        worker.main()
        return
    given = json.loads(settings)
    app = build_app(Settings(**given | {"data_dir": Path(given["data_dir"])}))
    calm(app)
    moment = datetime.fromisoformat(now)
    if work == LAUNCH:
        # Whatever opening the stores writes is none of the launch.
        app.lake.ping()
        die_at(when, function)
        launch(app, subject, moment)
    else:
        die_at(when, function)
        app.work.do(Work(WorkKind(work), subject), lambda: moment)
    app.close()


def launch(app: App, campaign_id: str, now: datetime) -> None:
    with app.state.read() as session:
        viewer = users.find_viewer(session, users.find_user_id(session) or "")
    assert viewer is not None
    app.campaigns.launching.launch(viewer, campaign_id, now)


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
