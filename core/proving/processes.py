"""The processes of the installation under proof: started, killed, stopped, and started again as a supervisor would."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.config import PREFIX

REPOSITORY = Path(__file__).parents[2]
# A worker that is asked to end hears the last answers first.
_PATIENCE_S = 30.0


@dataclass
class _Process:
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    popen: subprocess.Popen[bytes]
    starts: int = 1
    memory_kib: int = 0


@dataclass
class Processes:
    """By name. *died* has the names of those that ended without being told to. Threads may share it."""

    folder: Path
    died: list[str] = field(default_factory=list)
    _running: dict[str, _Process] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_over: bool = False

    def start(self, name: str, command: Sequence[str], settings: Mapping[str, str]) -> None:
        """Run a command of Python's; *settings* are all that it knows of Heliograph's."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        environment |= {"PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1", "FORWARDED_ALLOW_IPS": "", **settings}
        log = self.folder / f"{name}.log"
        with self._lock:
            self._running[name] = _Process(command, environment, log, _run(command, environment, log))

    def names(self, role: str) -> list[str]:
        """Return the names that begin with *role*."""
        return sorted(name for name in self._running if name.startswith(role))

    def pid(self, name: str) -> int:
        """Return the process id it has now."""
        return self._running[name].popen.pid

    def starts(self, name: str) -> int:
        """Return how often it was started."""
        return self._running[name].starts

    def kill(self, name: str) -> None:
        """SIGKILL it, and start it again."""
        with self._lock:
            process = self._running[name]
            process.popen.kill()
            process.popen.wait()
            self._start_again(process)

    def stop(self, name: str) -> None:
        """SIGSTOP it, until `go_on`."""
        os.kill(self.pid(name), signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        """SIGCONT it."""
        os.kill(self.pid(name), signal.SIGCONT)

    def revive(self) -> None:
        """Start again who has ended by itself, and note how much memory each one took at most."""
        with self._lock:
            for name, process in self._running.items():
                if process.popen.poll() is not None and not self._is_over:
                    self.died.append(name)
                    self._start_again(process)
                process.memory_kib = max(process.memory_kib, peak_memory_kib(process.popen.pid))

    def end(self) -> None:
        """End all of them, whatever state they are in: asked first, killed if they do not listen."""
        with self._lock:
            self._is_over = True
            running = [process.popen for process in self._running.values()]
            for popen in running:
                for number in (signal.SIGTERM, signal.SIGCONT):
                    if popen.poll() is None:
                        popen.send_signal(number)
            for popen in running:
                try:
                    popen.wait(_PATIENCE_S)
                except subprocess.TimeoutExpired:
                    popen.kill()
                    popen.wait()

    def memory_mib(self) -> dict[str, int]:
        """Return the peak memory of each, in MiB, as far as the system tells, and of this process as "prove"."""
        found = {name: process.memory_kib for name, process in self._running.items()}
        found["prove"] = peak_memory_kib(os.getpid())
        return {name: kib // 1024 for name, kib in found.items() if kib}

    def logs(self) -> Iterator[Path]:
        """Yield the files with what they wrote."""
        for process in self._running.values():
            yield process.log

    def _start_again(self, process: _Process) -> None:
        process.popen = _run(process.command, process.environment, process.log)
        process.starts += 1


def peak_memory_kib(pid: int) -> int:
    """Return the most resident memory a process had so far; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def _run(command: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own
            command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C in a terminal is for this process, which ends the others.
            start_new_session=True,
        )
