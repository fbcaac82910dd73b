"""A whole Heliograph in processes of its own: web and worker on one data folder, as `make run` starts them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from core.bootstrap import App, build_app
from core.config import Settings
from tests.support.processes.live_server import REPOSITORY, live_server


@dataclass(frozen=True)
class Installation:
    """A running installation: its address, and the same stores seen from the test."""

    url: str
    app: App
    environment: Mapping[str, str]


@contextmanager
def worker(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the worker process; it is asked to stop at the end, if it still runs."""
    process = subprocess.Popen([sys.executable, "-m", "jobs.worker"], cwd=REPOSITORY, env={**os.environ, **environment})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


@contextmanager
def installation(data_dir: Path, *, works: bool = True, **settings: str) -> Iterator[Installation]:
    """Start web and, if it *works*, worker on *data_dir*; *settings* are names and values of `core.config.Settings`."""
    environment = {"HELIOGRAPH_DATA_DIR": str(data_dir)}
    environment |= {f"HELIOGRAPH_{name.upper()}": value for name, value in settings.items()}
    app = build_app(Settings.from_environment(environment))
    app.state.migrate()
    app.lake.ping()
    try:
        with (
            worker(environment) if works else nullcontext(),
            live_server(REPOSITORY / "Home.py", environment) as address,
        ):
            yield Installation(f"http://{address}", app, environment)
    finally:
        app.close()
