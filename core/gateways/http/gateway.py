"""
A provider's HTTP interface as a gateway: requests go out on threads, and come back as a result for each message.

What a provider wants, and what its answers say, is its `Provider`; receipts and replies come by callbacks.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime

from core.domain.gateways.sights import InUse, LinkState
from core.domain.messages.messages import OutboundMessage, Receipt, SubmitOutcome, SubmitResult
from core.errors import Unavailable
from core.gateways.breaker import Breaker
from core.gateways.departing import AT_ONCE, Departure, DepartureSchedule
from core.gateways.http.client import ApiAnswer, ApiClient, ApiRequest, Limits
from core.gateways.http.provider import Provider
from core.gateways.http.submission import Submission

NOT_UNDERSTOOD_FAULT = "The provider gives no answer that can be understood, so it is not asked for a while."


class HttpGateway:
    """One account at one provider."""

    def __init__(
        self,
        name: str,
        provider: Provider,
        limits: Limits,
        clock: Callable[[], datetime],
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Take the gateway's name, how its provider is spoken to, and within which limits; nothing connects.

        *steady_s* is a clock in seconds that nobody sets.
        """
        self._name = name
        self._provider = provider
        self._limits = limits
        self._clock = clock
        self._client = ApiClient(limits)
        # As many threads as requests may wait for an answer: together they are the window.
        self._threads = ThreadPoolExecutor(limits.connections, thread_name_prefix=f"gateway {name}")
        self._lock = threading.Lock()
        self._is_closed = False
        self._asking_count = 0
        self._steady_s = steady_s
        # Until when the provider is left alone, which it has asked for.
        self._not_before_s = 0.0
        self._breaker = Breaker(name, limits.connections, NOT_UNDERSTOOD_FAULT, steady_s)

    @property
    def name(self) -> str:
        """The name accounts refer to it by."""
        return self._name

    @property
    def window(self) -> int:
        """What all connections together may have in flight; see `Gateway.window`."""
        return self._limits.connections * self._provider.per_request

    @property
    def per_request(self) -> int:
        """As many as the provider takes at once; see `Gateway.per_request`."""
        return self._provider.per_request

    def submit(
        self, messages: Sequence[OutboundMessage], now: datetime, schedule: DepartureSchedule = AT_ONCE
    ) -> list[SubmitResult]:
        """Hand over and wait for the answers; see `Gateway.submit`."""
        if not messages:
            return []
        wait_s = self._not_before_s - self._steady_s()
        if wait_s > 0:
            throttled = SubmitOutcome.THROTTLED
            return [SubmitResult(message.message_id, throttled, now, retry_after_s=wait_s) for message in messages]
        submission = Submission(self._name, self._provider, self._ask, self._breaker, self._clock, schedule)
        futures: list[Future[None]] = []
        for departure in schedule.depart(messages):
            try:
                futures += self._start(submission, departure)
            except Unavailable:
                if not futures:
                    raise
                # It was closed meanwhile.
                submission.give_back(departure.messages)
        wait(futures)
        if submission.leave_alone_s:
            self._not_before_s = self._steady_s() + submission.leave_alone_s
        return submission.finish(messages)

    def may_have_receipts(self, now: datetime) -> bool:  # noqa: ARG002
        """Return False: they come by callbacks."""
        return False

    def fetch_receipts(self, limit: int, now: datetime) -> list[tuple[str, Receipt]]:  # noqa: ARG002
        """Return none; see `may_have_receipts`."""
        return []

    def acknowledge(self, tokens: Sequence[str]) -> None:
        """Nothing is fetched, so nothing is acknowledged."""

    def keep_open(self) -> None:
        """Nothing is to be kept open: connections are opened for what is sent."""

    def links(self) -> tuple[LinkState, ...]:
        """Return none: there is no connection to keep open."""
        return ()

    def in_use(self) -> InUse:
        """Return how many requests wait for an answer; see `Gateway.in_use`."""
        return InUse(self._asking_count, self._limits.connections)

    def try_now(self) -> None:
        """Let a request try at once whether the provider answers; see `Gateway.try_now`."""
        self._breaker.try_now()

    def close(self) -> None:
        """Wait for the answers of what has left; see `Gateway.close`."""
        with self._lock:
            self._is_closed = True
        # What has not begun finds the gateway closed and gives its messages back.
        self._threads.shutdown(wait=True)
        self._client.close()

    def _start(self, submission: Submission, departure: Departure) -> list[Future[None]]:
        batches = [list(batch) for batch in self._provider.cut(departure.messages)]
        with self._lock:
            if self._is_closed:
                raise self._closed()
            return [self._threads.submit(submission.run, batch, departure.leave_by_s) for batch in batches]

    def _ask(self, request: ApiRequest, leave_by_s: float) -> ApiAnswer:
        if self._is_closed:
            raise self._closed()
        self._count_asking(1)
        try:
            return self._client.ask(request, leave_by_s)
        finally:
            self._count_asking(-1)

    def _count_asking(self, more: int) -> None:
        with self._lock:
            self._asking_count += more

    def _closed(self) -> Unavailable:
        return Unavailable("The gateway is closed.", gateway=self._name)
