"""What a thread has handed over, message by message, until each has its result."""

import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from queue import Empty, SimpleQueue

from core.domain.messages.error_codes import ErrorClass
from core.domain.messages.messages import SubmitOutcome, SubmitResult
from core.errors import GatewayError

log = logging.getLogger(__name__)

# A later part that the SMSC will not take for now is said again so often.
_MOST_REPEATS = 30

_OUTCOMES = {
    ErrorClass.TEMPORARY: SubmitOutcome.THROTTLED,
    ErrorClass.ACCOUNT: SubmitOutcome.BLOCKED,
}


class Part:
    """A submit_sm of a message, without its header."""

    __slots__ = ("body", "number", "travel")

    def __init__(self, travel: "Travel", number: int, body: bytes) -> None:
        self.travel = travel
        self.number = number
        self.body = body


class Travel:
    """
    One message on its way. Its parts leave together, as far as the window is large enough: they have one moment.

    What has become of it is told when none of them waits for an answer. One of which no part was taken has not left.
    """

    __slots__ = (
        "_again",
        "_has_begun",
        "_has_moment",
        "_ids",
        "_in_flight_count",
        "_last",
        "_lost",
        "_refusal",
        "_repeats",
        "_submission",
        "_taken_count",
        "_too_fast",
        "is_over",
        "leave_by_s",
        "leaving",
        "message_id",
        "not_before_s",
    )

    def __init__(self, submission: "Submission", message_id: str, bodies: Sequence[bytes]) -> None:
        self._submission = submission
        self.message_id = message_id
        # The parts that are to leave next.
        self.leaving = [Part(self, number, body) for number, body in enumerate(bodies)]
        self._last = len(bodies) - 1
        self.is_over = False
        # The parts that left together have a moment, and so have those that are said again.
        self._has_moment, self.leave_by_s = True, submission.leave_by_s
        self._has_begun = False
        # The numbers of the parts without an answer.
        self._lost = set[int]()
        self._in_flight_count = self._taken_count = self._repeats = 0
        self._too_fast = ""
        # What the SMSC calls the parts it has taken, by their numbers.
        self._ids = dict[int, str]()
        self._refusal: tuple[str, ErrorClass] | None = None
        # What came too fast, and before when the SMSC wants none of it.
        self._again: list[Part] = []
        self.not_before_s = 0.0

    def is_late(self, now_s: float) -> bool:
        """Return whether it may not leave now; what was too large for the window goes on."""
        return self._has_moment and now_s > self.leave_by_s

    def leave(self, most: int) -> list[Part]:
        """Take that up to *most* of its parts leave now, and return them."""
        going, self.leaving = self.leaving[:most], self.leaving[most:]
        self._has_begun, self._has_moment = True, False
        self._in_flight_count += len(going)
        return going

    def miss(self) -> None:
        """Take that it is late: one of which a part was taken waits for another moment."""
        if self._has_begun and not self.is_over:
            self._submission.ask_again(self)
        else:
            self._finish(SubmitOutcome.LATE)

    def accept(self, part: Part, theirs: str) -> None:
        """Take that a part was accepted as *theirs*."""
        self._taken_count += 1
        if theirs:
            self._ids[part.number] = theirs
        self._settle()

    def put_off(self, part: Part, code: str, not_before_s: float) -> None:
        """Take that a part came too fast; where others of them were taken it is said again, *not_before_s*."""
        self._again.append(part)
        self._too_fast = code
        self.not_before_s = not_before_s
        self._settle()

    def go_again(self, leave_by_s: float) -> None:
        """Take that what is to be said again may leave until then."""
        self._has_moment, self.leave_by_s = True, leave_by_s

    def refuse(self, code: str, what: ErrorClass) -> None:
        """Take that a part was refused; what has left in part can neither be sent again nor go on."""
        self._refusal = self._refusal or (code, what)
        self._settle()

    def lose(self, part: Part) -> None:
        """Take that a part got no answer."""
        self._lost.add(part.number)
        self._settle()

    def learn(self, part: Part, theirs: str) -> tuple[str, ...] | None:
        """
        Take that a part that was lost has been accepted as *theirs* after all.

        Returns: If the message was called unknown for that, the ids of all parts, first the one that counts, and none
            of those that were accepted without one; else None.
        """
        if theirs:
            self._ids[part.number] = theirs
        self._lost.discard(part.number)
        self._taken_count += 1
        is_whole = self._taken_count > self._last and self._refusal is None
        return self._list_ids() if self.is_over and is_whole else None

    def give_back(self) -> None:
        """Take that nothing more of it will be sent."""
        has_left = self._taken_count or self._in_flight_count
        self._finish(SubmitOutcome.UNKNOWN if has_left else SubmitOutcome.THROTTLED)

    def _settle(self) -> None:
        """Take that a part is not in flight any more."""
        self._in_flight_count -= 1
        if self._in_flight_count or self.is_over:
            return
        if self._lost:
            self._finish(SubmitOutcome.UNKNOWN)
        elif self._refusal is not None:
            code, what = self._refusal
            refused = _OUTCOMES.get(what, SubmitOutcome.REJECTED)
            self._finish(SubmitOutcome.REJECTED if self._taken_count else refused, code=code)
        elif self.leaving:
            # It waits for room; what came too fast is said again after that.
            return
        elif self._again:
            self._say_again()
        else:
            self._finish(SubmitOutcome.ACCEPTED)

    def _say_again(self) -> None:
        self._repeats += 1
        if not self._taken_count:
            # That is no error of the message's: it says nothing but "slower".
            self._finish(SubmitOutcome.THROTTLED)
        elif self._repeats > _MOST_REPEATS:
            self._finish(SubmitOutcome.REJECTED, code=self._too_fast)
        else:
            self.leaving, self._again = sorted(self._again, key=lambda part: part.number), []
            self._submission.ask_again(self)

    def _finish(self, outcome: SubmitOutcome, *, code: str = "") -> None:
        if not self.is_over:
            self.is_over = True
            is_taken = outcome is SubmitOutcome.ACCEPTED
            self._submission.finish(self, outcome, ids=self._list_ids() if is_taken else (), code=code)

    def _list_ids(self) -> tuple[str, ...]:
        """Return the ids of the parts, each once, first that of the last one: it has asked for the receipt."""
        last = [self._ids[self._last]] if self._last in self._ids else []
        return tuple(dict.fromkeys([*last, *(theirs for _, theirs in sorted(self._ids.items()))]))


class Submission:
    """The messages of one call; the caller's thread waits for it, the loop works on it."""

    def __init__(
        self,
        messages: Sequence[tuple[str, Sequence[bytes]]],
        clock: Callable[[], datetime],
        leave_by_s: float = math.inf,
        *,
        keeps_parts: bool = False,
    ) -> None:
        """
        Take (message_id, parts) of each, and until when they may leave by the clock that nobody sets.

        *keeps_parts* says whether a receipt may name any of the parts, so that the ids of all are results.
        """
        self.leave_by_s = leave_by_s
        self._keeps_parts = keeps_parts
        self._clock = clock
        self._results = dict[str, SubmitResult]()
        self._order = [message_id for message_id, _ in messages]
        # What the waiting thread is told: what is to be said again, and None at the end.
        self._told = SimpleQueue[Travel | None]()
        self.waiting = deque(Travel(self, message_id, bodies) for message_id, bodies in messages)
        self._error: GatewayError | None = None

    def finish(self, travel: Travel, outcome: SubmitOutcome, *, ids: Sequence[str] = (), code: str = "") -> None:
        """Keep the result of one of them, with what the SMSC calls it: first the id that counts."""
        theirs, others = (ids[0], tuple(ids[1:])) if ids else ("", ())
        self._results[travel.message_id] = SubmitResult(
            travel.message_id,
            outcome,
            self._clock(),
            theirs,
            code,
            part_ids=others if self._keeps_parts else (),
        )
        if len(self._results) == len(self._order):
            self._told.put(None)

    def fail(self, error: GatewayError) -> None:
        """End it as a whole: nothing has left, and nothing will."""
        self._error = error
        self._told.put(None)

    def ask_again(self, travel: Travel) -> None:
        """Let the waiting thread find a moment for what is *leaving* of the message: it leaves once more."""
        self._told.put(travel)

    def wait(self, within_s: float, say_again: Callable[[Travel], object]) -> list[SubmitResult]:
        """
        Return the results in order, once there are all; without any for *within_s*, the missing ones are unknown.

        That is longer than any answer may take: it ends what a defect of ours would keep waiting for ever. *say_again*
        is called for whatever asks again for a moment.
        Raises: GatewayError: nothing has left.
        """
        count, is_stuck = -1, False
        while not is_stuck:
            try:
                told = self._told.get(timeout=within_s)
            except Empty:
                is_stuck, count = len(self._results) == count, len(self._results)
                continue
            if told is None:
                break
            say_again(told)
        if self._error is not None:
            raise self._error
        if is_stuck:
            log.error("submission_stuck", extra={"messages": len(self._order), "answered": len(self._results)})
        return [self._results.get(message_id) or self._unknown(message_id) for message_id in self._order]

    def give_back(self) -> list[SubmitResult]:
        """Return the results of one that `wait` has said nothing of has left."""
        return [SubmitResult(message_id, SubmitOutcome.THROTTLED, self._clock()) for message_id in self._order]

    def _unknown(self, message_id: str) -> SubmitResult:
        return SubmitResult(message_id, SubmitOutcome.UNKNOWN, self._clock())
