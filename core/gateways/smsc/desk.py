"""
The desk: where submits are judged, logged and answered, and deliveries handed out.

Everything happens in turns of the event loop. What came since the last one, from however many connections, is judged
together and logged in one commit, and answered only then.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from core.errors import Unavailable
from core.gateways.simulator.throttling import MAX_CLOCK_SKEW_S
from core.gateways.smpp.pdu import Pdu, Status, text
from core.gateways.smsc.behavior import Faults, ReceiptForm, SmscBehavior
from core.gateways.smsc.courier import Courier
from core.gateways.smsc.deliveries import response_id
from core.gateways.smsc.intake import Intake, Turn, Verdict
from core.gateways.smsc.journal import Changes, Delivery, SmscJournal
from core.gateways.smsc.session import Session
from core.gateways.smsc.submits import Refused, read_submit

log = logging.getLogger(__name__)

# How long a response waits whose receipt is to be there first.
BEHIND_RECEIPT_S = 0.05
_CLOCK_SKEW = timedelta(seconds=MAX_CLOCK_SKEW_S)


class _Judged(NamedTuple):
    """A session's submits of one turn, and what became of each."""

    session: Session
    answers: list[tuple[Pdu, Verdict]]


class Desk:
    """
    Takes from sessions what they hear, and gives them what to say.

    *faults* may be exchanged at any time. *counts* has how often what happened since the start, for whoever watches.
    """

    def __init__(self, journal: SmscJournal, behavior: SmscBehavior, clock: Callable[[], datetime]) -> None:
        """Go on where the log ends. Raises: Unavailable: it cannot be read."""
        self.faults = Faults()
        self.counts = Counter[str]()
        # So many of the next submits that are taken lose their connection.
        self.drop_next = 0
        self._taken_count = 0
        self.intake = Intake(behavior, journal, clock())
        self._journal = journal
        self._behavior = behavior
        self._clock = clock
        self._couriers: dict[str, Courier] = {}
        self._submits: list[tuple[Session, list[Pdu]]] = []
        self._changes = Changes()
        # Whose deliveries the changes are about.
        self._heard: list[tuple[Courier, int]] = []
        self._is_turn_due = False
        latest = journal.find_latest()
        self._latest = latest[1] if latest else clock()

    def courier(self, system_id: str) -> Courier:
        """Return who brings what is owed to the binds of *system_id*."""
        if system_id not in self._couriers:
            self._couriers[system_id] = Courier(system_id, self._journal, self._behavior)
        return self._couriers[system_id]

    def submitted(self, session: Session, submits: list[Pdu]) -> None:
        """Take what one session was sent at once."""
        room = max(0, self._behavior.window - session.unanswered + len(submits))
        if refused := submits[room:]:
            self.counts["beyond_window"] += len(refused)
            session.write(b"".join(session.answer(each, b"", Status.QUEUE_FULL) for each in refused))
        self._submits.append((session, submits[:room]))
        self._have_turn()

    def delivered(self, session: Session, token: int, status: int) -> None:
        """Hear the response to a deliver_sm."""
        self._heard.append((self.courier(session.system_id), token))
        if status == Status.OK:
            self.counts["acknowledged"] += 1
            self._changes.acknowledged.append(token)
        else:
            self.counts["not_acknowledged"] += 1
            self._changes.put_off.append((token, self._clock() + timedelta(seconds=self._behavior.again_s)))
        self._have_turn()

    def owe(self, deliveries: list[Delivery]) -> None:
        """Log what is to be sent when it is due. Raises: Unavailable."""
        self._journal.record(Changes(owed=deliveries))
        self.look()

    def look(self) -> None:
        """Send what is due by now."""
        now = self._clock()
        try:
            self._follow_clock(now)
        except Unavailable as error:
            log.warning("smsc_log_unavailable", extra={"reason": error.message})
        for courier in self._couriers.values():
            courier.look_again()
        self._pump(now)
        if self._changes:
            self._have_turn()

    def _have_turn(self) -> None:
        if not self._is_turn_due:
            self._is_turn_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def finish(self) -> None:
        """Log what was heard last."""
        self._turn()

    def _turn(self) -> None:
        self._is_turn_due = False
        if not self._submits and not self._changes:
            return
        submits, self._submits = self._submits, []
        heard, self._heard = self._heard, []
        said, self._changes = self._changes, Changes()
        turn = Turn(self._clock(), self.faults, Changes(acknowledged=said.acknowledged, put_off=said.put_off))
        try:
            judged = [_Judged(session, self._judge(turn, session, pdus)) for session, pdus in submits]
            self._journal.record(turn.changes)
        except Unavailable as error:
            log.warning("smsc_log_unavailable", extra={"reason": error.message})
            self._take_nothing(submits, heard, said)
            return
        for courier, token in heard:
            courier.settle((token,))
        self._answer_all(turn, judged)
        self._pump(turn.now)

    def _judge(self, turn: Turn, session: Session, pdus: list[Pdu]) -> list[tuple[Pdu, Verdict]]:
        found = []
        for each in pdus:
            try:
                verdict = self.intake.judge(turn, session.system_id, read_submit(each))
            except Refused as refused:
                verdict = Verdict(refused.status)
            found.append((each, verdict))
        return found

    def _take_nothing(
        self, submits: list[tuple[Session, list[Pdu]]], heard: list[tuple[Courier, int]], said: Changes
    ) -> None:
        """Refuse what came in a turn that could not be logged; what was heard is logged in the next one."""
        self.intake.forget_turn()
        for session, pdus in submits:
            session.write(b"".join(session.answer(each, b"", Status.SYSTEM_ERROR) for each in pdus))
        self._heard = heard + self._heard
        self._changes.acknowledged[:0] = said.acknowledged
        self._changes.put_off[:0] = said.put_off

    def _answer_all(self, turn: Turn, judged: list[_Judged]) -> None:
        is_behind = turn.faults.receipts_early or ReceiptForm.BEFORE_RESPONSE in self._behavior.forms
        if is_behind:
            for each in judged:
                self.courier(each.session.system_id).look_again()
            self._pump(turn.now)
        wait_s = max(turn.faults.answer_s, BEHIND_RECEIPT_S if is_behind else 0.0)
        for each in judged:
            if wait_s:
                asyncio.get_running_loop().call_later(wait_s, self._answer, each)
            else:
                self._answer(each)

    def _pump(self, now: datetime) -> None:
        try:
            for courier in self._couriers.values():
                courier.pump(now, self.faults)
        except Unavailable as error:
            log.warning("smsc_log_unavailable", extra={"reason": error.message})

    def _answer(self, judged: _Judged) -> None:
        session, forms = judged.session, self._behavior.forms
        said = list[bytes]()
        for each, verdict in judged.answers:
            self.counts[_word_for(verdict)] += 1
            if verdict.is_silent:
                session.unanswered -= 1
            elif verdict.key and self._drops():
                session.write(b"".join(said))
                session.drop()
                return
            else:
                body = text(response_id(verdict.key, forms)) if verdict.key else b""
                said.append(session.answer(each, body, verdict.status))
        session.write(b"".join(said))

    def _drops(self) -> bool:
        """Return whether the connection ends in place of the response to what was taken."""
        self._taken_count += 1
        every = self.faults.drop_every
        if not self.drop_next and (not every or self._taken_count % every):
            return False
        self.drop_next = max(0, self.drop_next - 1)
        self.counts["dropped"] += 1
        return True

    def _follow_clock(self, now: datetime) -> None:
        """After the clock was set back, let nothing that is owed wait for the old time. Raises: Unavailable."""
        ahead = self._latest - now
        if ahead > _CLOCK_SKEW:
            self._journal.bring_forward(ahead)
            self._latest = now
        self._latest = max(self._latest, now)


def _word_for(verdict: Verdict) -> str:
    if verdict.key:
        return "taken_in_silence" if verdict.is_silent else "taken"
    return "throttled" if verdict.status == Status.THROTTLED else "refused"
