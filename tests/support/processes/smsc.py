"""`python -m core smsc` in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes.live_server import REPOSITORY


@dataclass(frozen=True)
class SmscProcess:
    """A running SMSC: its process, its port, and what it said when it began."""

    process: subprocess.Popen[str]
    port: int
    greeting: list[str]


@contextmanager
def smsc_process(data_dir: Path, *options: str) -> Iterator[SmscProcess]:
    """Run it on a free port for the account me:secret; it is killed at the end, if it still runs."""
    command = [sys.executable, "-m", "core", "smsc", "--port", "0", "--account", "me:secret", *options]
    environment = {**os.environ, "HELIOGRAPH_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            greeting = [process.stdout.readline().rstrip() for _ in range(3)]
            yield SmscProcess(process, int(greeting[0].split(":")[1]), greeting)
        finally:
            if process.poll() is None:
                process.kill()
