"""The observer: asks the installation from outside, over and over, whether its books add up, and keeps time."""

import statistics
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import select

from core.domain.campaigns.campaigns import CampaignStatus, Reconciliation
from core.errors import AppError
from core.proving.faults import Fault
from core.proving.installation import Installation
from core.proving.reading import count_messages
from core.state.tables.models import BatchRow

# Between two questions.
PAUSE_S = 0.1
# Between two lines of progress.
_SAY_S = 10.0
# Between two looks whether a process has ended by itself, and whether the web answers.
_LOOK_S = 1.0
# No fault holds everything up for so long: it will not go on by itself any more.
_STANDSTILL_S = 300.0
_HEALTH_S = 2.0


@dataclass
class Tally:
    """How often the reconciliation was asked, did not add up, and was not answered at all, and for how long."""

    asked: int = 0
    off: int = 0
    unanswered: int = 0
    unanswered_s: float = 0.0
    first_off: str = ""

    def note(self, found: Reconciliation, recipient_count: int) -> None:
        """Take one answer; before the audience is frozen, it is empty."""
        self.asked += 1
        if not found.balances or found.audience_count not in {0, recipient_count}:
            self.off += 1
            self.first_off = self.first_off or str(found)


@dataclass
class Looks:
    """How often the history was looked at, and had a message twice, or fewer than before."""

    count: int = 0
    off: int = 0
    most: int = 0
    first_off: str = ""

    def note(self, row_count: int, message_count: int) -> None:
        """Take how many rows there were, and how many messages in them."""
        self.count += 1
        if row_count != message_count or message_count < self.most:
            self.off += 1
            facts = f"rows: {row_count:,}, messages in them: {message_count:,}, seen before: {self.most:,}"
            self.first_off = self.first_off or facts
        self.most = max(self.most, message_count)


@dataclass
class _Recovery:
    fault: Fault
    began_s: float
    is_over: Callable[[], bool]


@dataclass
class Observer:
    """Runs on a thread of its own from `start` to `stop`; what it has seen may be read at any time."""

    installation: Installation
    campaign_id: str
    taken_count: int = 0
    status: CampaignStatus = CampaignStatus.PROCESSING
    latest: Reconciliation | None = None
    tally: Tally = field(default_factory=Tally)
    looks: Looks = field(default_factory=Looks)
    recoveries: dict[Fault, list[float]] = field(default_factory=lambda: defaultdict(list))
    grew_s: float = field(default_factory=time.monotonic)
    # What went wrong with the observer itself.
    broken: BaseException | None = None
    _waiting: list[_Recovery] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _looked_s: float = 0.0
    _said_s: float = field(default_factory=time.monotonic)
    _asked_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Prepare the thread."""
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask nothing more."""
        self._stop.set()
        self._thread.join()

    @property
    def is_over(self) -> bool:
        """Whether the campaign has ended, as it should or not: nothing more is sent by itself."""
        return self.status in {CampaignStatus.COMPLETED, CampaignStatus.INACTIVE, CampaignStatus.CANCELED}

    @property
    def is_stuck(self) -> bool:
        """Whether nothing was taken for so long that nothing will be."""
        return time.monotonic() - self.grew_s > _STANDSTILL_S

    def watch(self, say: Callable[[str], None], what: str) -> None:
        """Say now and then how far it is, for whoever waits for *what*; raise what went wrong with the observer."""
        if self.broken:
            raise self.broken
        if time.monotonic() - self._said_s >= _SAY_S:
            self._said_s = time.monotonic()
            share = 100 * self.taken_count / self.installation.trial.recipient_count
            asked = f"reconciliation asked: {self.tally.asked:,}, off: {self.tally.off:,}"
            looked = f"looks: {self.looks.count:,}, off: {self.looks.off:,}"
            say(f"{share:5.1f} %  ({what}; {asked}; {looked})")

    def holders(self) -> set[int]:
        """Return the process ids of those who hold a batch. Raises: StorageError."""
        with self.installation.app.state.read() as session:
            owners = session.scalars(select(BatchRow.lease_owner).where(BatchRow.lease_owner != "")).all()
        # A lease's owner is host, process id and a name of its own, parted by colons.
        return {int(owner.rsplit(":", 2)[1]) for owner in owners}

    def time_recovery(self, fault: Fault, is_over: Callable[[], bool] = lambda: True) -> None:
        """Take the time from now until more messages are taken and *is_over*, or nothing is left to do."""
        before = self.taken_count

        def has_recovered() -> bool:
            return self.is_over or (self.taken_count > before and is_over())

        self._waiting.append(_Recovery(fault, time.monotonic(), has_recovered))

    def time_web(self) -> None:
        """Take the time from now until the web answers that all is well."""
        self._waiting.append(_Recovery(Fault.KILL_WEB, time.monotonic(), self._is_healthy))

    def median_and_longest(self, fault: Fault) -> tuple[float, float] | None:
        """Return how many seconds recoveries from the fault took, None if there were none."""
        seconds = self.recoveries.get(fault)
        return (statistics.median(seconds), max(seconds)) if seconds else None

    def _run(self) -> None:
        try:
            while not self._stop.wait(PAUSE_S):
                self.look()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits for the observer
            self.broken = error

    def look(self) -> None:
        """Look once at everything."""
        taken = self.installation.witness.count_taken()
        if taken != self.taken_count:
            self.taken_count, self.grew_s = taken, time.monotonic()
        self._ask()
        now_s = time.monotonic()
        if now_s - self._looked_s >= _LOOK_S:
            self._looked_s = now_s
            self.installation.processes.revive()
        self._look_at_recoveries()

    def _ask(self) -> None:
        before_s, is_answered = self._asked_s, self._try_to_ask()
        self._asked_s = time.monotonic()
        if not is_answered:
            # A store may be away, as it was told to be: nothing is said, so nothing can be wrong. For how long, counts.
            self.tally.unanswered += 1
            self.tally.unanswered_s += self._asked_s - before_s

    def _try_to_ask(self) -> bool:
        app, viewer = self.installation.app, self.installation.viewer
        try:
            found = app.reports.reporting.reconciliation(viewer, self.campaign_id)
            self.status = app.campaigns.composing.get(viewer, self.campaign_id).status
            self.looks.note(*count_messages(self.installation))
        except AppError:
            return False
        self.latest = found
        self.tally.note(found, self.installation.trial.recipient_count)
        return True

    def _look_at_recoveries(self) -> None:
        for each in list(self._waiting):
            try:
                is_over = each.is_over()
            except AppError:
                continue
            if is_over:
                self._waiting.remove(each)
                self.recoveries[each.fault].append(time.monotonic() - each.began_s)

    def _is_healthy(self) -> bool:
        address = f"http://127.0.0.1:{self.installation.settings['HELIOGRAPH_PORT']}/healthz"
        try:
            with urllib.request.urlopen(address, timeout=_HEALTH_S) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False
