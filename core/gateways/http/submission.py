"""The messages of one call, from the first request to the last result."""

import logging
import math
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from core.domain.messages.messages import OutboundMessage, SubmitOutcome, SubmitResult
from core.errors import BadCredentials, Unavailable
from core.gateways.breaker import Breaker
from core.gateways.departing import AT_ONCE, DepartureSchedule
from core.gateways.http.client import ApiAnswer, ApiRequest, Late, NoAnswer, NotSent
from core.gateways.http.provider import Provider
from core.gateways.http.verdicts import AGAIN, LATE, RETRY_S, UNKNOWN, Refusal, Verdict

log = logging.getLogger(__name__)


class Submission:
    """
    What has come of each message so far. The threads of the gateway share it.

    Once one request has shown that the others would fare alike (nobody there, refused, too fast), no other begins.
    """

    def __init__(
        self,
        gateway: str,
        provider: Provider,
        ask: Callable[[ApiRequest, float], ApiAnswer],
        breaker: Breaker,
        clock: Callable[[], datetime],
        schedule: DepartureSchedule = AT_ONCE,
    ) -> None:
        """
        Take what asks until when: it raises NotSent, NoAnswer, Late, and Unavailable once the gateway is closed.

        *schedule* has moments for what is asked again.
        """
        self._gateway = gateway
        self._provider = provider
        self._ask = ask
        self._breaker = breaker
        self._clock = clock
        self._schedule = schedule
        self._lock = threading.Lock()
        self._results = dict[str, SubmitResult]()
        # What every message without a request of its own gets; None while requests go on.
        self._rest: Verdict | None = None
        self._has_left = False
        self._is_refused = False
        # The last thing that went wrong with the provider itself, in words.
        self.fault = ""
        # For how long the provider asks to be left alone, in seconds.
        self.leave_alone_s = 0.0

    def run(self, batch: Sequence[OutboundMessage], leave_by_s: float = math.inf) -> None:
        """
        Ask for *batch*, in parts where the provider refuses it as a whole. Never raises.

        It may leave until *leave_by_s*, by the clock that nobody sets; each of its parts at a moment of its own.
        """
        try:
            self._run(batch, leave_by_s)
        except Exception:
            # A defect of ours, at a moment when the messages may have left: nobody may send them again.
            log.exception("answer_not_read", extra={"gateway": self._gateway, "messages": len(batch)})
            with self._lock:
                self._has_left = True
            self._record_missing(batch)

    def give_back(self, batch: Sequence[OutboundMessage]) -> None:
        """Take that *batch* is not asked for."""
        self._record(batch, [Verdict(SubmitOutcome.THROTTLED, retry_after_s=RETRY_S)] * len(batch))

    def finish(self, messages: Sequence[OutboundMessage]) -> list[SubmitResult]:
        """Return the results in order. Raises: Unavailable, BadCredentials: nothing has left, or all was refused."""
        if not self._has_left and self._rest is not None:
            retry_after_s = self._rest.retry_after_s
            raise Unavailable(self.fault, gateway=self._gateway, retry_after_s=retry_after_s)
        results = [self._results[message.message_id] for message in messages]
        if self._is_refused and all(result.outcome is SubmitOutcome.BLOCKED for result in results):
            code = results[0].error_code
            raise BadCredentials(self.fault, gateway=self._gateway, provider_code=code)
        return results

    def _run(self, batch: Sequence[OutboundMessage], leave_by_s: float) -> None:
        waiting = [list(batch)]
        while waiting:
            part = waiting.pop(0)
            try:
                is_trying = self._rest is None and self._breaker.enter()
                if is_trying:
                    # It is alone: of the others nobody knows yet whether they are worth asking for.
                    self.give_back(part[1:])
                    part = part[:1]
                is_again = is_trying or len(part) < len(batch)
                until_s = self._wait_again(part, is_patient=is_trying) if is_again else leave_by_s
                if self._rest is not None:
                    self._record(part, [self._rest] * len(part))
                    continue
                answer = self._ask(self._provider.write(part), until_s)
            except Late:
                # The moment of what has left before is used up: only what has never left is late.
                self._record(part, [AGAIN if is_again else LATE] * len(part))
            except (NotSent, Unavailable) as error:
                self._give_back(part, error)
            except NoAnswer as error:
                self._breaker.leave(is_known=False)
                self._note_answer(str(error))
                self._record(part, [UNKNOWN] * len(part))
            else:
                self._note_answer("")
                said = self._provider.read(part, answer)
                self._breaker.leave(is_known=_is_known(said))
                waiting = [*self._take(part, said), *waiting]

    def _wait_again(self, part: Sequence[OutboundMessage], *, is_patient: bool) -> float:
        """Wait for a moment of its own for *part*; return until when it may leave. Raises: Late: it gets none."""
        if self._rest is not None:
            return math.inf
        until_s = self._schedule.wait_again(sum(message.segment_count for message in part), is_patient=is_patient)
        if until_s is None:
            raise Late
        return until_s

    def _give_back(self, part: Sequence[OutboundMessage], error: NotSent | Unavailable) -> None:
        retry_after_s = getattr(error, "retry_after_s", None) or RETRY_S
        verdict = Verdict(SubmitOutcome.THROTTLED, retry_after_s=retry_after_s)
        self._stop(verdict, str(error))
        self._record(part, [verdict] * len(part))

    def _take(
        self, part: list[OutboundMessage], said: Sequence[Verdict] | Refusal
    ) -> tuple[list[OutboundMessage], ...]:
        """Keep what was *said*; return the parts to ask for again."""
        if not isinstance(said, Refusal):
            if len(said) != len(part):
                raise AssertionError(f"{len(said)} verdicts for {len(part)} messages")
            self._record(part, said)
            return ()
        if said.is_general:
            self._refuse(said)
        elif len(part) > 1 and said.verdict.outcome is SubmitOutcome.REJECTED:
            # One of them is wrong. Nothing was taken, so the others lose nothing.
            middle = len(part) // 2
            return part[:middle], part[middle:]
        self._record(part, [said.verdict] * len(part))
        return ()

    def _refuse(self, refusal: Refusal) -> None:
        code = refusal.verdict.error_code
        if refusal.is_of_credentials:
            words = f"The provider refuses the credentials, or this machine's address ({code})."
        elif refusal.verdict.outcome is SubmitOutcome.BLOCKED:
            words = f"The provider does not take messages at this address ({code})."
        else:
            words = "The provider takes no more messages for now."
        with self._lock:
            self._is_refused = self._is_refused or refusal.is_of_credentials
            self.leave_alone_s = max(self.leave_alone_s, refusal.verdict.retry_after_s)
        self._stop(refusal.verdict, words)

    def _stop(self, rest: Verdict, fault: str) -> None:
        with self._lock:
            self._rest = self._rest or rest
            self.fault = fault

    def _note_answer(self, fault: str) -> None:
        with self._lock:
            self._has_left = True
            self.fault = fault or (self.fault if self._rest else "")

    def _record(self, part: Sequence[OutboundMessage], verdicts: Sequence[Verdict]) -> None:
        now = self._clock()
        with self._lock:
            for message, verdict in zip(part, verdicts, strict=True):
                self._results[message.message_id] = SubmitResult(
                    message.message_id,
                    verdict.outcome,
                    now,
                    verdict.gateway_message_id,
                    verdict.error_code,
                    verdict.retry_after_s,
                )

    def _record_missing(self, batch: Sequence[OutboundMessage]) -> None:
        missing = [message for message in batch if message.message_id not in self._results]
        self._record(missing, [UNKNOWN] * len(missing))


def _is_known(said: Sequence[Verdict] | Refusal) -> bool:
    verdicts = [said.verdict] if isinstance(said, Refusal) else said
    return any(verdict.outcome is not SubmitOutcome.UNKNOWN for verdict in verdicts)
