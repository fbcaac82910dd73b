"""Writing the message history: batches that were sent, and receipts for them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from core.domain.messages.receipts import parse_receipt_state
from core.history.engine.door import Cursor
from core.history.engine.results import fetch_one
from core.history.lake.changes import note_changes
from core.history.lake.connection import Lake
from core.history.lake.schema import MESSAGE_SCHEMA, RECEIPT_SCHEMA, UNSENT_SCHEMA
from core.history.messages.inserting import note_inserted
from core.history.rollups.rollups import record_changed
from core.history.sql.statements import load_statements

_SQL = load_statements("messages/message_store.sql")

# How long before a receipt's own time its message may have been sent. Gateways give up after two days unless told
# otherwise (SMPP's validity_period), so this leaves room for retries and for clocks that differ.
RECEIPT_LOOKBACK = timedelta(days=4)

# The messages that `settle_messages` has changed.
CHANGED = "(FROM settled WHERE changed)"

# A receipt as it came: it names its message as the gateway does.
CAME_SCHEMA = pa.schema([field for field in RECEIPT_SCHEMA if field.name not in ("message_id", "sent_at")])


class MessageStore:
    """Appends batches and merges receipts. Both are safe to run twice."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def append_batch(
        self,
        batch_id: str,
        campaign_id: str,
        messages: pa.Table,
        unsent: pa.Table,
        now: datetime,
        *,
        receipts: pa.Table | None = None,
    ) -> bool:
        """
        Write the outcome of a batch, all of it or nothing, once.

        Args:
            batch_id: Tags the commit: a second call with it writes nothing.
            campaign_id: Of the unsent rows and the tag; the messages carry their own.
            messages: `MESSAGE_SCHEMA` by column name; may be empty.
            unsent: `UNSENT_SCHEMA` by column name; may be empty.
            now: Recorded with the tag.
            receipts: `RECEIPT_SCHEMA` by column name, of messages whose receipts are known already.

        Returns: Whether the rows were written; False when the batch was already there.
        Raises: StorageError: as `Lake.write`.
        """
        messages = messages.select(MESSAGE_SCHEMA.names).cast(MESSAGE_SCHEMA)
        unsent = unsent.select(UNSENT_SCHEMA.names).cast(UNSENT_SCHEMA)
        tag = {"batch_id": batch_id, "campaign_id": campaign_id, "now": now, "message_count": messages.num_rows}

        def append(cursor: Cursor) -> bool:
            if _is_appended(cursor, batch_id):
                return False
            if messages.num_rows:
                insert_messages(cursor, messages)
            if unsent.num_rows:
                cursor.register("incoming_unsent", unsent)
                cursor.execute(_SQL["insert_unsent"], {"campaign_id": campaign_id})
            if receipts is not None and receipts.num_rows:
                cursor.register("known_receipts", receipts.select(RECEIPT_SCHEMA.names).cast(RECEIPT_SCHEMA))
                cursor.execute(_SQL["insert_known_receipts"])
            cursor.execute(_SQL["insert_tag"], tag)
            return True

        return self._lake.write(append)

    def is_appended(self, batch_id: str) -> bool:
        """Return whether `append_batch` has written the batch."""
        with self._lake.read() as cursor:
            return _is_appended(cursor, batch_id)

    def merge_receipts(self, came: pa.Table, lookback: timedelta = RECEIPT_LOOKBACK) -> frozenset[int]:
        """
        Bring the messages up to what the receipts say, in one update of the rows that change, and keep the receipts.

        However receipts are ordered, batched or repeated, the messages end in the same state: that of
        `core.domain.messages.receipts.merge`. The receipts of messages that are found are kept as they came, each once
        however often it comes or is merged, in the commit of the update.

        Args:
            came: `CAME_SCHEMA` by column name, in any order, several for one message too.
            lookback: Messages sent longer than this before the earliest `done_at` are not looked at,
                so that old files stay closed.

        Returns: receipt_no of every receipt whose message was not found.
        Raises: StorageError: as `Lake.write`.
        """
        if not came.num_rows:
            return frozenset()
        came = came.select(CAME_SCHEMA.names).cast(CAME_SCHEMA)
        earliest = pc.min(came["done_at"]).as_py() - lookback
        states = _read_states(came)

        def update(cursor: Cursor) -> frozenset[int]:
            cursor.register("incoming_receipts", came)
            cursor.register("receipt_states", states)
            cursor.execute(_SQL["fold"])
            settle_messages(cursor, _SQL["matched_receipts"], {"earliest": earliest})
            note_changes(cursor, [CHANGED])
            _keep(cursor)
            missed = cursor.execute(_SQL["missed"]).fetchall()
            cursor.execute(_SQL["drop_settled"])
            cursor.execute(_SQL["drop_folded"])
            return frozenset(receipt_no for (receipt_no,) in missed)

        return self._lake.write(update)


def insert_messages(cursor: Cursor, messages: pa.Table) -> None:
    """Write new *messages* (`MESSAGE_SCHEMA`, one at least), and let those know who count and find them."""
    cursor.register("incoming_messages", messages)
    cursor.execute(_SQL["insert_messages"].format(columns=_MESSAGE_COLUMNS))
    note_inserted(cursor, "incoming_messages")
    note_changes(cursor, ["incoming_messages"])


def settle_messages(cursor: Cursor, matched: str, values: Mapping[str, object]) -> int:
    """
    Bring stored messages up to what came for them, and log the difference for the rollups.

    Args:
        cursor: The writing transaction's.
        matched: A query for stored messages, each once, with what came for it: came_status, came_code, came_at. Its
            other columns are those of `matched_receipts`.
        values: What the query binds.

    Returns: How many messages changed. The temporary table `settled` holds all of them; the caller drops it.
    """
    cursor.execute(_SQL["settle"].format(matched=matched), dict(values))
    cursor.execute(_SQL["settled_before"])
    cursor.execute(_SQL["settled_after"])
    first, last, count = fetch_one(cursor, _SQL["changed_range"])
    if first is not None:
        cursor.execute(_SQL["update_changed"], {"first": first, "last": last})
        record_changed(cursor, "settled_before", "settled_after")
    cursor.execute(_SQL["drop_after"])
    cursor.execute(_SQL["drop_before"])
    return int(count)


def _is_appended(cursor: Cursor, batch_id: str) -> bool:
    return cursor.execute(_SQL["find_appended"], {"batch_id": batch_id}).fetchone() is not None


def _keep(cursor: Cursor) -> None:
    """Append the receipts of the messages that were found, except those an earlier merge has kept."""
    first, last = fetch_one(cursor, _SQL["reported_range"])
    if first is None:
        return
    cursor.execute(_SQL["new_receipts"], {"first": first, "last": last})
    if fetch_one(cursor, "SELECT count(*) FROM new_receipts")[0]:
        cursor.execute(_SQL["insert_receipts"])
    cursor.execute(_SQL["drop_new_receipts"])


def _read_states(came: pa.Table) -> pa.Table:
    """Return what each state that was said means, as receipt_state and delivery_status: they are few."""
    said = pc.unique(came["receipt_state"])
    means = [str(parse_receipt_state(state)) for state in said.to_pylist()]
    return pa.table({"receipt_state": said, "delivery_status": pa.array(means, pa.string())})


# The lake keeps message_id as a UUID; Arrow carries it as text.
_MESSAGE_COLUMNS = ", ".join(
    "message_id::UUID AS message_id" if name == "message_id" else name for name in MESSAGE_SCHEMA.names
)
