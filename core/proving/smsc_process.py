"""The SMSC in a process of its own, told by its control socket what to do wrong."""

import json
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import ConfigurationError
from core.proving.faults import Trial
from core.proving.plan import ANSWER_S
from core.proving.processes import Processes

NAME = "smsc"
SYSTEM_ID, PASSWORD = "prove", "prove"
# Receipts come soon, and nothing is throttled before it is told to.
_SPEED, _RATE = 200, 1_000_000
_PATIENCE_S = 60.0
_PAUSE_S = 0.05


@dataclass
class SmscProcess:
    """Runs the SMSC; *log* is its own, *control* the socket. What it is to do wrong survives its restarts."""

    processes: Processes
    log: Path
    control: Path
    port: int
    _wrong: dict[str, object] = field(default_factory=dict)
    _rate: float = _RATE

    def start(self, trial: Trial) -> None:
        """Start it, and wait until it listens. Raises: ConfigurationError: it does not."""
        command = [sys.executable, "-m", "core", "smsc", "--port", str(self.port), "--log", str(self.log)]
        command += ["--control", str(self.control), "--account", f"{SYSTEM_ID}:{PASSWORD}", "--seed", str(trial.seed)]
        command += ["--rate", str(_RATE), "--speed", str(_SPEED), "--fault", f"answer_s={ANSWER_S}"]
        self.processes.start(NAME, command, {"HELIOGRAPH_DATA_DIR": str(self.log.parent)})
        self._wait()

    def kill(self) -> None:
        """SIGKILL it; the next one does wrong what this one did."""
        self.processes.kill(NAME)
        self._wait()
        self.set_faults()
        self.set_rate(self._rate)

    def set_faults(self, **faults: object) -> None:
        """Change what goes wrong, as the control socket takes it."""
        self._wrong |= faults
        self.tell({"do": "faults", **self._wrong})

    def set_rate(self, tps: float | None = None) -> None:
        """Throttle above so many segments a second; None: no more."""
        self._rate = tps or _RATE
        self.tell({"do": "rate", "tps": self._rate})

    def tell(self, command: dict[str, object]) -> dict[str, object]:
        """
        Give a command, again while the SMSC is being started; return its state afterwards.

        Raises: ConfigurationError: it is not taken.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                answer = self._ask(command)
            except OSError as error:
                if time.monotonic() >= deadline:
                    raise ConfigurationError("The SMSC does not answer.", hint=f"See {NAME}.log.") from error
                time.sleep(_PAUSE_S)
            else:
                if "error" in answer:
                    raise ConfigurationError(f"The SMSC refuses {command}: {answer['error']}")
                return answer

    def _ask(self, command: dict[str, object]) -> dict[str, object]:
        with socket.socket(socket.AF_UNIX) as link, link.makefile("rb") as answers:
            link.settimeout(_PATIENCE_S)
            link.connect(str(self.control))
            link.sendall(json.dumps(command).encode() + b"\n")
            line = answers.readline()
            if not line:
                raise ConnectionResetError("the SMSC hung up")
            answer: dict[str, object] = json.loads(line)
            return answer

    def _wait(self) -> None:
        self.tell({"do": "state"})
