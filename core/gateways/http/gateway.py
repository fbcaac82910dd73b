"""
A provider's HTTP interface as a gateway: requests go out on threads, and come back as a result for each message.

What a provider wants, and what its answers say, is its `Provider`; receipts and replies come by callbacks.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime

from core.domain.messages.messages import OutboundMessage, Receipt, SubmitResult
from core.errors import Unavailable
from core.gateways.base import LinkState
from core.gateways.http.client import ApiAnswer, ApiClient, ApiRequest, Limits
from core.gateways.http.provider import Provider
from core.gateways.http.submission import Submission


class HttpGateway:
    """One account at one provider."""

    def __init__(self, name: str, provider: Provider, limits: Limits, clock: Callable[[], datetime]) -> None:
        """Take the gateway's name, how its provider is spoken to, within which limits; nothing connects."""
        self._name = name
        self._provider = provider
        self._limits = limits
        self._clock = clock
        self._client = ApiClient(limits)
        # As many threads as requests may wait for an answer: together they are the window.
        self._threads = ThreadPoolExecutor(limits.connections, thread_name_prefix=f"gateway {name}")
        self._lock = threading.Lock()
        self._is_closed = False
        self._in_flight = 0
        self._submitted_count = 0
        self._fault = ""
        self._since = clock()

    @property
    def name(self) -> str:
        """The name accounts refer to it by."""
        return self._name

    @property
    def window(self) -> int:
        """What all connections together may have in flight; see `Gateway.window`."""
        return self._limits.connections * self._provider.per_request

    def submit(self, messages: Sequence[OutboundMessage], now: datetime) -> list[SubmitResult]:  # noqa: ARG002
        """Hand over and wait for the answers; see `Gateway.submit`."""
        if not messages:
            return []
        submission = Submission(self._name, self._provider, self._ask, self._clock)
        wait(self._start(submission, [list(batch) for batch in self._provider.cut(messages)]))
        self._note(submission.fault)
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
        """Return one state for all connections: whether the last messages found the provider, and the window's use."""
        with self._lock:
            state = "failing" if self._fault else "working"
            window = self._limits.connections
            return (LinkState(1, state, self._since, self._fault, self._in_flight, window, self._submitted_count),)

    def close(self) -> None:
        """Wait for the answers of what has left; see `Gateway.close`."""
        with self._lock:
            self._is_closed = True
        # What has not begun finds the gateway closed and gives its messages back.
        self._threads.shutdown(wait=True)
        self._client.close()

    def _start(self, submission: Submission, batches: Sequence[list[OutboundMessage]]) -> list[Future[None]]:
        with self._lock:
            if self._is_closed:
                raise self._closed()
            return [self._threads.submit(submission.run, batch) for batch in batches]

    def _ask(self, request: ApiRequest) -> ApiAnswer:
        with self._lock:
            if self._is_closed:
                raise self._closed()
            self._in_flight += 1
        try:
            return self._client.ask(request)
        finally:
            with self._lock:
                self._in_flight -= 1
                self._submitted_count += 1

    def _note(self, fault: str) -> None:
        with self._lock:
            if bool(fault) != bool(self._fault):
                self._since = self._clock()
            self._fault = fault

    def _closed(self) -> Unavailable:
        return Unavailable("The gateway is closed.", gateway=self._name)
