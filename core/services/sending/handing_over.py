"""
Handing over: what a gateway's answers mean for the messages that were claimed for it.

Some errors are of a message, others of the gateway. A message that was refused for now is tried again, a bounded number
of times, ever later; one that is refused for good has failed. Where nothing can be sent by the gateway until a person
sees to it, nobody's message fails for that: all are given back.
"""

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from core.domain.messages.error_codes import Stage, find_meaning
from core.domain.messages.messages import LateAnswer, OutboundMessage, SubmitOutcome, SubmitResult
from core.errors import GatewayError, OutcomeUnknown, PermanentGatewayError
from core.gateways.base import Observed
from core.gateways.departing import AT_ONCE, DepartureSchedule

log = logging.getLogger(__name__)

# How often a message is handed over that its gateway refuses for now, and how long after each time, doubled every time:
# a minute and a half in all.
MOST_TRIES = 6
PAUSE_FIRST = timedelta(seconds=3)
# Messages whose tries are remembered. Beyond it the oldest begin anew.
MOST_REMEMBERED = 100_000
# After a refusal of the gateway as a whole that does not say how long to wait.
REFUSED_WAIT_S = 0.5

_GIVEN_BACK = frozenset({SubmitOutcome.THROTTLED, SubmitOutcome.BLOCKED, SubmitOutcome.LATE})


@dataclass(frozen=True)
class Handed:
    """
    What came of handing messages over to *gateway*: the *results* to record, and the messages certainly not taken.

    *wait_s* is how long the gateway asks to be left alone. *fault* says why nothing can be sent by it, "" where that is
    not so, and *needs_person* whether that stays so until somebody sees to it. *late_ids* are those messages given back
    whose moment had passed before they could leave.
    """

    results: Sequence[SubmitResult] = ()
    given_back: Sequence[OutboundMessage] = ()
    wait_s: float = 0.0
    fault: str = ""
    needs_person: bool = False
    late_ids: frozenset[str] = frozenset()
    gateway: str = ""

    def accepted_at(self, now: datetime) -> list[LateAnswer]:
        """Return what the gateway calls those it has taken, as it is told *now* that they are unknown by the books."""
        return [
            LateAnswer(self.gateway, result.message_id, result.gateway_message_id, now, result.part_ids)
            for result in self.results
            if result.outcome is SubmitOutcome.ACCEPTED
        ]


@dataclass
class _Tries:
    count: int
    next_at: datetime


@dataclass
class HandingOver:
    """One per process: threads share it, and what it knows of messages that were refused for now."""

    _tries: OrderedDict[str, _Tries] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hand_over(
        self,
        gateway: Observed,
        claimed: Sequence[OutboundMessage],
        clock: Callable[[], datetime],
        fields: Mapping[str, str],
        schedule: DepartureSchedule = AT_ONCE,
    ) -> Handed:
        """Submit what is claimed by its *schedule*, and say what is to become of it; *fields* are for the log."""
        now = clock()
        try:
            results = gateway.submit(claimed, now, schedule)
        except OutcomeUnknown as error:
            log.warning("gateway_silent", extra={**fields, "reason": error.message})
            return Handed([SubmitResult(message.message_id, SubmitOutcome.UNKNOWN, now) for message in claimed])
        except GatewayError as error:
            # By contract nothing has left when submit raises anything else.
            log.warning("gateway_refused", extra={**fields, "code": error.code}, exc_info=True)
            is_permanent = isinstance(error, PermanentGatewayError)
            return Handed((), claimed, error.retry_after_s or REFUSED_WAIT_S, error.message, is_permanent)
        judged = self._judge_all(results, clock())
        if all(result.outcome is SubmitOutcome.ACCEPTED for result in judged):
            return Handed(judged, gateway=gateway.name)
        late = frozenset(result.message_id for result in judged if result.outcome is SubmitOutcome.LATE)
        back = [message for message, result in zip(claimed, judged, strict=True) if result.outcome in _GIVEN_BACK]
        blocked = Counter(result.error_code for result in judged if result.outcome is SubmitOutcome.BLOCKED)
        wait_s = max((result.retry_after_s for result in judged if not result.error_code), default=0.0)
        return Handed(
            [result for result in judged if result.outcome not in _GIVEN_BACK],
            back,
            wait_s,
            _in_words(gateway, blocked.most_common(1)[0][0]) if blocked else "",
            bool(blocked),
            late,
            gateway.name,
        )

    def pick(self, waiting: Sequence[OutboundMessage], most: int, now: datetime) -> list[OutboundMessage]:
        """Return up to *most* of the messages, in order, without those whose next try is still to come."""
        with self._lock:
            later = {message_id for message_id, tries in self._tries.items() if now < tries.next_at}
        if not later:
            return list(waiting[:most])
        return [message for message in waiting if message.message_id not in later][:most]

    def _judge_all(self, results: Sequence[SubmitResult], now: datetime) -> Sequence[SubmitResult]:
        """Return the results, a failure instead of each that was one try too many."""
        with self._lock:
            if not self._tries and not any(map(_is_refused_for_now, results)):
                return results
            return [self._judge(result, now) for result in results]

    def _judge(self, result: SubmitResult, now: datetime) -> SubmitResult:
        if not _is_refused_for_now(result):
            self._tries.pop(result.message_id, None)
            return result
        tries = self._tries.setdefault(result.message_id, _Tries(0, now))
        tries.count += 1
        if tries.count >= MOST_TRIES:
            del self._tries[result.message_id]
            return replace(result, outcome=SubmitOutcome.REJECTED, retry_after_s=0.0)
        tries.next_at = now + PAUSE_FIRST * 2 ** (tries.count - 1)
        while len(self._tries) > MOST_REMEMBERED:
            self._tries.popitem(last=False)
        return result


def _is_refused_for_now(result: SubmitResult) -> bool:
    return result.outcome is SubmitOutcome.THROTTLED and bool(result.error_code)


def _in_words(gateway: Observed, code: str) -> str:
    meaning = find_meaning(gateway.kind, code, Stage.SUBMIT)
    why = f"{meaning.text} ({code})" if meaning else f"error code {code}"
    return f"The gateway {gateway.name} takes no messages: {why}."
