"""Doing what the plan says, each fault at its moment."""

import shlex
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from core.errors import StorageError
from core.proving.faults import LASTING, WORDS, Fault
from core.proving.installation import WEB, WORKER, Installation
from core.proving.locking import lock_apart
from core.proving.observing import PAUSE_S, Observer
from core.proving.plan import ANSWER_S, Moment
from core.proving.smsc_process import SmscProcess

HOUR_S = 3_600
# A worker that is to be killed while it sends: no longer is waited until one does.
_SENDS_WITHIN_S = 60.0
_BIND_FAILED = 0x0D
_LASTING: dict[Fault, tuple[dict[str, object], dict[str, object]]] = {
    Fault.SLOW: ({"answer_s": 4 * ANSWER_S}, {"answer_s": ANSWER_S}),
    Fault.RECEIPTS_TWICE: ({"receipts_twice": 0.5}, {"receipts_twice": 0.0}),
    Fault.RECEIPTS_LATE: ({"receipts_late_s": 10.0}, {"receipts_late_s": 0.0}),
    Fault.RECEIPTS_EARLY: ({"receipts_early": True}, {"receipts_early": False}),
    Fault.RECEIPTS_GARBLED: ({"receipts_garbled": 0.5}, {"receipts_garbled": 0.0}),
}


class _Event(NamedTuple):
    at: float
    number: int
    moment: Moment
    is_end: bool


@dataclass
class Doing:
    """Does the plan; *done* counts what was, *notes* say why something was not, or how it was done here."""

    installation: Installation
    observer: Observer
    say: Callable[[str], None]
    done: Counter[Fault] = field(default_factory=Counter)
    notes: dict[Fault, str] = field(default_factory=dict)
    _lasts: Counter[Fault] = field(default_factory=Counter)

    def run(self) -> None:
        """Do it all, until the campaign has ended; what lasts ends in any case."""
        try:
            for event in _list_events(self.installation.plan.moments):
                if not self._wait_for(event.at):
                    return
                if event.is_end:
                    self._end(event.moment.fault)
                else:
                    self._begin(event.moment)
        finally:
            for fault in list(self._lasts.elements()):
                self._end(fault)

    def _begin(self, moment: Moment) -> None:
        fault = moment.fault
        share = 100 * self.observer.taken_count / self.installation.trial.recipient_count
        self.say(f"{share:5.1f} %  {WORDS[fault].title}")
        if fault in LASTING:
            self._change(fault, is_end=False)
            self._lasts[fault] += 1
            self.done[fault] += 1
        elif self._do(moment):
            self.done[fault] += 1

    def _end(self, fault: Fault) -> None:
        self._lasts[fault] -= 1
        # Two of a kind may overlap.
        if not self._lasts[fault]:
            self._change(fault, is_end=True)

    def _change(self, fault: Fault, *, is_end: bool) -> None:
        if fault is Fault.THROTTLE:
            self._smsc.set_rate(None if is_end else max(1.0, self.installation.plan.rate_tps / 4))
        else:
            self._smsc.set_faults(**_LASTING[fault][is_end])

    def _do(self, moment: Moment) -> bool:
        """Do what happens at once, or takes so many seconds; return whether it could be done."""
        ways: dict[Fault, Callable[[Moment], bool]] = {
            Fault.KILL_WORKER: self._kill_worker,
            Fault.KILL_WEB: self._kill_web,
            Fault.KILL_SMSC: self._kill_smsc,
            Fault.STOP_WORKER: self._stop_worker,
            Fault.CLOCK: self._set_clock,
            Fault.FULL_DISK: self._fill_disk,
            Fault.LOCK: self._lock,
            Fault.DROP: self._drop,
            Fault.REFUSE_BINDS: self._refuse_binds,
            Fault.RESTART_POSTGRESQL: lambda each: self._restart(each, self.installation.trial.restart_postgresql),
            Fault.RESTART_REDIS: lambda each: self._restart(each, self.installation.trial.restart_redis),
        }
        return ways[moment.fault](moment)

    def _kill_worker(self, moment: Moment) -> bool:
        name = self._pick_worker(moment)
        if name is None:
            return False
        dead = self.installation.processes.pid(name)
        self.installation.processes.kill(name)
        self.observer.time_recovery(moment.fault, lambda: dead not in self.observer.holders())
        return True

    def _kill_web(self, _: Moment) -> bool:
        self.installation.processes.kill(WEB)
        self.observer.time_web()
        return True

    def _kill_smsc(self, moment: Moment) -> bool:
        self._smsc.kill()
        self.observer.time_recovery(moment.fault)
        return True

    def _stop_worker(self, moment: Moment) -> bool:
        name = self._pick_worker(moment)
        if name is None:
            return False
        self.installation.processes.stop(name)
        try:
            self._sleep(self.installation.trial.stop_s)
        finally:
            self.installation.processes.go_on(name)
        self.observer.time_recovery(moment.fault)
        return True

    def _set_clock(self, moment: Moment) -> bool:
        self.installation.set_clock(HOUR_S if moment.chance < 0.5 else -HOUR_S)
        try:
            self._sleep(self.installation.trial.away_s)
        finally:
            self.installation.set_clock(0)
        self.observer.time_recovery(moment.fault)
        return True

    def _fill_disk(self, moment: Moment) -> bool:
        processes = self.installation.processes
        pids = [processes.pid(name) for name in (*processes.names(WORKER), WEB)]
        try:
            if not self.installation.disk.fill(pids):
                return self._fail(moment.fault, "the disk could not be filled")
            if not self.installation.disk.is_small:
                self.notes[moment.fault] = "by a limit on the processes (RLIMIT_FSIZE); as root, by a disk without room"
            self._sleep(self.installation.trial.full_s)
        finally:
            self.installation.disk.free(pids)
        self.observer.time_recovery(moment.fault)
        return True

    def _lock(self, moment: Moment) -> bool:
        path = self.installation.app.settings.data_dir / "state.sqlite"
        if not lock_apart(path, self.installation.trial.lock_s):
            return self._fail(moment.fault, "the file could not be locked")
        self.observer.time_recovery(moment.fault)
        return True

    def _drop(self, _: Moment) -> bool:
        self._smsc.tell({"do": "drop", "count": 1})
        return True

    def _refuse_binds(self, moment: Moment) -> bool:
        self._smsc.set_faults(bind_status=_BIND_FAILED)
        try:
            self._smsc.tell({"do": "disconnect"})
            self._sleep(self.installation.trial.refuse_s)
        finally:
            self._smsc.set_faults(bind_status=0)
        self.observer.time_recovery(moment.fault)
        return True

    def _restart(self, moment: Moment, command: str) -> bool:
        done = subprocess.run(shlex.split(command), stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603 - the person's own
        if done.returncode:
            return self._fail(moment.fault, f"the command failed with {done.returncode}")
        self.observer.time_recovery(moment.fault)
        return True

    @property
    def _smsc(self) -> SmscProcess:
        assert self.installation.smsc is not None, "the plan has this with an SMSC only"
        return self.installation.smsc

    def _pick_worker(self, moment: Moment) -> str | None:
        """Return a worker that sends just now; any before the first message; None when none sends any more."""
        processes = self.installation.processes
        names = processes.names(WORKER)
        deadline = time.monotonic() + _SENDS_WITHIN_S
        while moment.begins:
            holders = self._holders()
            sending = [name for name in names if processes.pid(name) in holders]
            if sending:
                names = sending
                break
            if self.observer.is_over or time.monotonic() >= deadline:
                return None
            self._watch("until a worker sends")
            time.sleep(PAUSE_S)
        return names[int(moment.chance * len(names))]

    def _holders(self) -> set[int]:
        try:
            return self.observer.holders()
        except StorageError:
            return set()

    def _wait_for(self, share: float) -> bool:
        """Wait until that share of the messages is taken; False when the campaign has ended before."""
        while self.observer.taken_count < share * self.installation.trial.recipient_count:
            if self.observer.is_over or self.observer.is_stuck:
                return False
            self._watch("until the next fault")
            time.sleep(PAUSE_S)
        return not self.observer.is_over

    def _sleep(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._watch("until it is over")
            time.sleep(PAUSE_S)

    def _watch(self, what: str) -> None:
        self.observer.watch(self.say, what)

    def _fail(self, fault: Fault, why: str) -> bool:
        self.notes[fault] = why
        return False


def _list_events(moments: tuple[Moment, ...]) -> list[_Event]:
    begins = [_Event(moment.begins, number, moment, is_end=False) for number, moment in enumerate(moments)]
    ends = [
        _Event(moment.ends, number, moment, is_end=True)
        for number, moment in enumerate(moments)
        if moment.fault in LASTING
    ]
    return sorted(begins + ends, key=lambda event: (event.at, event.number))
