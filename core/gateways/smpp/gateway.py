"""An SMSC as a gateway: threads submit, binds are kept up, and what is heard is kept before it is answered."""

import asyncio
import functools
import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from time import monotonic, sleep
from typing import TypeAlias

from core.domain.gateways.gateways import Connection
from core.domain.gateways.sights import InUse, LinkState
from core.domain.messages.messages import OutboundMessage, Receipt, SubmitOutcome, SubmitResult
from core.errors import GatewayError, Unavailable, UnencodableText
from core.gateways.base import Inbox
from core.gateways.breaker import Breaker
from core.gateways.departing import AT_ONCE, Departure, DepartureSchedule
from core.gateways.smpp.form import read_form
from core.gateways.smpp.hearing import Hearing
from core.gateways.smpp.messages.encoding import encode
from core.gateways.smpp.messages.ids import store_response_id
from core.gateways.smpp.session.faults import unreachable
from core.gateways.smpp.session.loop import shared_loop
from core.gateways.smpp.session.sending import Sending
from core.gateways.smpp.session.submission import Submission, Travel
from core.gateways.smpp.settings import LongReceipts

log = logging.getLogger(__name__)

MessageParts: TypeAlias = tuple[str, Sequence[bytes]]

# The error code of what Heliograph itself refuses: the SMSC's default alphabet lacks a character of the text.
NOT_IN_ALPHABET = "NOT IN ALPHABET"
# Beyond the response timer, which answers for everything that has left: for a bind, and for pauses the SMSC asks for.
MARGIN_S = 15.0
# What is lost with one connection, or two, is a fault of those; more in a row is the SMSC's.
SILENT_WINDOWS = 2
SILENT_FAULT = "The SMSC takes messages and does not answer, so it is given none for a while."
# What was given back may not have left at all.
_ANSWERS = frozenset({SubmitOutcome.ACCEPTED, SubmitOutcome.REJECTED, SubmitOutcome.BLOCKED})


class SmppGateway:
    """One system ID at one SMSC, over as many binds as it was set up with."""

    def __init__(
        self,
        connection: Connection,
        inbox: Inbox,
        clock: Callable[[], datetime],
        steady_s: Callable[[], float] = monotonic,
    ) -> None:
        """
        Take how it was set up; nothing connects. *steady_s* is a clock in seconds that nobody sets.

        Raises: InvalidInput: it cannot be set up like that.
        """
        self._name = connection.name
        self._plan = read_form(connection)
        self._inbox = inbox
        self._patience_s = max(target.response_s for target in self._plan.targets) + MARGIN_S
        self._clock = clock
        self._loop = shared_loop()
        self._lock = threading.Lock()
        self._sending: Sending | None = None
        self._is_closed = False
        # Where it begins matters little: another worker's messages to the same phone should rarely have the same one.
        self._references = count(secrets.randbelow(1 << 16))
        self._breaker = Breaker(self._name, SILENT_WINDOWS * self.window, SILENT_FAULT, steady_s)

    @property
    def name(self) -> str:
        """The name accounts refer to it by."""
        return self._name

    @property
    def window(self) -> int:
        """What all binds together may have in flight; see `Gateway.window`."""
        return sum(target.window for target in self._plan.targets if target.sends)

    @property
    def per_request(self) -> int:
        """Each by itself; see `Gateway.per_request`."""
        return 1

    def submit(
        self, messages: Sequence[OutboundMessage], now: datetime, schedule: DepartureSchedule = AT_ONCE
    ) -> list[SubmitResult]:
        """Hand over and wait for the answers; see `Gateway.submit`."""
        if not messages:
            return []
        sending = self._opened()
        if not self._breaker.enter():
            return self._submit(sending, messages, schedule.depart(messages), schedule)
        # One message is enough to see whether the SMSC answers again, and of use whenever it leaves.
        leave_by_s = schedule.wait_again(messages[0].segment_count, is_patient=True)
        results = list[SubmitResult]()
        if leave_by_s is not None:
            results = self._submit(sending, messages[:1], [Departure(messages[:1], leave_by_s)], schedule)
        later = messages[len(results) :]
        return results + [SubmitResult(message.message_id, SubmitOutcome.THROTTLED, now) for message in later]

    def _submit(
        self,
        sending: Sending,
        messages: Sequence[OutboundMessage],
        departures: Iterable[Departure],
        schedule: DepartureSchedule,
    ) -> list[SubmitResult]:
        # Before the first leaves: a defect of the last may not make those unknown that have left.
        bodies = {message.message_id: self._encode(message) for message in messages}
        under_way = [
            self._begin(sending, parts, departure)
            for departure in departures
            if (parts := _list_parts(departure, bodies))
        ]
        say_again = functools.partial(self._say_again, sending, schedule)
        results: list[SubmitResult] = []
        errors: list[GatewayError] = []
        for submission in under_way:
            try:
                results += submission.wait(self._patience_s, say_again)
            except GatewayError as error:
                errors.append(error)
                results += submission.give_back()
        if errors and len(errors) == len(under_way):
            raise errors[-1]
        self._note_answers(results)
        return self._with_refused(messages, results)

    def _say_again(self, sending: Sending, schedule: DepartureSchedule, travel: Travel) -> None:
        """Wait, as the SMSC has asked, and for a moment; then let what is leaving of the message leave once more."""
        sleep(max(0.0, travel.not_before_s - monotonic()))
        self._loop.soon(sending.take_again, travel, schedule.wait_again(len(travel.leaving)))

    def _encode(self, message: OutboundMessage) -> list[bytes]:
        """Return the bodies of *message*, none where it cannot be written in the SMSC's alphabet."""
        reference = next(self._references) if message.segment_count > 1 else 0
        try:
            return encode(message, self._plan.settings, reference)
        except UnencodableText as error:
            fields = {"gateway": self._name, "message_id": message.message_id, "position": error.position}
            log.warning("text_not_in_alphabet", extra=fields)
            return []

    def _with_refused(self, messages: Sequence[OutboundMessage], results: Sequence[SubmitResult]) -> list[SubmitResult]:
        """Return the results in the order of *messages*; those without one are in no alphabet that the SMSC takes."""
        if len(results) == len(messages):
            return [*results]
        known, now = {result.message_id: result for result in results}, self._clock()
        refused = SubmitOutcome.REJECTED
        return [
            known.get(message.message_id) or SubmitResult(message.message_id, refused, now, error_code=NOT_IN_ALPHABET)
            for message in messages
        ]

    def _begin(self, sending: Sending, parts: Sequence[MessageParts], departure: Departure) -> Submission:
        keeps_parts = self._plan.settings.long_receipts is LongReceipts.ANY_PART
        submission = Submission(parts, self._clock, departure.leave_by_s, keeps_parts=keeps_parts)
        self._loop.soon(sending.take, submission)
        return submission

    def _note_answers(self, results: Sequence[SubmitResult]) -> None:
        outcomes = [result.outcome for result in results]
        if not _ANSWERS.isdisjoint(outcomes):
            self._breaker.leave(is_known=True)
            return
        for _ in range(outcomes.count(SubmitOutcome.UNKNOWN)):
            self._breaker.leave(is_known=False)

    def may_have_receipts(self, now: datetime) -> bool:  # noqa: ARG002
        """Return False: what comes is told to the inbox."""
        return False

    def fetch_receipts(self, limit: int, now: datetime) -> list[tuple[str, Receipt]]:  # noqa: ARG002
        """Return none; see `may_have_receipts`."""
        return []

    def acknowledge(self, tokens: Sequence[str]) -> None:
        """Nothing is fetched, so nothing is acknowledged."""

    def keep_open(self) -> None:
        """Bind, and stay bound; see `Gateway.keep_open`."""
        self._opened()

    def links(self) -> tuple[LinkState, ...]:
        """Return the state of each bind; see `Gateway.links`."""
        sending = self._sending
        return self._loop.run(_look_at(sending, self._clock)).result() if sending else ()

    def in_use(self) -> InUse:
        """Return what waits on all binds together; see `Gateway.in_use`."""
        sending = self._sending
        # A number that is a moment old does here: the loop need not be asked for it.
        return InUse(sum(link.in_flight for link in sending.links) if sending else 0, self.window)

    def try_now(self) -> None:
        """Bind, and let a message try it, at once; see `Gateway.try_now`."""
        self._breaker.try_now()
        sending = self._sending
        if sending is not None:
            self._loop.soon(sending.hurry)

    def close(self) -> None:
        """Wait for the answers of what has left, and unbind; see `Gateway.close`."""
        with self._lock:
            self._is_closed = True
            sending, self._sending = self._sending, None
        if sending is not None:
            self._loop.run(sending.close(self._patience_s)).result()

    def _opened(self) -> Sending:
        with self._lock:
            if self._is_closed:
                raise Unavailable("The gateway is closed.", gateway=self._name)
            if self._sending is None:
                self._sending = self._loop.run(self._open()).result()
            return self._sending

    async def _open(self) -> Sending:
        settings = self._plan.settings
        hearing = Hearing(self._name, settings, self._inbox, self._clock)
        store_id = functools.partial(store_response_id, ids=settings.ids)
        return Sending(self._plan.targets, hearing, self._unreachable, store_id)

    def _unreachable(self, fault: str, refusal: int) -> GatewayError:
        return unreachable(fault, refusal, self._name)


def _list_parts(departure: Departure, bodies: Mapping[str, list[bytes]]) -> list[MessageParts]:
    written = ((message.message_id, bodies[message.message_id]) for message in departure.messages)
    return [(message_id, parts) for message_id, parts in written if parts]


async def _look_at(sending: Sending, clock: Callable[[], datetime]) -> tuple[LinkState, ...]:
    now, loop_time = clock(), asyncio.get_running_loop().time()
    return tuple(
        LinkState(
            number,
            link.status,
            now - timedelta(seconds=loop_time - link.since),
            link.fault,
            link.in_flight,
            link.target.window if link.target.sends else 0,
            link.submitted_count,
            link.heard_count,
        )
        for number, link in enumerate(sending.links, 1)
    )
