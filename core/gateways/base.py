"""
The seam to providers: what a gateway must do, and what is done around every gateway.

A provider implements `Gateway`; `Observed` adds what all of them need (timing, logging, a check of
the contract), so that a provider's folder holds nothing but the provider.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from core.domain.gateways.sights import InUse, LinkState
from core.domain.messages.messages import (
    LateAnswer,
    OutboundMessage,
    Receipt,
    Reply,
    SubmitOutcome,
    SubmitResult,
    count_outcomes,
)
from core.domain.messages.strays import Stray
from core.domain.numbering.msisdn import mask_msisdn
from core.errors import GatewayError
from core.gateways.departing import AT_ONCE, DepartureSchedule
from core.gateways.tally import Tally

log = logging.getLogger(__name__)

# What certainly has not been taken.
_STAYED = frozenset({SubmitOutcome.THROTTLED, SubmitOutcome.BLOCKED, SubmitOutcome.LATE})


class Inbox(Protocol):
    """Where gateways that are told, instead of asking, put what they hear."""

    def store(
        self, receipts: Sequence[Receipt], replies: Sequence[Reply], late_answers: Sequence[LateAnswer] = ()
    ) -> None:
        """
        Keep all of it durably; only then may the provider be told that it was heard. What comes again is kept once.

        Raises: StorageError: nothing of it is kept, and the provider must not be told otherwise.
        """
        ...

    def keep_stray(self, stray: Stray, count: int = 1) -> None:
        """
        Keep what can be read as neither, to be looked at by a person; so many like it came.

        It never raises a `StorageError`.
        """
        ...


class Gateway(Protocol):
    """One account at one provider. Threads share it."""

    @property
    def name(self) -> str:
        """The name accounts refer to it by."""
        ...

    @property
    def window(self) -> int:
        """How many messages it has in flight at most, 1 or more: so many, and no more, are claimed for one `submit`."""
        ...

    @property
    def per_request(self) -> int:
        """How many messages leave in one request at most, 1 or more: those have one moment."""
        ...

    def submit(
        self, messages: Sequence[OutboundMessage], now: datetime, schedule: DepartureSchedule = AT_ONCE
    ) -> list[SubmitResult]:
        """
        Hand *messages* over, each when *schedule* lets it leave, and return one result for each, in the same order.

        Once any of them may have left, the answer is a result and never an exception: what got no
        answer is UNKNOWN, what was surely not taken is THROTTLED, BLOCKED or LATE.

        Raises: Unavailable: never reached, nothing has left. BadCredentials: refused as a whole.
        """
        ...

    def may_have_receipts(self, now: datetime) -> bool:
        """
        Return at once whether `fetch_receipts` might return any or fail; True where only the provider knows.

        Asked twice a second of an idle worker, so that it does not take a lease each time to hear that there are none.
        """
        ...

    def fetch_receipts(self, limit: int, now: datetime) -> list[tuple[str, Receipt]]:
        """
        Return up to *limit* receipts that are due, each with a token to acknowledge it by.

        The same ones come again until they are acknowledged.
        Raises: Unavailable: never reached.
        """
        ...

    def acknowledge(self, tokens: Sequence[str]) -> None:
        """Confirm that the receipts are stored; they do not come again."""
        ...

    def keep_open(self) -> None:
        """
        Connect, and stay connected: receipts and replies come also while nothing is sent. Returns at once.

        Called again and again by workers for every gateway in use; one without connections of its own does nothing.
        """
        ...

    def links(self) -> Sequence[LinkState]:
        """Return the state of each connection; () where there is none to keep open."""
        ...

    def in_use(self) -> InUse:
        """Return at once how much of what it may have on its way waits for an answer."""
        ...

    def try_now(self) -> None:
        """Take that somebody has just connected: what is put off until later is tried at once."""
        ...

    def close(self) -> None:
        """Take nothing more, wait for the answers of what has left, and disconnect. A later `submit` is Unavailable."""
        ...


class Observed:
    """A gateway with its calls timed, logged and held to the contract."""

    def __init__(self, gateway: Gateway, kind: str = "", tally: Tally | None = None) -> None:
        """Take it, of which kind it is, by which its codes are read, and what counts what leaves by it."""
        self.gateway = gateway
        self.kind = kind
        self._tally = tally or Tally()

    @property
    def name(self) -> str:
        """The wrapped gateway's name."""
        return self.gateway.name

    @property
    def window(self) -> int:
        """The wrapped gateway's window; see `Gateway.window`."""
        return self.gateway.window

    @property
    def per_request(self) -> int:
        """The wrapped gateway's; see `Gateway.per_request`."""
        return self.gateway.per_request

    def submit(
        self, messages: Sequence[OutboundMessage], now: datetime, schedule: DepartureSchedule = AT_ONCE
    ) -> list[SubmitResult]:
        """Hand over and log how it went; see `Gateway.submit`."""
        start = time.perf_counter()
        try:
            results = self.gateway.submit(messages, now, schedule)
        except GatewayError as error:
            # Whoever handed them over says so where it matters.
            log.debug(
                "submit_refused",
                extra={
                    "gateway": self.name,
                    "messages": len(messages),
                    "code": error.code,
                    "theirs": error.provider_code,
                },
            )
            raise
        _check_answers(self.name, messages, results)
        took_ms = round((time.perf_counter() - start) * 1000, 1)
        counts = count_outcomes(results)
        self._tally.count_submitted(self.name, len(results) - sum(counts.get(outcome.value, 0) for outcome in _STAYED))
        log.debug("submitted", extra={"gateway": self.name, "took_ms": took_ms, **counts})
        return results

    def may_have_receipts(self, now: datetime) -> bool:
        """Pass on; see `Gateway.may_have_receipts`."""
        return self.gateway.may_have_receipts(now)

    def fetch_receipts(self, limit: int, now: datetime) -> list[tuple[str, Receipt]]:
        """Fetch and log how many came; see `Gateway.fetch_receipts`."""
        fetched = self.gateway.fetch_receipts(limit, now)
        if fetched:
            log.debug("receipts_fetched", extra={"gateway": self.name, "receipts": len(fetched)})
        return fetched

    def acknowledge(self, tokens: Sequence[str]) -> None:
        """Pass on; see `Gateway.acknowledge`."""
        self.gateway.acknowledge(tokens)

    def keep_open(self) -> None:
        """Pass on; see `Gateway.keep_open`."""
        self.gateway.keep_open()

    def links(self) -> Sequence[LinkState]:
        """Pass on; see `Gateway.links`."""
        return self.gateway.links()

    def in_use(self) -> InUse:
        """Pass on; see `Gateway.in_use`."""
        return self.gateway.in_use()

    def try_now(self) -> None:
        """Pass on; see `Gateway.try_now`."""
        self.gateway.try_now()

    def close(self) -> None:
        """Pass on; see `Gateway.close`."""
        self.gateway.close()


def _check_answers(name: str, messages: Sequence[OutboundMessage], results: Sequence[SubmitResult]) -> None:
    # A gateway that mixes up its answers would write one person's outcome to another's message.
    asked = [message.message_id for message in messages]
    answered = [result.message_id for result in results]
    if asked != answered:
        first = next((m for m, a in zip(messages, answered, strict=False) if m.message_id != a), messages[-1])
        raise AssertionError(
            f"gateway {name} answered {len(answered)} of {len(asked)} messages, "
            f"the first wrong one for {mask_msisdn(first.msisdn)}"
        )
