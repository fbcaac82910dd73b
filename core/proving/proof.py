"""The proof: an installation, its campaign, the faults, the observer, and the verdict."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import AppError
from core.proving.doing import Doing
from core.proving.faults import Fault, Trial
from core.proving.installation import Installation, installed
from core.proving.observing import Looks, Observer, Tally
from core.proving.plan import Plan, make_plan, most_unanswered_s, most_unknown
from core.proving.reading import read_books
from core.proving.verdict import Asked, Books, Case, Claim, Looked, list_misjudged

# Receipts are due long before, even those of failures.
_RECEIPTS_S = 180.0
_PAUSE_S = 0.5


@dataclass(frozen=True)
class Proof:
    """
    What came of it.

    *done* counts the faults that were done, of those in *plan*; *notes* say why one was not, or how. *recoveries* are
    median and longest seconds. *memory_mib* is the peak of each process. *is_interrupted*: somebody ended it.
    """

    trial: Trial
    plan: Plan
    claims: tuple[Claim, ...]
    done: dict[Fault, int]
    notes: dict[Fault, str]
    recoveries: dict[Fault, tuple[float, float]]
    tally: Tally
    looks: Looks
    died: tuple[str, ...]
    memory_mib: dict[str, int]
    seconds: float
    folder: Path | None
    is_interrupted: bool

    @property
    def holds(self) -> bool:
        """Whether every claim does, and it was not ended before its time."""
        return all(claim.holds for claim in self.claims) and not self.is_interrupted


def prove(trial: Trial, folder: Path | None, say: Callable[[str], None]) -> Proof:
    """
    Run the trial in *folder*, or in one of its own that is kept only where a claim does not hold.

    *say* is told what happens. Ctrl-C ends it with what there is. Raises: ConfigurationError: it cannot begin.
    """
    plan = make_plan(trial)
    began_s = time.monotonic()
    with installed(trial, plan, folder) as installation:
        say(f"Installation in {installation.folder}")
        run = _Run(installation, say)
        is_interrupted = run.go()
        return run.conclude(time.monotonic() - began_s, is_interrupted=is_interrupted)


@dataclass
class _Run:
    installation: Installation
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self.campaign_id = ""
        self.observer: Observer | None = None
        self.doing: Doing | None = None

    def go(self) -> bool:
        """Launch, do everything, and wait for the end; return whether somebody has interrupted it."""
        try:
            self.campaign_id = self.installation.launch()
            self.observer = Observer(self.installation, self.campaign_id)
            self.observer.start()
            self.doing = Doing(self.installation, self.observer, self.say)
            self.doing.run()
            self._wait_for_end(self.observer)
            self._wait_for_receipts()
        except KeyboardInterrupt:
            self.say("Interrupted: ending all processes.")
            return True
        finally:
            if self.observer:
                self.observer.stop()
            self.installation.processes.end()
        return False

    def conclude(self, seconds: float, *, is_interrupted: bool) -> Proof:
        """Return the verdict on what there is."""
        found, observer, doing = self.installation, self.observer, self.doing
        done = dict(doing.done) if doing else {}
        tally, looks = (observer.tally, observer.looks) if observer else (Tally(), Looks())
        case = Case(
            found.receivers(),
            found.witness.testify(),
            self._books(),
            Asked(tally.asked, tally.off, tally.unanswered, tally.unanswered_s, most_unanswered_s(done, found.trial)),
            Looked(looks.count, looks.off),
            most_unknown(done, found.trial, found.plan.window),
        )
        claims = tuple(case.judge())
        recoveries = {fault: took for fault in Fault if observer and (took := observer.median_and_longest(fault))}
        # To be looked into, unless somebody has lost patience.
        found.is_kept = found.is_kept or not (is_interrupted or all(claim.holds for claim in claims))
        return Proof(
            trial=found.trial,
            plan=found.plan,
            claims=claims,
            done=done,
            notes=dict(doing.notes) if doing else {},
            recoveries=recoveries,
            tally=tally,
            looks=looks,
            died=tuple(found.processes.died),
            memory_mib=found.processes.memory_mib(),
            seconds=seconds,
            folder=found.folder if found.is_kept else None,
            is_interrupted=is_interrupted,
        )

    def _books(self) -> Books:
        try:
            return read_books(self.installation, self.campaign_id)
        except AppError as error:
            self.say(f"The books cannot be read: {error.message}")
            return Books(None, "", (), ())

    def _wait_for_end(self, observer: Observer) -> None:
        while not observer.is_over and not observer.is_stuck:
            self._pause(observer, "waiting for the end of the campaign")

    def _wait_for_receipts(self) -> None:
        assert self.observer is not None
        deadline = time.monotonic() + _RECEIPTS_S
        while time.monotonic() < deadline and not self._are_receipts_in():
            self._pause(self.observer, "waiting for the last receipts")

    def _are_receipts_in(self) -> bool:
        witness = self.installation.witness
        if witness.count_owed():
            return False
        try:
            return not list_misjudged(witness.testify(), read_books(self.installation, self.campaign_id))
        except AppError:
            return False

    def _pause(self, observer: Observer, what: str) -> None:
        observer.watch(self.say, what)
        time.sleep(_PAUSE_S)
