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


class Travel:
    """
    One message on its way: its parts leave one after the other, each when the one before was taken.

    So a message has one part in flight at most, and one whose first part was not taken has not left at all.
    """

    __slots__ = ("_bodies", "_repeats", "_submission", "at", "message_id")

    def __init__(self, submission: "Submission", message_id: str, bodies: Sequence[bytes]) -> None:
        self._submission = submission
        self._bodies = bodies
        self.message_id = message_id
        self.at = 0
        self._repeats = 0

    @property
    def body(self) -> bytes:
        """The part that is next, as submit_sm without its header."""
        return self._bodies[self.at]

    def accept(self, theirs: str) -> bool:
        """Take that the part in flight was accepted as *theirs*; return whether there is another one to send."""
        self.at += 1
        if self.at < len(self._bodies):
            return True
        self._submission.finish(self, SubmitOutcome.ACCEPTED, theirs=theirs)
        return False

    def is_late(self, now_s: float) -> bool:
        """Return whether it may not leave any more; what has left in part goes on."""
        return not self.at and now_s > self._submission.leave_by_s

    def miss(self) -> None:
        """Take that it is late."""
        self._submission.finish(self, SubmitOutcome.LATE)

    def must_be_repeated(self) -> bool:
        """Return whether the part, which was not taken for now, is to be said again: what it follows has left."""
        self._repeats += 1
        return self.at > 0 and self._repeats <= _MOST_REPEATS

    def refuse(self, code: str, what: ErrorClass) -> None:
        """Take that the part in flight was refused; what has left in part can neither be sent again nor go on."""
        outcome = SubmitOutcome.REJECTED if self.at else _OUTCOMES.get(what, SubmitOutcome.REJECTED)
        self._submission.finish(self, outcome, code=code)

    def lose(self) -> None:
        """Take that the part in flight got no answer."""
        self._submission.finish(self, SubmitOutcome.UNKNOWN)

    def give_back(self) -> None:
        """Take that the next part will not be sent."""
        self._submission.finish(self, SubmitOutcome.UNKNOWN if self.at else SubmitOutcome.THROTTLED)


class Submission:
    """The messages of one call; the caller's thread waits for it, the loop works on it."""

    def __init__(
        self,
        messages: Sequence[tuple[str, Sequence[bytes]]],
        clock: Callable[[], datetime],
        leave_by_s: float = math.inf,
    ) -> None:
        """Take (message_id, parts) of each, and until when they may leave by the clock that nobody sets."""
        self.leave_by_s = leave_by_s
        self._clock = clock
        self._results = dict[str, SubmitResult]()
        self._order = [message_id for message_id, _ in messages]
        self._done = threading.Event()
        self.waiting = deque(Travel(self, message_id, bodies) for message_id, bodies in messages)
        self._error: GatewayError | None = None

    def finish(self, travel: Travel, outcome: SubmitOutcome, *, theirs: str = "", code: str = "") -> None:
        """Keep the result of one of them."""
        self._results[travel.message_id] = SubmitResult(travel.message_id, outcome, self._clock(), theirs, code)
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
