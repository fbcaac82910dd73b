import os
import subprocess
import sys
from pathlib import Path

import pytest
from huey import PostgresHuey, RedisHuey

from core.config import Settings
from core.errors import ConfigurationError
from jobs.app import make_huey, prepare
from jobs.waking import WakingHuey
from tests.support.processes.live_server import REPOSITORY

# What takes a tenth of a second and more to load, in every process: for some pages, or once in a migration.
SELDOM = {"alembic", "openpyxl", "pandas", "plotly", "streamlit"}


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("", WakingHuey),
        ("redis://127.0.0.1:1/0", RedisHuey),
        ("rediss://127.0.0.1:1/0", RedisHuey),
        ("postgresql://nobody@127.0.0.1:1/none", PostgresHuey),
    ],
)
def test_the_address_decides_the_kind_of_queue_and_nothing_connects(tmp_path: Path, url: str, kind: type):
    assert type(make_huey(Settings(data_dir=tmp_path / "data", queue_url=url))) is kind
    assert list(tmp_path.iterdir()) == []


def test_another_kind_of_queue_is_refused_with_what_there_is():
    with pytest.raises(ConfigurationError, match="amqp") as refused:
        make_huey(Settings(queue_url="amqp://queue"))
    assert "redis://" in refused.value.hint


def test_preparing_twice_is_harmless(tmp_path: Path):
    queue = make_huey(Settings(data_dir=tmp_path / "data"))
    for _ in range(2):
        prepare(queue, tmp_path / "data")
    assert queue.pending_count() == 0
    queue.storage.close()


def test_loading_tasks_and_commands_leaves_no_files_and_brings_nothing_that_few_need(tmp_path: Path):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    script = f"import sys, core.cli, jobs.worker; print(*{SELDOM} & {{*sys.modules}})"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.split() == []
    assert list(tmp_path.iterdir()) == []
