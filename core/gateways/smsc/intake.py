"""Judging what is submitted: refused, throttled or taken, and what will come of it."""

from dataclasses import dataclass, field
from datetime import datetime

from core.domain.texts.segments import MAX_SEGMENTS
from core.gateways.simulator.accepted import Accepted, to_microseconds
from core.gateways.simulator.profiles import Fate, fate_of
from core.gateways.simulator.throttling import Bucket, take
from core.gateways.smpp.pdu import Status
from core.gateways.smsc.assembly import Assembly, Whole
from core.gateways.smsc.behavior import Faults, ReceiptForm, SmscBehavior, is_chosen
from core.gateways.smsc.journal import Changes, Delivery, SmscJournal
from core.gateways.smsc.replies import reply_of, split_reply
from core.gateways.smsc.submits import FAILURES_ONLY, Submit, digest_of

# Digits by which networks are told apart: a country's code and what follows it.
NETWORK_DIGITS = 5
_DELIVERED = "DELIVRD"
# No failures, which is what some ask to hear of alone.
_HARMLESS = frozenset({_DELIVERED, "ENROUTE", "ACCEPTD"})


@dataclass(slots=True)
class Verdict:
    """
    What became of a submit: the *status* of its response, and its id in the log, "" unless it was taken.

    *is_silent*: taken, and never answered.
    """

    status: int
    key: str = ""
    is_silent: bool = False


@dataclass(slots=True)
class Turn:
    """What is decided together: when, what goes wrong meanwhile, and what is to be logged of it."""

    now: datetime
    faults: Faults
    changes: Changes
    now_us: int = field(init=False)

    def __post_init__(self) -> None:
        """Keep the time as the log has it, too."""
        self.now_us = to_microseconds(self.now)


@dataclass(slots=True)
class _Taken:
    """A submit that is taken: its id in the log, and what will come of it."""

    system_id: str
    submit: Submit
    key: str
    fate: Fate


class Intake:
    """Takes submits; what it takes is yet to be logged, and to be answered only then."""

    def __init__(self, behavior: SmscBehavior, journal: SmscJournal, now: datetime) -> None:
        """Go on where the log ends. Raises: Unavailable: it cannot be read."""
        latest = journal.find_latest()
        # Ids are never given again: neither after the log was tidied up nor after the clock was set back.
        self._next_id = max(to_microseconds(now), latest[0] + 1 if latest else 0)
        self._journal = journal
        self._assembly: Assembly | None = None
        self._buckets: dict[str, Bucket] = {}
        self._behavior = behavior
        self.rate_tps = behavior.rate_tps

    def judge(self, turn: Turn, system_id: str, submit: Submit) -> Verdict:
        """
        Decide about *submit*; what is to be logged goes into the turn's changes.

        Raises: Unavailable: the log cannot be read.
        """
        if turn.faults.submit_status:
            return Verdict(turn.faults.submit_status)
        if not self._admits(system_id, submit.segment_count, turn.now):
            return Verdict(Status.THROTTLED)
        part = submit.part
        message_id = digest_of(submit.msisdn, submit.octets)
        # The parts of a message meet one fate.
        told_by = f"{submit.sender_id}/{submit.msisdn}/{part.reference}/{part.total}" if part else message_id
        seed = self._behavior.seed
        fate = fate_of(seed, told_by, self._behavior.profile_of(seed, submit.msisdn[1 : NETWORK_DIGITS + 1]))
        if fate.refusal:
            return Verdict(int(fate.refusal, 16))
        taken = _Taken(system_id, submit, str(self._next_id), fate)
        self._next_id += 1
        if part:
            self._note_part(turn, taken)
        else:
            self._note_whole(turn, taken, Whole(taken.key, message_id, submit.segment_count))
        if submit.receipt:
            self._owe_receipts(turn, taken)
        return Verdict(Status.OK, taken.key, fate.silent or turn.faults.silent)

    def forget_turn(self) -> None:
        """Hear that what was taken last could not be logged: it was not taken."""
        self._assembly = None

    def _admits(self, system_id: str, segment_count: int, now: datetime) -> bool:
        # A bucket smaller than the longest message would never let it through.
        capacity = max(self.rate_tps, float(MAX_SEGMENTS), float(segment_count))
        bucket = self._buckets.get(system_id) or Bucket(capacity, now)
        left, granted, _ = take(bucket, segment_count, self.rate_tps, now, capacity)
        if granted < segment_count:
            return False
        self._buckets[system_id] = left
        return True

    def _note_part(self, turn: Turn, taken: _Taken) -> None:
        if self._assembly is None:
            self._assembly = Assembly(self._journal.list_unfinished())
        logged, whole = self._assembly.add(taken.system_id, taken.submit, taken.key, turn.now)
        turn.changes.parts.append(logged)
        if whole:
            self._note_whole(turn, taken, whole)

    def _note_whole(self, turn: Turn, taken: _Taken, whole: Whole) -> None:
        submit = taken.submit
        turn.changes.accepted.append(
            Accepted(whole.first_id, whole.message_id, submit.msisdn, submit.sender_id, whole.segment_count, turn.now)
        )
        if self._behavior.reply_rate:
            self._owe_reply(turn, taken, whole)

    def _owe_reply(self, turn: Turn, taken: _Taken, whole: Whole) -> None:
        reply = reply_of(self._behavior.reply_rate, taken.submit.msisdn, whole.message_id)
        # Only who has got it can answer.
        there_s = [delay_s for delay_s, state, _ in taken.fate.receipts if state == _DELIVERED]
        if reply and there_s:
            delay_s, text = reply
            due_us = turn.now_us + _in_microseconds((min(there_s) + delay_s) / self._behavior.speed)
            submit = taken.submit
            answer = Delivery(taken.system_id, whole.first_id, submit.msisdn, submit.sender_id, turn.now_us, due_us)
            turn.changes.owed += [
                answer._replace(header=header, text=part) for header, part in split_reply(text, whole.message_id)
            ]

    def _owe_receipts(self, turn: Turn, taken: _Taken) -> None:
        faults, submit = turn.faults, taken.submit
        is_early = faults.receipts_early or ReceiptForm.BEFORE_RESPONSE in self._behavior.forms
        is_twice = faults.receipts_twice > 0 and is_chosen(faults.receipts_twice, f"twice {taken.key}")
        for delay_s, state, error_code in taken.fate.receipts:
            if submit.receipt == FAILURES_ONLY and state in _HARMLESS:
                continue
            wait_s = 0.0 if is_early else delay_s / self._behavior.speed + faults.receipts_late_s
            due_us = turn.now_us + _in_microseconds(wait_s)
            owed = Delivery(
                taken.system_id, taken.key, submit.msisdn, submit.sender_id, turn.now_us, due_us, state, error_code
            )
            turn.changes.owed += [owed, owed] if is_twice else [owed]


def _in_microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)
