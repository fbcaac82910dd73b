"""Streamlit in a process of its own, as `make run` starts it."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
START_S = 60
STDOUT = 1


@contextmanager
def live_server(launcher: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Run *launcher* with the repository's configuration; yield its address (host:port) once it listens."""
    port = free_port()
    # The repository's root is where .streamlit/config.toml is found, and what the launcher imports from.
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", launcher, "--server.address=127.0.0.1", f"--server.port={port}"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            "FORWARDED_ALLOW_IPS": "",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    listening = threading.Event()
    output: list[str] = []

    def read() -> None:
        for line in process.stdout or ():
            output.append(line)
            # Where a worker writes by itself: with the tests, a test that fails shows what the server said.
            os.write(STDOUT, line.encode())
            if f":{port}" in line:
                listening.set()
        listening.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        listening.wait(START_S)
        assert process.poll() is None, "".join(output)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)
        reader.join()
        if process.stdout:
            process.stdout.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
