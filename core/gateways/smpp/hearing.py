"""
Hearing: what the SMSC says unasked is kept, many in one commit, and only then answered.

What cannot be kept for a while is refused for now, so that the SMSC says it again: it is never lost between the two.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.domain.messages.messages import LateAnswer, Receipt, Reply
from core.domain.messages.reassembly import Joined, Reassembler
from core.domain.messages.strays import Stray, StrayReason
from core.errors import StorageError
from core.gateways.base import Inbox
from core.gateways.smpp.messages import replies
from core.gateways.smpp.messages.decoding import Undecodable, decode
from core.gateways.smpp.messages.receipts import IntermediateNotification, Reason, Unrecognized, read_deliver_sm
from core.gateways.smpp.pdu import Pdu, Status
from core.gateways.smpp.settings import LongReceipts, SmppSettings

log = logging.getLogger(__name__)

Answer = Callable[[int], None]

# Stored in one commit at most.
AT_ONCE = 5_000
# SMSCs wait for ten seconds and more before they say it again by themselves.
ANSWER_WITHIN_S = 8.0
RETRY_S = 0.5
# The parts of a long reply follow each other within seconds, and wait here unanswered.
PARTS_WAIT = timedelta(seconds=6)
# Of what nobody can read so much waits to be kept; the rest is counted.
STRAYS_MOST = 100
# Octets that are kept of what is damaged.
_DAMAGED_MOST = 1_000
# What an intermediate notification counts as, whatever it says: a receipt tells the end.
_ON_THE_WAY = "ENROUTE"


_REASONS = {
    Reason.NO_ID: StrayReason.NO_ID,
    Reason.NO_STATE: StrayReason.NO_STATE,
    Reason.NO_SOURCE: StrayReason.NO_SOURCE,
    Reason.OTHER_KIND: StrayReason.OTHER_KIND,
}


@dataclass(frozen=True)
class _Heard:
    what: Receipt | Reply | LateAnswer
    answers: tuple[Answer, ...]
    since: float


class Hearing:
    """What one gateway hears, over all its binds; it lives in the event loop."""

    def __init__(self, gateway: str, settings: SmppSettings, inbox: Inbox, clock: Callable[[], datetime]) -> None:
        """Take whose it is, how it is read, and where it is kept."""
        self._gateway = gateway
        self._settings = settings
        self._inbox = inbox
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Heard] = []
        self._storing: asyncio.Task[None] | None = None
        self._strays: list[Stray] = []
        self._more_strays = Counter[StrayReason]()
        self._keeping_strays: asyncio.Task[None] | None = None
        self._parts = Reassembler[replies.Fragment](PARTS_WAIT)
        self._part_answers: dict[str, Answer] = {}
        self._token = 0

    def take(self, frame: Pdu, answer: Answer) -> None:
        """Read what came, and keep it; *answer* is called once that is so, or cannot be."""
        now = self._clock()
        try:
            said = read_deliver_sm(decode(frame, now), self._gateway, self._settings)
        except Undecodable as error:
            content = f"{error} octets {frame.body[:_DAMAGED_MOST].hex()}"
            self._keep_stray(Stray(self._gateway, StrayReason.UNDECODABLE, content, now))
            answer(Status.INVALID_MESSAGE_LENGTH)
            return
        if isinstance(said, replies.ReplyPart):
            self._take_reply(said, answer, now)
        elif isinstance(said, Unrecognized):
            self._keep_stray(_stray(said, self._gateway, now))
            answer(Status.OK)
        else:
            self._keep(_receipt(said), (answer,))

    def learn(self, message_id: str, ids: Sequence[str]) -> None:
        """
        Keep what the SMSC calls a message whose answer came late.

        Nobody says it again: where the store has no room for as long as for anything else, the message stays unknown.
        """
        theirs = ids[0] if ids else ""
        others = tuple(ids[1:]) if self._settings.long_receipts is LongReceipts.ANY_PART else ()
        log.info("answered_late", extra={"gateway": self._gateway, "message_id": message_id})
        self._keep(LateAnswer(self._gateway, message_id, theirs, self._clock(), others), ())

    def look_after(self) -> None:
        """Let go of the parts whose others do not come; called about twice a second."""
        for joined in self._parts.expire(self._clock()):
            self._take_joined(joined)

    def _take_reply(self, said: replies.ReplyPart, answer: Answer, now: datetime) -> None:
        if said.place is None:
            self._keep(self._reply(said.source, said.destination, replies.join_text([said.fragment]), now), (answer,))
            return
        self._token += 1
        token = str(self._token)
        self._part_answers[token] = answer
        for joined in self._parts.add(replies.make_part(said, said.place, token), now):
            self._take_joined(joined)

    def _take_joined(self, joined: Joined[replies.Fragment]) -> None:
        answers = tuple(self._part_answers.pop(part.token) for part in (*joined.parts, *joined.repeats))
        if not joined.parts:
            # A part that came again, of a text that was kept: what was lost was the answer.
            for answer in answers:
                answer(Status.OK)
            return
        first = joined.parts[0]
        text = replies.join_text(part.content for part in joined.parts)
        self._keep(self._reply(first.source, first.destination, text, self._clock()), answers)

    def _reply(self, source: str, destination: str, text: str, now: datetime) -> Reply:
        return Reply(self._gateway, source, destination, text, now)

    def _keep_stray(self, stray: Stray) -> None:
        # Nobody waits for it, so the SMSC could say them without an end.
        if len(self._strays) < STRAYS_MOST:
            self._strays.append(stray)
        else:
            self._more_strays[stray.reason] += 1
        if self._keeping_strays is None:
            self._keeping_strays = self._loop.create_task(self._keep_strays())

    async def _keep_strays(self) -> None:
        try:
            while self._strays:
                some, self._strays = self._strays, []
                counted = [(stray, 1 + self._more_strays.pop(stray.reason, 0)) for stray in some]
                await self._loop.run_in_executor(None, self._hand_on, counted)
        finally:
            self._keeping_strays = None

    def _hand_on(self, strays: Sequence[tuple[Stray, int]]) -> None:
        for stray, count in strays:
            self._inbox.keep_stray(stray, count)

    def _keep(self, what: Receipt | Reply | LateAnswer, answers: tuple[Answer, ...]) -> None:
        self._waiting.append(_Heard(what, answers, self._loop.time()))
        if self._storing is None:
            self._storing = self._loop.create_task(self._store())

    async def _store(self) -> None:
        try:
            while self._waiting:
                some, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                if await self._is_kept(some):
                    _answer(some, Status.OK)
                else:
                    _answer(some, Status.TEMPORARY_APPLICATION_ERROR)
        finally:
            self._storing = None

    async def _is_kept(self, some: Sequence[_Heard]) -> bool:
        receipts = [item.what for item in some if isinstance(item.what, Receipt)]
        said = [item.what for item in some if isinstance(item.what, Reply)]
        late = [item.what for item in some if isinstance(item.what, LateAnswer)]
        while True:
            try:
                await self._loop.run_in_executor(None, self._inbox.store, receipts, said, late)
            except StorageError:
                # Its repetitions are counted.
                log.warning("heard_not_kept", extra={"gateway": self._gateway, "count": len(some)}, exc_info=True)
            except Exception:
                # A defect of ours. Unanswered for ever, it would close the SMSC's window, and nothing would come.
                log.exception("heard_not_kept", extra={"gateway": self._gateway, "count": len(some)})
                return False
            else:
                return True
            if self._loop.time() - some[0].since >= ANSWER_WITHIN_S:
                return False
            await asyncio.sleep(RETRY_S)


def _stray(said: Unrecognized, gateway: str, now: datetime) -> Stray:
    came = said.deliver_sm
    text = came.octets.decode("ascii", "backslashreplace")
    parameters = "".join(f" {tag:#06x}={value.hex()}" for tag, value in sorted(came.optional.items()))
    content = f"esm_class {came.esm_class:#04x}, data_coding {came.data_coding}: {text}{parameters}"
    return Stray(gateway, _REASONS[said.reason], content, now, came.source, came.destination)


def _receipt(said: Receipt | IntermediateNotification) -> Receipt:
    return said if isinstance(said, Receipt) else replace(said.receipt, receipt_state=_ON_THE_WAY)


def _answer(some: Sequence[_Heard], status: int) -> None:
    for item in some:
        for answer in item.answers:
            answer(status)
