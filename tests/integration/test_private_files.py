"""What Heliograph writes is read by nobody else, whatever the umask of whoever starts it."""

import ast
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.private_files import keep_private
from tests.support.processes.live_server import REPOSITORY, free_port

OPEN_UMASK = 0o022
# What everything is written through: a list is imported (uploads, rejected rows), a campaign is sent (lake, simulator),
# an export is written, a mail goes into the outbox.
STORY = """
import io, os, sys
from datetime import UTC, datetime
from core import cli
from core.bootstrap import build_app
from core.config import Settings
from core.domain.reports.audit import AuditFilter
from core.domain.reports.exports import ExportFormat
from core.services.reports.export_requests import AuditRequest
from core.services.people.adding_people import NewPerson
from core.services.lists.importing_lists import Upload

assert cli.main(["prepare"]) == 0
now = datetime.now(UTC)
app = build_app(Settings.from_environment())
ada = app.people.adding.add(NewPerson("Ada", "ada@example.com", "Copper-kettle-19"), now)
[account] = app.accounts.managing.list_sending(ada)
rows = b"PhoneNumber\\n" + b"".join(b"+4917%08d\\n" % number for number in range(200)) + b"nobody\\n"
app.lists.upload(ada, Upload(account.account_id, "Guests", "guests.csv"), io.BytesIO(rows), now)
for kind in ExportFormat:
    app.reports.exporting.start(ada, AuditRequest(AuditFilter()), kind, now)
app.people.resetting.deliver("ada@example.com", "192.0.2.1", now)
app.work.run_until_idle(lambda: datetime.now(UTC))
from jobs.app import huey, prepare
prepare(huey, app.settings.data_dir)
app.close()
"""


def others_may(folder: Path) -> list[str]:
    found = [folder, *folder.rglob("*")]
    return [f"{path} {stat.filemode(path.stat().st_mode)}" for path in found if path.stat().st_mode & 0o077]


def test_everything_written_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    environment = {**os.environ, "HELIOGRAPH_DATA_DIR": str(folder), "HELIOGRAPH_PORT": str(free_port())}
    environment["HELIOGRAPH_SIMULATOR_SPEED"] = "1000"
    ran = subprocess.run(
        [sys.executable, "-c", STORY],
        cwd=REPOSITORY,
        env=environment,
        umask=OPEN_UMASK,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    written = {path.relative_to(folder).parts[0] for path in folder.rglob("*")}
    assert {"state.sqlite", "queue.sqlite", "history", "uploads", "exports", "outbox"} <= written
    assert others_may(folder) == []


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    before = os.umask(OPEN_UMASK)
    try:
        folder, outside = tmp_path / "data", tmp_path / "outside.txt"
        (folder / "history" / "files").mkdir(parents=True)
        for path in (folder / "state.sqlite", folder / "history" / "files" / "a.parquet", outside):
            path.touch()
        (folder / "link").symlink_to(outside)
        keep_private(folder)
        assert [line for line in others_may(folder) if "/link " not in line] == []
        # Where a link leads is somebody else's.
        assert stat.S_IMODE(outside.stat().st_mode) == 0o644
        assert os.umask(OPEN_UMASK) == 0o077
    finally:
        os.umask(before)


@pytest.mark.parametrize("entry", ["Home.py", "jobs/worker.py", "core/cli.py"])
def test_every_entry_point_closes_the_folder(entry: str) -> None:
    calls = [node.func for node in ast.walk(ast.parse((REPOSITORY / entry).read_text())) if isinstance(node, ast.Call)]
    assert "keep_private" in [call.id for call in calls if isinstance(call, ast.Name)]
