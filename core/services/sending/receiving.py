"""
Receiving: delivery receipts land in the inbox and are merged into history.

A receipt is acknowledged to its gateway only after the inbox has it; it leaves the inbox only after
history has it, as it came. So it may come twice, and is kept once: by what it says, in inbox and history
alike. One worker at a time collects from a gateway, and one merges.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.orm import Session

from core.domain.messages.strays import Stray, StrayReason
from core.errors import ConfigurationError, GatewayError
from core.gateways.base import Gateway
from core.gateways.gateways import Gateways
from core.history.messages.message_store import CAME_SCHEMA, MessageStore
from core.services.leases import Lease, Leases
from core.services.sending.stray_reports import StrayReports
from core.state.accounts import gateways
from core.state.campaigns import part_ids, receipts
from core.state.campaigns.receipts import InboxReceipt
from core.state.engine.store import State
from core.state.upkeep.waiting import Waiting

Rows = TypeVar("Rows", pa.Table, pa.ChunkedArray)

log = logging.getLogger(__name__)

# So many are fetched, or forgotten, in one transaction of the state store: who sends waits for it.
AT_ONCE = 10_000
# So many go into history in one commit at most. The more have piled up, the less time each takes, since all messages
# are looked through once for all of them; more than these would take more memory than a worker may.
MERGE_LIMIT = 30_000
# A receipt may come before its batch is in history, and is tried anew when that comes. Other tries come ever more
# seldom: a provider that passes on another system's receipts, too, must not keep the history busy. After three days
# the message is taken to be none of ours.
RETRY_FIRST_S, RETRY_MOST_S = 2, 4 * 3_600
GIVE_UP = timedelta(days=3)
# The ids of parts are kept for longer than a receipt finds its message by them (`RECEIPT_LOOKBACK`) and waits for it.
PARTS_KEPT_FOR = timedelta(days=14)
# What is merged, each by its number in the inbox, and how often it found no message.
_INBOX_SCHEMA = CAME_SCHEMA.append(pa.field("try_count", pa.int64(), nullable=False))


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
        due = self._read_due(now)
        if not due.num_rows:
            return MergedReceipts(0, 0, 0)
        missed = pa.array(self._history.merge_receipts(due), pa.int64())
        is_missed = pc.is_in(due["receipt_no"], missed)
        is_late = pc.and_(is_missed, pc.greater_equal(due["received_at"], pa.scalar(now - GIVE_UP)))
        late, over = due.filter(is_late), due["receipt_no"].filter(pc.invert(is_late))
        abandoned = due.filter(pc.and_not(is_missed, is_late))
        for portion in _portions(abandoned):
            self._strays.keep([_stray(row) for row in portion.to_pylist()])
        # Who ends on the way leaves the rest to be merged once more, which changes nothing.
        for numbers in _portions(over):
            with self._state.write() as session:
                receipts.delete_receipts(session, numbers.to_pylist())
        for portion in _portions(late):
            with self._state.write() as session:
                _postpone(session, portion, now)
        return MergedReceipts(due.num_rows - len(missed), late.num_rows, abandoned.num_rows)

    def _read_due(self, now: datetime) -> pa.Table:
        """Return what is due as `_INBOX_SCHEMA`; by column it takes a fifth of the memory."""
        with self._state.read() as session:
            portions = [_as_table(portion) for portion in receipts.read_due(session, now, MERGE_LIMIT)]
        return pa.concat_tables([_INBOX_SCHEMA.empty_table(), *portions])

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
        came = 0
        try:
            gateway = self._gateways.get(name)
            if not gateway.may_have_receipts(clock()):
                # One that is told its receipts never has any: it is not worth a lease, which is written.
                return 0
            with self._leases.alone(f"receipts of {name}", clock) as lease:
                while lease and came < MERGE_LIMIT:
                    lease.check()
                    came += (fetched := self._fetch(gateway, lease, clock()))
                    if fetched < AT_ONCE:
                        break
        except ConfigurationError as error:
            # Who keeps gateways open has said so, and does not say it again and again.
            log.debug("receipts_not_fetched", extra={"gateway": name, "reason": error.message})
        except GatewayError as error:
            # The other gateways' receipts must not wait for this one; its own stay with it.
            log.warning("receipts_not_fetched", extra={"gateway": name, "reason": error.message})
        return came

    def _fetch(self, gateway: Gateway, lease: Lease, now: datetime) -> int:
        name = gateway.name
        fetched = gateway.fetch_receipts(AT_ONCE, now)
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


def _as_table(due: Sequence[InboxReceipt]) -> pa.Table:
    columns = dict(zip(InboxReceipt._fields, zip(*due, strict=True), strict=True))
    columns["receipt_no"] = columns["receipt_id"]
    return pa.table({field.name: pa.array(columns[field.name], field.type) for field in _INBOX_SCHEMA}, _INBOX_SCHEMA)


def _portions(rows: Rows) -> Iterator[Rows]:
    """Yield them as many at a time as are written in one transaction."""
    return (rows.slice(start, AT_ONCE) for start in range(0, len(rows), AT_ONCE))


def _postpone(session: Session, late: pa.Table, now: datetime) -> None:
    for try_count in pc.unique(late["try_count"]).to_pylist():
        wait_s = min(RETRY_MOST_S, RETRY_FIRST_S * 2 ** min(try_count, 20))
        ids = late.filter(pc.equal(late["try_count"], try_count))["receipt_no"].to_pylist()
        receipts.postpone(session, ids, try_count, now + timedelta(seconds=wait_s))


def _stray(row: dict[str, Any]) -> Stray:
    content = f"id {row['gateway_message_id']}, {row['receipt_state']}, error {row['error_code'] or 'none'}"
    content += f", done {row['done_at'].isoformat()}"
    return Stray(row["gateway"], StrayReason.NO_MESSAGE, content, row["received_at"])
