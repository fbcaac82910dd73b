"""What a benchmark prints: one JSON object per case, one a line, always with the same keys."""

import json
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SAMPLE_S = 0.02
_KIB_PER_MIB = 1024


@dataclass
class Case:
    """
    One measured piece of work.

    *baseline* is the seconds a plain way took over the same work in the same run, None where there is
    none; *peak_mib* is the largest resident size, while the case ran, of the process that is measured and its children.
    *rate_per_s* is that of the rows, unless the case counts something else.
    """

    name: str
    case: str
    rows: int
    seconds: float = 0.0
    peak_mib: float = 0.0
    baseline: float | None = None
    rate_per_s: float | None = None

    def as_json(self) -> str:
        """Return the line to print."""
        ratio = round(self.baseline / self.seconds, 2) if self.baseline and self.seconds else None
        rate = self.rows / self.seconds if self.rate_per_s is None and self.seconds else self.rate_per_s
        facts = {
            "name": self.name,
            "case": self.case,
            "rows": self.rows,
            "seconds": round(self.seconds, 3),
            "rate_per_s": None if rate is None else round(rate, 1),
            "peak_mib": round(self.peak_mib, 1),
            "baseline": round(self.baseline, 3) if self.baseline else None,
            "ratio": ratio,
        }
        return json.dumps(facts)

    def emit(self) -> None:
        """Print the line at once, so that a long run can be followed."""
        print(self.as_json(), flush=True)


@contextmanager
def measured(case: Case, pid: int | None = None) -> Iterator[Case]:
    """Time the block and watch the resident size of process *pid*, or this one, meanwhile; then print the case."""
    with PeakWatch(pid) as watch:
        start = time.perf_counter()
        yield case
        case.seconds = time.perf_counter() - start
    case.peak_mib = watch.peak_mib
    case.emit()


@contextmanager
def stopwatch() -> Iterator[list[float]]:
    """Give a list that holds the block's seconds once it has ended."""
    taken: list[float] = []
    start = time.perf_counter()
    yield taken
    taken.append(time.perf_counter() - start)


def repeated(ask: Callable[[], object], runs: int) -> tuple[list[float], float]:
    """
    Ask *runs* times, after once to open what is opened once.

    Returns: The seconds of each run, and the largest resident size meanwhile in MiB, as `PeakWatch` has it.
    """
    ask()
    found: list[float] = []
    with PeakWatch() as watch:
        for _ in range(runs):
            with stopwatch() as taken:
                ask()
            found += taken
    return found, watch.peak_mib


def percentile(found: Sequence[float], share: int) -> float:
    """Return what *share* per cent (1 to 99) of the two or more values are at most."""
    return statistics.quantiles(found, n=100, method="inclusive")[share - 1]


class PeakWatch:
    """
    The largest resident size, in MiB, of a process and all below it while the block runs (Linux; elsewhere 0).

    The sum over the processes is sampled every 20 ms, and pages they share count once for each. The process's own
    peak is exact, from the kernel's high-water mark (VmHWM), which is reset at the start where that is permitted.
    """

    def __init__(self, pid: int | None = None) -> None:
        self.peak_mib = 0.0
        self._pid = os.getpid() if pid is None else pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._mark_is_ours = False

    def __enter__(self) -> Self:
        self._mark_is_ours = _reset_mark(self._pid)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        if self._mark_is_ours:
            self.peak_mib = max(self.peak_mib, _memory_mib(self._pid, "VmHWM"))

    def _watch(self) -> None:
        while True:
            self.peak_mib = max(self.peak_mib, sum(_memory_mib(pid, "VmRSS") for pid in _family(self._pid)))
            if self._done.wait(SAMPLE_S):
                return


def _reset_mark(pid: int) -> bool:
    # Source: proc(5), /proc/pid/clear_refs: 5 sets VmHWM back to what is resident now.
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _family(pid: int) -> Iterator[int]:
    yield pid
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = path.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # The thread has ended since it was listed.
        for child in children:
            yield from _family(int(child))


def _memory_mib(pid: int, field: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # The process has ended since it was listed.
    # One that has ended and is not yet waited for has no such line.
    return next((int(line.split()[1]) / _KIB_PER_MIB for line in lines if line.startswith(f"{field}:")), 0.0)
