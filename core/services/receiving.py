"""
Receiving: delivery receipts land in the inbox and are merged into history.

A receipt is acknowledged to its gateway only after the inbox has it; it leaves the inbox only after
history has it, as it came. So it may come twice, and merging twice changes nothing.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.errors import ConfigurationError, GatewayError
from core.gateways.base import Gateway
from core.history.messages import ReceiptUpdate
from core.state import accounts, receipts
from core.state.receipts import InboxReceipt
from core.state.store import State

log = logging.getLogger(__name__)

FETCH_LIMIT = 20_000
MERGE_LIMIT = 20_000
# A receipt may come before its batch is in history. Later tries come ever more seldom, and after
# three days the message is taken to be none of ours.
RETRY_FIRST_S, RETRY_MOST_S = 2, 600
GIVE_UP = timedelta(days=3)


class History(Protocol):
    """What receiving needs of the lake."""

    def merge_receipts(self, receipts: Sequence[ReceiptUpdate]) -> set[tuple[str, str]]: ...  # noqa: D102


class Gateways(Protocol):
    """Where gateways come from."""

    def get(self, name: str) -> Gateway: ...  # noqa: D102


@dataclass(frozen=True)
class Merged:
    """What one merge did, in receipts."""

    merged_count: int
    postponed_count: int
    abandoned_count: int


class Receiving:
    """From the gateway through the inbox into history."""

    def __init__(self, state: State, history: History, gateways: Gateways) -> None:
        """Take the stores and the gateways."""
        self._state = state
        self._history = history
        self._gateways = gateways

    def collect(self, now: datetime) -> int:
        """Fetch what the gateways in use have to report into the inbox; return how many receipts came."""
        with self._state.read() as session:
            names = accounts.list_gateways(session)
        return sum(self._collect(name, now) for name in names)

    def merge(self, now: datetime) -> Merged:
        """Merge the inbox's due receipts into history, in one update."""
        with self._state.read() as session:
            due = receipts.list_due(session, now, MERGE_LIMIT)
        if not due:
            return Merged(0, 0, 0)
        updates = [ReceiptUpdate(item.receipt, item.received_at, item.receipt_id) for item in due]
        matched = self._history.merge_receipts(updates)
        done = [item.receipt_id for item in due if _key(item) in matched]
        waiting = [item for item in due if _key(item) not in matched]
        abandoned = [item for item in waiting if now - item.received_at > GIVE_UP]
        late = [item for item in waiting if now - item.received_at <= GIVE_UP]
        for item in abandoned:
            log.warning(
                "receipt_without_message",
                extra={"gateway": item.receipt.gateway, "gateway_message_id": item.receipt.gateway_message_id},
            )
        with self._state.write() as session:
            receipts.delete_receipts(session, done + [item.receipt_id for item in abandoned])
            for try_count in {item.try_count for item in late}:
                wait_s = min(RETRY_MOST_S, RETRY_FIRST_S * 2 ** min(try_count, 10))
                ids = [item.receipt_id for item in late if item.try_count == try_count]
                receipts.postpone(session, ids, now + timedelta(seconds=wait_s))
        return Merged(len(done), len(late), len(abandoned))

    def count_waiting(self) -> int:
        """Return how many receipts are in the inbox."""
        with self._state.read() as session:
            return receipts.count_waiting(session)

    def _collect(self, name: str, now: datetime) -> int:
        try:
            gateway = self._gateways.get(name)
            fetched = gateway.fetch_receipts(FETCH_LIMIT, now)
            if not fetched:
                return 0
            with self._state.write() as session:
                receipts.add_receipts(session, [receipt for _, receipt in fetched], now)
            gateway.acknowledge([token for token, _ in fetched])
        except (ConfigurationError, GatewayError) as error:
            # The other gateways' receipts must not wait for this one; its own stay with it.
            log.warning("receipts_not_fetched", extra={"gateway": name, "reason": error.message})
            return 0
        return len(fetched)


def _key(item: InboxReceipt) -> tuple[str, str]:
    return item.receipt.gateway, item.receipt.gateway_message_id
