"""
Maintaining: the lake's files are kept few, and what nobody reads any more is given back.

Off-peak, everything that is due is done. At other hours only tables with too many small files are, so that a busy day
does not become slow. All of it is done in steps of about a second or less, with as long a rest after each, in which
senders and receipts have the lake to themselves. Whoever maintains holds a lock: asking twice does no harm.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from core.domain.people.permissions import Permission, Viewer
from core.domain.times.off_peak import OffPeak
from core.errors import Conflict
from core.history.catalog.locks import ReadersInside
from core.history.lake.maintenance import StepBounds, TableState
from core.services.upkeep.settled import Settled

log = logging.getLogger(__name__)

# A run ends after this long, so that it does not keep one of the worker's threads; the next one goes on.
RUN_S = 30.0
# Off-peak a table is left alone until it has this many small files in a partition, worn files, or rows in the catalog:
# the last few would otherwise be written again and again.
LEAST_FILES, LEAST_ROWS = 8, 200
# Files the catalog does not know are looked for this often; it lists all files there are.
ORPHANS_EVERY = timedelta(hours=12)
# Tables with people who are forgotten one day: off-peak, what is deleted there is taken out of the files once there
# is any, so that it leaves the disk within the days that docs/operations.md says.
PEOPLE = frozenset({"audience", "contacts", "unsent"})
# At peak hours only files are rewritten of which most rows are deleted.
PEAK = StepBounds(share=0.5, share_small=0.5)


class LakeCare(Protocol):
    """What maintaining needs of the lake."""

    def alone(self) -> AbstractContextManager[bool]: ...  # noqa: D102
    def survey(self) -> list[TableState]: ...  # noqa: D102
    def flush(self, table: str) -> int: ...  # noqa: D102
    def merge(self, table: str, bounds: StepBounds) -> int: ...  # noqa: D102
    def rewrite(self, table: str, bounds: StepBounds) -> int: ...  # noqa: D102
    def expire(self, before: datetime) -> int: ...  # noqa: D102
    def delete_files(self, before: datetime) -> tuple[int, int]: ...  # noqa: D102
    def find_orphans(self, before: datetime) -> list[str]: ...  # noqa: D102
    def set_aside(self, paths: Sequence[str], name: str) -> int: ...  # noqa: D102
    def scrub(self) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class MaintenanceRules:
    """
    When and how much.

    *off_peak* are the hours for everything; *keep* is how long snapshots and files nobody names are kept; *busy_files*
    is how many small files of a table are too many at any hour.
    """

    off_peak: OffPeak
    keep: timedelta
    busy_files: int


@dataclass
class Maintained:
    """
    What a run did: the tables *before* and *after* by name, the snapshots forgotten, the files deleted and their bytes.

    *orphans* files are there that the catalog does not know; *set_aside* of them were moved away.
    *longest_s* is how long the longest step took, waiting included; *readers_inside*: somebody read, so that the
    catalog's own file was left as it was.
    """

    before: Mapping[str, TableState] = field(default_factory=dict)
    after: Mapping[str, TableState] = field(default_factory=dict)
    snapshots: int = 0
    deleted: int = 0
    freed_bytes: int = 0
    orphans: int = 0
    set_aside: int = 0
    steps: int = 0
    longest_s: float = 0.0
    readers_inside: bool = False


@dataclass(frozen=True)
class _Due:
    """
    From how many small or worn *files*, or inlined *rows*, a table's turn has come, and the bounds of its steps.

    Where it *forgets*, every deleted row of the tables of `PEOPLE` is taken out of the files.
    """

    files: int
    rows: int
    bounds: StepBounds
    forgets: bool = True

    def of_people(self) -> "_Due":
        return replace(self, files=1, rows=1, bounds=replace(self.bounds, share=0.0, share_small=0.0))


_OFF_PEAK, _EVERYTHING = _Due(LEAST_FILES, LEAST_ROWS, StepBounds()), _Due(2, 1, StepBounds())


class Maintaining:
    """Questions are answered without it, and stay quick with it."""

    def __init__(
        self, maintenance: LakeCare, rules: MaintenanceRules, settled: Settled, stop: threading.Event | None = None
    ) -> None:
        """
        Take the lake's maintenance and the rules.

        *settled* remembers that no table needs anything; *stop* ends a run after its current step.
        """
        self._maintenance = maintenance
        self._settled = settled
        self._rules = rules
        self._stop = stop or threading.Event()
        self._orphans_at: datetime | None = None

    def run(self, clock: Callable[[], datetime]) -> None:
        """Do what is due now, for half a minute at most; nothing when somebody else is at it."""
        with self._maintenance.alone() as mine:
            if not mine or self._stop.is_set():
                return
            now = clock()
            off_peak = self._rules.off_peak.contains(now)
            due = (
                _OFF_PEAK
                if off_peak
                else _Due(self._rules.busy_files, self._rules.busy_files * 10, PEAK, forgets=False)
            )
            done = _Run(self._maintenance, self._stop, time.monotonic() + RUN_S)
            seen = self._settled.look(off_peak)
            if seen is not None:
                done.tables(due)
                if done.found_nothing:
                    self._settled.found_nothing(seen)
            if off_peak:
                done.old(now - self._rules.keep)
                if self._orphans_at is None or not timedelta(0) <= now - self._orphans_at < ORPHANS_EVERY:
                    done.orphans(now - self._rules.keep)
                    done.scrub()
                    self._orphans_at = now
            if done.did.steps:
                log.info("lake_maintained", extra=_fields(done.did))

    def maintain(self, viewer: Viewer, now: datetime, *, everything: bool, set_aside: bool = False) -> Maintained:
        """
        Do what is due off-peak, or *everything* that can be done, however long it takes.

        *set_aside*: files the catalog does not know are moved away, into a folder named by the moment.

        Raises: Forbidden: the viewer may not look into the audit. Conflict: somebody else is at it.
        """
        viewer.require(Permission.AUDIT)
        with self._maintenance.alone() as mine:
            if not mine:
                raise Conflict("Maintenance of the message history is already running.", hint="Try again in a minute.")
            done = _Run(self._maintenance, self._stop, deadline=None)
            before = done.survey()
            done.tables(_EVERYTHING if everything else _OFF_PEAK)
            done.old(now - self._rules.keep)
            done.orphans(now - self._rules.keep, f"{now:%Y%m%dT%H%M%SZ}" if set_aside else "")
            done.scrub()
            done.did.before, done.did.after = before, done.survey()
        return done.did


class _Run:
    """One run: steps and rests, until nothing is due, time is over or the worker shall end."""

    def __init__(self, maintenance: LakeCare, stop: threading.Event, deadline: float | None) -> None:
        self._maintenance = maintenance
        self._stop = stop
        self._deadline = deadline
        self.did = Maintained()

    @property
    def found_nothing(self) -> bool:
        """Whether nothing was to be done, and nothing was left undone."""
        return not self.did.steps and not self._is_over()

    def survey(self) -> dict[str, TableState]:
        return {state.name: state for state in self._maintenance.survey()}

    def tables(self, due: _Due) -> None:
        """Flush, rewrite and merge the tables for which it is time, those with the most files first."""
        for state in sorted(self._maintenance.survey(), key=lambda state: -state.files):
            # Flushing and rewriting make small files, so merging comes last.
            worn = due.of_people() if due.forgets and state.name in PEOPLE else due
            if state.inlined >= worn.rows:
                self._repeat(partial(self._maintenance.flush, state.name), state.inlined)
            # What is flushed may be deleted rows alone.
            if state.worn >= worn.files or (state.inlined and worn is not due):
                self._repeat(partial(self._maintenance.rewrite, state.name, worn.bounds), state.worn + state.inlined)
            if state.small + state.worn >= due.files:
                # Merged files are merged again, until they are large.
                self._repeat(partial(self._maintenance.merge, state.name, due.bounds), state.files * 2)

    def old(self, before: datetime) -> None:
        """Forget snapshots and delete files that are older than *before*."""
        self.did.snapshots += self._repeat(partial(self._maintenance.expire, before))

        def delete() -> int:
            count, freed = self._maintenance.delete_files(before)
            self.did.freed_bytes += freed
            return count

        self.did.deleted += self._repeat(delete)

    def orphans(self, before: datetime, set_aside: str = "") -> None:
        """Count files the catalog does not know that were written before *before*, and move them if told where."""
        if self._is_over():
            return
        found = self._maintenance.find_orphans(before)
        self.did.orphans += len(found)
        if set_aside:
            self.did.set_aside += self._maintenance.set_aside(found, set_aside)
        elif found:
            log.warning("lake_files_unknown", extra={"files": len(found), "first": found[0]})

    def scrub(self) -> None:
        """Take what is deleted out of the catalog's own file."""
        if not self._is_over():
            try:
                self._maintenance.scrub()
            except ReadersInside:
                self.did.readers_inside = True

    def _repeat(self, step: Callable[[], int], most: int = sys.maxsize) -> int:
        """
        Take the step again and again, resting as long as each took; return the sum of what the steps did.

        After *most* it is enough: what comes in meanwhile must not keep it going for ever.
        """
        total = 0
        while total < most and not self._is_over():
            start = time.monotonic()
            count = step()
            took_s = time.monotonic() - start
            if not count:
                return total
            total += count
            self.did.steps += 1
            self.did.longest_s = max(self.did.longest_s, took_s)
            self._stop.wait(took_s)
        return total

    def _is_over(self) -> bool:
        if self._stop.is_set():
            return True
        return self._deadline is not None and time.monotonic() >= self._deadline


def _fields(did: Maintained) -> dict[str, object]:
    return {
        "steps": did.steps,
        "longest_ms": round(did.longest_s * 1000),
        "snapshots": did.snapshots,
        "deleted": did.deleted,
        "freed_mib": did.freed_bytes >> 20,
        "orphans": did.orphans,
        "readers_inside": did.readers_inside,
    }
