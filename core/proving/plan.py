"""The plan: which fault at which moment, drawn from a seed, and how fast to send so that there is time for it all."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from random import Random

from core.proving.faults import KILLS, LASTING, Fault, Trial, why_not

# Seconds that a message takes to the gateway and back: so there are always some in flight.
ANSWER_S = 0.25
# Of the four threads of a worker two never send.
THREADS = 4
SENDING_THREADS = 2
WINDOW_MOST = 500
# The campaign is over before a fault that comes any later.
_FIRST, _LAST = 0.03, 0.9
# How much of the campaign a lasting fault lasts.
_SPAN = 0.04
_WEIGHTS: Mapping[Fault, int] = {Fault.KILL_WORKER: 5, Fault.KILL_WEB: 2, Fault.KILL_SMSC: 3}
# One of these for so many kills, and one at least.
_KILLS_FOR_ONE: Mapping[Fault, int] = {Fault.STOP_WORKER: 10, Fault.CLOCK: 10, Fault.DROP: 5}
_KILLS_FOR_ANY_OTHER = 25
# Seconds of sending that a fault takes up: until who was killed is there again, and who is next sends.
_SECONDS_OF_KILL, _SECONDS_OF_ANY_OTHER = 3.0, 1.0
_SECONDS_LEAST = 6.0
# How long a server may take to be there again, and a question to go unanswered beyond that.
_RESTART_S, _SLACK_S = 30.0, 5.0


@dataclass(frozen=True)
class Moment:
    """
    A fault, and when: at *begins* of the messages taken, as a share; one that lasts ends at *ends*.

    *chance*, 0..1, chooses whom it meets, and which way.
    """

    begins: float
    fault: Fault
    ends: float
    chance: float


@dataclass(frozen=True)
class Plan:
    """
    What is done, by moment, and how fast is sent.

    *window* is what a thread claims at a time, and what is in flight to an SMSC, in messages. *rate_tps* is what comes
    of it while nothing is wrong.
    """

    moments: tuple[Moment, ...]
    window: int
    rate_tps: float

    @property
    def answer_ms(self) -> int:
        """How long a message takes, in milliseconds."""
        return round(ANSWER_S * 1000)

    @property
    def counts(self) -> Counter[Fault]:
        """How often each fault is planned."""
        return Counter(moment.fault for moment in self.moments)


def make_plan(trial: Trial) -> Plan:
    """Draw the plan of a trial; the same trial always has the same."""
    source = Random(trial.seed)  # noqa: S311 - to be repeated, not to be secret
    faults = _draw_kills(trial, source) + _list_others(trial)
    moments = sorted(
        (_draw_moment(fault, source) for fault in faults), key=lambda moment: (moment.begins, moment.fault)
    )
    if moments and trial.kill_count and moments[0].begins:
        # One of the workers' deaths comes while the audience is frozen, before anything is sent.
        first = next((moment for moment in moments if moment.fault is Fault.KILL_WORKER), None)
        if first:
            moments.remove(first)
            moments.insert(0, Moment(0.0, first.fault, 0.0, first.chance))
    seconds = max(_SECONDS_LEAST, sum(_seconds_of(fault, trial) for fault in faults))
    lanes = trial.worker_count * (1 if trial.is_smpp else SENDING_THREADS)
    window = min(WINDOW_MOST, max(1, ceil(trial.recipient_count * ANSWER_S / (lanes * seconds))))
    return Plan(tuple(moments), window, lanes * window / ANSWER_S)


def most_unknown(done: Mapping[Fault, int], trial: Trial, window: int) -> int:
    """Return how many messages may be unknown after what was *done*: no more than were in flight then."""
    return sum(count * windows_of(fault, trial) * window for fault, count in done.items())


def most_unanswered_s(done: Mapping[Fault, int], trial: Trial) -> float:
    """Return for how many seconds the books may have given no answer after what was *done*: while a store was away."""
    away = {Fault.LOCK: trial.lock_s, Fault.FULL_DISK: trial.full_s, Fault.RESTART_POSTGRESQL: _RESTART_S}
    return _SLACK_S + sum(count * (away[fault] + _SLACK_S) for fault, count in done.items() if fault in away)


def windows_of(fault: Fault, trial: Trial) -> int:
    """Return how many windows a fault may leave unknown: those in flight of whom it meets."""
    if fault in {Fault.KILL_WORKER, Fault.STOP_WORKER}:
        return SENDING_THREADS
    if fault is Fault.DROP:
        return 1
    if fault in {Fault.KILL_SMSC, Fault.REFUSE_BINDS}:
        # What a worker has claimed and not submitted yet certainly has not left, and is given back.
        return trial.worker_count
    # The leases of all workers may run out.
    meets_all = {Fault.CLOCK, Fault.FULL_DISK, Fault.LOCK, Fault.RESTART_POSTGRESQL}
    return trial.worker_count * SENDING_THREADS if fault in meets_all else 0


def _draw_kills(trial: Trial, source: Random) -> list[Fault]:
    possible = [fault for fault in KILLS if not why_not(fault, trial)]
    if not possible:
        return []
    # Each of them once, if there are as many.
    drawn = source.sample(possible, min(trial.kill_count, len(possible)))
    weights = [_WEIGHTS[fault] for fault in possible]
    return drawn + source.choices(possible, weights, k=trial.kill_count - len(drawn))


def _list_others(trial: Trial) -> list[Fault]:
    return [
        fault
        for fault in Fault
        if fault not in KILLS and not why_not(fault, trial)
        for _ in range(max(1, trial.kill_count // _KILLS_FOR_ONE.get(fault, _KILLS_FOR_ANY_OTHER)))
    ]


def _draw_moment(fault: Fault, source: Random) -> Moment:
    begins = source.uniform(_FIRST, _LAST)
    return Moment(begins, fault, begins + _SPAN if fault in LASTING else begins, source.random())


def _seconds_of(fault: Fault, trial: Trial) -> float:
    if fault in {Fault.KILL_WORKER, Fault.KILL_SMSC}:
        return _SECONDS_OF_KILL
    # Others go on sending all the while.
    while_away_s = {Fault.STOP_WORKER: trial.stop_s, Fault.CLOCK: trial.away_s}
    return _SECONDS_OF_ANY_OTHER + while_away_s.get(fault, 0.0)
