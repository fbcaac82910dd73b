"""A small proof, by each gateway: real processes are killed, and every claim holds."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.proving.faults import SIMULATOR, SMPP, Fault, Trial
from core.proving.proof import prove
from core.proving.report import write_table
from core.proving.witness import Witness
from tests.support.processes.live_server import REPOSITORY
from tests.support.processes.waiting import PATIENCE_S

TRIAL = Trial(
    recipient_count=600,
    kill_count=3,
    gateway=SIMULATOR,
    seed=5,
    faults=frozenset({Fault.KILL_WORKER, Fault.KILL_WEB, Fault.KILL_SMSC, Fault.DROP, Fault.RECEIPTS_TWICE}),
    lease_s=4,
)


@pytest.mark.slow
@pytest.mark.parametrize("gateway", [SIMULATOR, SMPP])
def test_killed_at_random_everybody_gets_one_message(tmp_path: Path, gateway: str):
    said: list[str] = []
    proof = prove(replace(TRIAL, gateway=gateway), tmp_path / "proof", said.append)
    table = write_table(proof)
    assert proof.holds, "\n".join([*said, table])
    assert proof.done[Fault.KILL_WORKER] >= 1
    assert proof.tally.asked > 0
    assert proof.looks.count > 0
    assert proof.looks.most > 500
    assert set(proof.memory_mib) >= {"prove", "web", "worker-1", "worker-2"}
    # What was kept is what the verdict was made of.
    log = tmp_path / "proof" / ("smsc/smsc.sqlite" if gateway == SMPP else "data/simulator.sqlite")
    taken = Witness(log, proof.trial).testify().receivers
    assert set(taken.values()) == {1}
    assert len(taken) > 500


@pytest.mark.slow
def test_interrupted_it_ends_what_it_started_and_says_what_it_has(tmp_path: Path):
    command = [sys.executable, "-m", "core", "prove", "--recipients", "50000", "--seed", "3", "--folder"]
    process = subprocess.Popen(
        [*command, str(tmp_path / "proof")],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stderr is not None
            # Its first fault: all processes are there.
            assert any("SIGKILL" in line for line in process.stderr)
            process.send_signal(signal.SIGINT)
            table, _ = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert process.returncode == 1
    assert table.rstrip().endswith("INTERRUPTED: nothing is proved.")
    assert list_processes_of(tmp_path) == []
    # What lay on a disk of its own, where there was one, is where it was asked for.
    assert (tmp_path / "proof" / "data" / "state.sqlite").is_file()
    assert not (tmp_path / "proof" / "data").is_mount()


def list_processes_of(folder: Path) -> list[str]:
    """Return the command lines of processes that were told to work in the folder."""
    mark, found = f"={folder}/".encode(), []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "environ").read_bytes():
                found.append((path / "cmdline").read_text())
        except (OSError, ValueError):
            # Gone, or somebody else's.
            continue
    return found
