"""The lake's tables: their migrations, and the Arrow tables that go in and come out."""

from collections.abc import Callable

import pyarrow as pa

from core.history.engine.door import Cursor
from core.history.lake.cleaning import clean
from core.history.sql.statements import load_statements

_UTC = pa.timestamp("us", tz="UTC")
_PRICE = pa.decimal128(12, 4)

# A row of a distribution list as `ContactStore` takes and gives it. row_no is the row of the file, its header
# being 1; fields hold the cells in the list's column order, "" when empty.
CONTACT_SCHEMA = pa.schema(
    [
        pa.field("row_no", pa.int32(), nullable=False),
        pa.field("msisdn", pa.string(), nullable=False),
        pa.field("country", pa.string(), nullable=False),
        pa.field("network", pa.string(), nullable=False),
        pa.field("mccmnc", pa.string(), nullable=False),
        pa.field("fields", pa.list_(pa.string()), nullable=False),
    ]
)

# A message a gateway accepted, as `MessageStore` takes it and `MessageQueries` gives it. message_id is a UUIDv7
# as text; delivered_at is the gateway's time of the final state and null before; price is of all segments.
MESSAGE_SCHEMA = pa.schema(
    [
        pa.field("message_id", pa.string(), nullable=False),
        pa.field("sent_at", _UTC, nullable=False),
        pa.field("account", pa.string(), nullable=False),
        pa.field("campaign_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("receiver", pa.string(), nullable=False),
        pa.field("sender", pa.string(), nullable=False),
        pa.field("country", pa.string(), nullable=False),
        pa.field("network", pa.string(), nullable=False),
        pa.field("mccmnc", pa.string(), nullable=False),
        pa.field("delivery_status", pa.string(), nullable=False),
        pa.field("error_code", pa.string(), nullable=False),
        pa.field("delivered_at", _UTC),
        pa.field("price_eur_cents", _PRICE, nullable=False),
        pa.field("segment_count", pa.int32(), nullable=False),
        pa.field("unicode", pa.bool_(), nullable=False),
        pa.field("gateway", pa.string(), nullable=False),
        pa.field("gateway_message_id", pa.string(), nullable=False),
    ]
)

# A delivery receipt of a message, as it came. sent_at is the message's; done_at is the gateway's time of the state and
# received_at ours. receipt_no tells receipts apart that came at the same moment, in the order they did.
RECEIPT_SCHEMA = pa.schema(
    [
        pa.field("message_id", pa.string(), nullable=False),
        pa.field("sent_at", _UTC, nullable=False),
        pa.field("receipt_no", pa.int64(), nullable=False),
        pa.field("gateway", pa.string(), nullable=False),
        pa.field("gateway_message_id", pa.string(), nullable=False),
        pa.field("receipt_state", pa.string(), nullable=False),
        pa.field("error_code", pa.string(), nullable=False),
        pa.field("done_at", _UTC, nullable=False),
        pa.field("received_at", _UTC, nullable=False),
    ]
)

# A row of an audience that became no sent message: outcome is excluded, failed or unknown. What is unknown was recorded
# when it was claimed: from then on it may have been sent.
UNSENT_SCHEMA = pa.schema(
    [
        pa.field("message_id", pa.string()),
        pa.field("msisdn", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("country", pa.string(), nullable=False),
        pa.field("network", pa.string(), nullable=False),
        pa.field("mccmnc", pa.string(), nullable=False),
        pa.field("recorded_at", _UTC, nullable=False),
    ]
)

_BLOCKS = {name.removeprefix("migration_"): sql for name, sql in load_statements("lake/schema.sql").items()}
# Their names begin with their numbers, in whose order they run. Those that no fixed SQL can do are functions.
Migration = str | Callable[[Cursor], None]
_STEPS: dict[str, Migration] = {**_BLOCKS, "0013_no_control_characters": clean}
MIGRATIONS = {name: _STEPS[name] for name in sorted(_STEPS)}


def migrate(connection: Cursor) -> list[str]:
    """
    Bring the lake's tables up to date inside the caller's transaction; safe to run twice.

    Returns: The names of the migrations that ran now, in order.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS lake.schema_migrations (name VARCHAR NOT NULL)")
    done = {name for (name,) in connection.execute("SELECT name FROM lake.schema_migrations").fetchall()}
    missing = [name for name in MIGRATIONS if name not in done]
    for name in missing:
        step = MIGRATIONS[name]
        if isinstance(step, str):
            connection.execute(step)
        else:
            step(connection)
        connection.execute("INSERT INTO lake.schema_migrations VALUES ($name)", {"name": name})
    return missing
