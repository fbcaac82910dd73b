"""`make run` as a person in a terminal has it: what it prints, and that one Ctrl-C ends all of it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest

from tests.support.processes.live_server import REPOSITORY
from tests.support.processes.tools import require_binary

PATIENCE_S = 90
STARTED = re.compile(r"(web|worker)\.1 started \(pid=(\d+)\)")

pytestmark = pytest.mark.slow


@contextmanager
def bound_port() -> Iterator[int]:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        probe.listen()
        yield int(probe.getsockname()[1])


def start_make(data_dir: Path, port: int, **more: str) -> subprocess.Popen[str]:
    settings = {"HELIOGRAPH_DATA_DIR": str(data_dir), "HELIOGRAPH_PORT": str(port), **more}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # The tests' own environment is there already: it is not to be installed anew.
    return subprocess.Popen(
        [require_binary("make"), "--old-file", ".venv/.installed", "run"],
        cwd=REPOSITORY,
        env={**os.environ, **settings, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    ("processes", "mark"), [("1", "URL: http://localhost:{port}"), ("2", "http://127.0.0.1:{port} by 2 processes")]
)
def test_one_interrupt_stops_web_and_worker(tmp_path: Path, processes: str, mark: str) -> None:
    with bound_port() as port:
        pass
    make = start_make(tmp_path, port, HELIOGRAPH_WEB_PROCESSES=processes)
    watchdog = Timer(PATIENCE_S, os.killpg, (make.pid, signal.SIGTERM))
    watchdog.start()
    assert make.stdout is not None
    seen, pids, waiting = "", {}, {"worker_started", mark.format(port=port)}
    try:
        for line in make.stdout:
            seen += line
            pids.update({name: int(pid) for name, pid in STARTED.findall(line)})
            waiting -= {mark for mark in waiting if mark in line}
            if not waiting:
                # A terminal sends its Ctrl-C to everything in the foreground.
                os.killpg(make.pid, signal.SIGINT)
                break
        seen += make.stdout.read()
        make.wait(PATIENCE_S)
    finally:
        watchdog.cancel()
        make.stdout.close()
    assert f"Heliograph: http://127.0.0.1:{port}" in seen
    assert "Setup token for the first visit: " in seen
    assert set(pids) == {"web", "worker"}, seen
    assert not any(is_alive(pid) for pid in pids.values()), seen
    assert "Traceback" not in seen
    # The worker was asked and ended by itself.
    assert "worker.1 stopped (rc=0)" in seen


def test_a_port_that_is_taken_is_said_before_anything_starts(tmp_path: Path) -> None:
    with bound_port() as port:
        make = start_make(tmp_path, port)
        output, _ = make.communicate(timeout=PATIENCE_S)
    assert make.returncode != 0
    assert f"Heliograph cannot listen on 127.0.0.1:{port}: Address already in use." in output
    assert "HELIOGRAPH_PORT" in output
    assert not STARTED.search(output)
