"""What a thread has handed over, message by message, until each has its result."""

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

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
        "leaving",
        "message_id",
    )

    def __init__(self, submission: "Submission", message_id: str, bodies: Sequence[bytes]) -> None:
        self._submission = submission
        self.message_id = message_id
        # The parts that are to leave next.
        self.leaving = [Part(self, number, body) for number, body in enumerate(bodies)]
        self._last = len(bodies) - 1
        self.is_over = False
        self._has_begun = False
        # The numbers of the parts without an answer.
        self._lost = set[int]()
        self._in_flight_count = self._taken_count = self._repeats = 0
        self._too_fast = ""
        # What the SMSC calls the parts it has taken, by their numbers.
        self._ids = dict[int, str]()
        self._refusal: tuple[str, ErrorClass] | None = None
        # What came too fast.
        self._again: list[Part] = []

    def is_late(self, now_s: float) -> bool:
        """Return whether it may not leave any more; what has left in part goes on."""
        return not self._has_begun and now_s > self._submission.leave_by_s

    def leave(self, most: int) -> list[Part]:
        """Take that up to *most* of its parts leave now, and return them."""
        going, self.leaving = self.leaving[:most], self.leaving[most:]
        self._has_begun = True
        self._in_flight_count += len(going)
        return going

    def miss(self) -> None:
        """Take that it is late."""
        self._finish(SubmitOutcome.LATE)

    def accept(self, part: Part, theirs: str) -> bool:
        """Take that a part was accepted as *theirs*; return whether others of them are to be said again."""
        self._taken_count += 1
        if theirs:
            self._ids[part.number] = theirs
        return self._settle()

    def put_off(self, part: Part, code: str) -> bool:
        """Take that a part came too fast; return whether it is to be said again: others of them have left."""
        self._again.append(part)
        self._too_fast = code
        return self._settle()

    def refuse(self, code: str, what: ErrorClass) -> None:
        """Take that a part was refused; what has left in part can neither be sent again nor go on."""
        self._refusal = self._refusal or (code, what)
        self._settle()

    def lose(self, part: Part) -> None:
        """Take that a part got no answer."""
        self._lost.add(part.number)
        self._settle()

    def learn(self, part: Part, theirs: str) -> tuple[str, ...]:
        """
        Take that a part that was lost has been accepted as *theirs* after all.

        Returns: The ids of all parts, first the one that counts, if the message was called unknown for that; else none.
        """
        if theirs:
            self._ids[part.number] = theirs
        self._lost.discard(part.number)
        self._taken_count += 1
        is_whole = self._taken_count > self._last and self._refusal is None
        return self._list_ids() if self.is_over and is_whole else ()

    def give_back(self) -> None:
        """Take that nothing more of it will be sent."""
        has_left = self._taken_count or self._in_flight_count
        self._finish(SubmitOutcome.UNKNOWN if has_left else SubmitOutcome.THROTTLED)

    def _settle(self) -> bool:
        """Take that a part is not in flight any more; return whether it is to wait for room again."""
        self._in_flight_count -= 1
        if self._in_flight_count or self.is_over:
            return False
        if self._lost:
            self._finish(SubmitOutcome.UNKNOWN)
        elif self._refusal is not None:
            code, what = self._refusal
            refused = _OUTCOMES.get(what, SubmitOutcome.REJECTED)
            self._finish(SubmitOutcome.REJECTED if self._taken_count else refused, code=code)
        elif self._again:
            return self._say_again()
        elif not self.leaving:
            self._finish(SubmitOutcome.ACCEPTED)
        return False

    def _say_again(self) -> bool:
        self._repeats += 1
        if not self._taken_count:
            # That is no error of the message's: it says nothing but "slower".
            self._finish(SubmitOutcome.THROTTLED)
            return False
        if self._repeats > _MOST_REPEATS:
            self._finish(SubmitOutcome.REJECTED, code=self._too_fast)
            return False
        waits_already = bool(self.leaving)
        self.leaving = sorted([*self._again, *self.leaving], key=lambda part: part.number)
        self._again = []
        return not waits_already

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
        self._done = threading.Event()
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
            self._done.set()

    def fail(self, error: GatewayError) -> None:
        """End it as a whole: nothing has left, and nothing will."""
        self._error = error
        self._done.set()

    def wait(self, within_s: float) -> list[SubmitResult]:
        """
        Return the results in order, once there are all; without any for *within_s*, the missing ones are unknown.

        That is longer than any answer may take: it ends what a defect of ours would keep waiting for ever.
        Raises: GatewayError: nothing has left.
        """
        count = -1
        while not self._done.wait(within_s) and len(self._results) != count:
            count = len(self._results)
        if self._error is not None:
            raise self._error
        if not self._done.is_set():
            log.error("submission_stuck", extra={"messages": len(self._order), "answered": len(self._results)})
        return [self._results.get(message_id) or self._unknown(message_id) for message_id in self._order]

    def give_back(self) -> list[SubmitResult]:
        """Return the results of one that `wait` has said nothing of has left."""
        return [SubmitResult(message_id, SubmitOutcome.THROTTLED, self._clock()) for message_id in self._order]

    def _unknown(self, message_id: str) -> SubmitResult:
        return SubmitResult(message_id, SubmitOutcome.UNKNOWN, self._clock())
