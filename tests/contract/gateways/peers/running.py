"""Runs what others have written, and hears what it says."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes.tools import require_binary
from tests.support.processes.waiting import wait_until

HERE = Path(__file__).parent


class Peer:
    """A peer that runs; *said* is every line it has said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.said: list[dict[str, Any]] = []
        self._process = process
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        wait_until(lambda: bool(self.said) or process.poll() is not None, "the peer listens", pause_s=0.01)
        if not self.said:
            pytest.fail(f"the peer did not start: {process.stderr.read()}")

    @property
    def port(self) -> int:
        return int(self.said[0]["port"])

    @property
    def submits(self) -> list[dict[str, Any]]:
        return [line for line in [*self.said] if "receiver" in line]

    @property
    def answers(self) -> list[int]:
        return [line["answered"] for line in [*self.said] if "answered" in line]

    def end(self) -> None:
        """Kill it, and hear it out."""
        self._process.kill()
        self._thread.join()

    def _listen(self) -> None:
        for line in self._process.stdout:
            # The last one may be cut where it was killed.
            if line.endswith("\n"):
                self.said.append(json.loads(line))


@contextmanager
def npm_smsc(form: Mapping[str, str]) -> Iterator[Peer]:
    """Run the one of the npm package "smpp", which answers and reports in this *form*."""
    with _running([require_npm_package(), "npm_smsc.js", json.dumps(form)]) as peer:
        yield peer


@contextmanager
def perl_smsc() -> Iterator[Peer]:
    """Run the one of Perl's Net::SMPP."""
    with _running([require_net_smpp(), "perl_smsc.pl"]) as peer:
        yield peer


def require_npm_package() -> str:
    """Return the path of Node.js; the test is skipped (in CI: fails) where it or the npm package "smpp" is missing."""
    if not (HERE / "node_modules" / "smpp").is_dir():
        _do_without('the npm package "smpp" is not installed: npm ci --prefix tests/contract/gateways/peers')
    return require_binary("node")


def require_net_smpp() -> str:
    """Return the path of Perl; the test is skipped (in CI: fails) where it or Net::SMPP is missing."""
    perl = require_binary("perl")
    if subprocess.run([perl, "-MNet::SMPP", "-e", ""], capture_output=True, check=False).returncode:
        _do_without("Debian's libnet-smpp-perl is not installed")
    return perl


def _do_without(reason: str) -> None:
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def _running(command: Sequence[str]) -> Iterator[Peer]:
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=HERE, stdout=pipe, stderr=pipe, text=True) as process:
        peer = Peer(process)
        try:
            yield peer
        finally:
            peer.end()
