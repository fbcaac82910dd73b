"""
Receiving: delivery receipts land in the inbox and are merged into history.

A receipt is acknowledged to its gateway only after the inbox has it; it leaves the inbox only after
history has it, as it came. So it may come twice, and is kept once: by what it says, in inbox and history
alike. One worker at a time collects from a gateway, and one merges.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.messages.strays import Stray, StrayReason
from core.errors import ConfigurationError, GatewayError
from core.gateways.base import Gateway
from core.gateways.gateways import Gateways
from core.history.messages.message_store import MessageStore, ReceiptUpdate
from core.services.leases import Lease, Leases
from core.services.sending.stray_reports import StrayReports
from core.state.accounts import gateways
from core.state.campaigns import part_ids, receipts
from core.state.campaigns.receipts import InboxReceipt
from core.state.engine.store import State
from core.state.upkeep.waiting import Waiting

log = logging.getLogger(__name__)

FETCH_LIMIT = 20_000
MERGE_LIMIT = 20_000
# A receipt may come before its batch is in history, and is tried anew when that comes. Other tries come ever more
# seldom: a provider that passes on another system's receipts, too, must not keep the history busy. After three days
# the message is taken to be none of ours.
RETRY_FIRST_S, RETRY_MOST_S = 2, 4 * 3_600
GIVE_UP = timedelta(days=3)
# The ids of parts are kept for longer than a receipt finds its message by them (`RECEIPT_LOOKBACK`) and waits for it.
PARTS_KEPT_FOR = timedelta(days=14)


@dataclass(frozen=True)
class MergedReceipts:
    """What one merge did, in receipts."""

    merged_count: int
    postponed_count: int
    abandoned_count: int


class Receiving:
    """From the gateway through the inbox into history."""

    def __init__(self, state: State, history: MessageStore, gateways: Gateways, leases: Leases) -> None:
        self._state = state
        self._strays = StrayReports(state)
        self._history = history
        self._gateways = gateways
        self._leases = leases

    def note(self, waiting: Waiting) -> None:
        """Let the gateways of this process know how they are set up now, which spares them a look of their own."""
        self._gateways.note(waiting.gateways)

    def is_due(self, waiting: Waiting, now: datetime) -> bool:
        """Return whether `collect` or `merge` might have anything to do; asked all the time, so it takes no lease."""
        return waiting.has_receipts or any(self._may_report(name, now) for name in waiting.gateways)

    def collect(self, clock: Callable[[], datetime]) -> int:
        """
        Fetch what all gateways have to report into the inbox; return how many receipts came.

        Nothing comes of a gateway from which somebody else is just collecting.
        """
        with self._state.read() as session:
            names = gateways.list_versions(session)
        return sum(self._collect(name, clock) for name in names)

    def merge(self, clock: Callable[[], datetime]) -> MergedReceipts:
        """Merge the inbox's due receipts into history, in one update; none while somebody else does."""
        with self._state.read() as session:
            if not receipts.is_any_due(session, clock()):
                # Asked twice a second while a gateway reports: an empty inbox is not worth a lease, which is written.
                return MergedReceipts(0, 0, 0)
        with self._leases.alone("receipts", clock) as lease:
            return self._merge(clock()) if lease else MergedReceipts(0, 0, 0)

    def _merge(self, now: datetime) -> MergedReceipts:
        with self._state.read() as session:
            due = receipts.list_due(session, now, MERGE_LIMIT)
        if not due:
            return MergedReceipts(0, 0, 0)
        updates = [ReceiptUpdate(item.receipt, item.received_at, item.receipt_id) for item in due]
        matched = self._history.merge_receipts(updates)
        done = [item.receipt_id for item in due if _key(item) in matched]
        waiting = [item for item in due if _key(item) not in matched]
        abandoned = [item for item in waiting if now - item.received_at > GIVE_UP]
        late = [item for item in waiting if now - item.received_at <= GIVE_UP]
        self._strays.keep([_stray(item) for item in abandoned])
        with self._state.write() as session:
            receipts.delete_receipts(session, done + [item.receipt_id for item in abandoned])
            for try_count in {item.try_count for item in late}:
                wait_s = min(RETRY_MOST_S, RETRY_FIRST_S * 2 ** min(try_count, 20))
                ids = [item.receipt_id for item in late if item.try_count == try_count]
                receipts.postpone(session, ids, try_count, now + timedelta(seconds=wait_s))
        return MergedReceipts(len(done), len(late), len(abandoned))

    def count_waiting(self) -> int:
        """Return how many receipts are in the inbox."""
        with self._state.read() as session:
            return receipts.count_waiting(session)

    def forget_parts(self, now: datetime) -> int:
        """Delete the ids of parts of messages that were sent long ago; return how many."""
        with self._state.write() as session:
            return part_ids.delete_old(session, now - PARTS_KEPT_FOR)

    def _may_report(self, name: str, now: datetime) -> bool:
        # The pulse asks, which must not wait while one is closed and another built. Who keeps gateways open builds it.
        gateway = self._gateways.find(name)
        return gateway is not None and gateway.may_have_receipts(now)

    def _collect(self, name: str, clock: Callable[[], datetime]) -> int:
        try:
            gateway = self._gateways.get(name)
            if not gateway.may_have_receipts(clock()):
                # One that is told its receipts never has any: it is not worth a lease, which is written.
                return 0
            with self._leases.alone(f"receipts of {name}", clock) as lease:
                return self._fetch(gateway, lease, clock()) if lease else 0
        except ConfigurationError as error:
            # Who keeps gateways open has said so, and does not say it again and again.
            log.debug("receipts_not_fetched", extra={"gateway": name, "reason": error.message})
        except GatewayError as error:
            # The other gateways' receipts must not wait for this one; its own stay with it.
            log.warning("receipts_not_fetched", extra={"gateway": name, "reason": error.message})
        return 0

    def _fetch(self, gateway: Gateway, lease: Lease, now: datetime) -> int:
        name = gateway.name
        fetched = gateway.fetch_receipts(FETCH_LIMIT, now)
        if not fetched:
            return 0
        with self._state.write() as session:
            if not lease.renew(session):
                # Whoever took it meanwhile has fetched the same ones, and may have merged them.
                log.warning("receipts_fetched_elsewhere", extra={"gateway": name, "receipts": len(fetched)})
                return 0
            receipts.add_receipts(session, [receipt for _, receipt in fetched], now)
        gateway.acknowledge([token for token, _ in fetched])
        self._gateways.tally.count_receipts({name: len(fetched)})
        return len(fetched)


def _key(item: InboxReceipt) -> tuple[str, str]:
    return item.receipt.gateway, item.receipt.gateway_message_id


def _stray(item: InboxReceipt) -> Stray:
    receipt = item.receipt
    content = f"id {receipt.gateway_message_id}, {receipt.receipt_state}, error {receipt.error_code or 'none'}"
    content += f", done {receipt.done_at.isoformat()}"
    return Stray(receipt.gateway, StrayReason.NO_MESSAGE, content, item.received_at)
