"""What a benchmark prints: one JSON object per case, one a line, always with the same keys."""

import json
import threading
import time
from collections.abc import Iterator
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
    none; *peak_mib* is this process's largest resident size while the case ran.
    """

    name: str
    case: str
    rows: int
    seconds: float = 0.0
    peak_mib: float = 0.0
    baseline: float | None = None

    def as_json(self) -> str:
        """Return the line to print."""
        ratio = round(self.baseline / self.seconds, 2) if self.baseline and self.seconds else None
        facts = {
            "name": self.name,
            "case": self.case,
            "rows": self.rows,
            "seconds": round(self.seconds, 3),
            "rate_per_s": round(self.rows / self.seconds, 1) if self.seconds else None,
            "peak_mib": round(self.peak_mib, 1),
            "baseline": round(self.baseline, 3) if self.baseline else None,
            "ratio": ratio,
        }
        return json.dumps(facts)

    def emit(self) -> None:
        """Print the line at once, so that a long run can be followed."""
        print(self.as_json(), flush=True)


@contextmanager
def measured(case: Case) -> Iterator[Case]:
    """Time the block and watch this process's resident size meanwhile, then print the case."""
    with _PeakWatch() as watch:
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


class _PeakWatch:
    """Samples the resident size; the kernel's own high-water mark cannot be reset for each case."""

    def __init__(self) -> None:
        self.peak_mib = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.peak_mib = max(self.peak_mib, _resident_mib())
            if self._done.wait(SAMPLE_S):
                return


def _resident_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / _KIB_PER_MIB
    return 0.0
