"""Reading all there is about one message: itself, its receipts as they came, when its audience was frozen."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.domain.messages.messages import DeliveryStatus, Receipt
from core.domain.times.periods import FIRST_YEAR, LAST_YEAR, Period
from core.history.engine.door import Cursor
from core.history.engine.results import fetch
from core.history.lake.connection import Lake
from core.history.lake.schema import MESSAGE_SCHEMA
from core.history.sql.filters import scope
from core.history.sql.statements import load_statements

_SQL = load_statements("messages/tracing.sql")
_COLUMNS = ", ".join(MESSAGE_SCHEMA.names)

# A message is sent after its id was made, but the two clocks may differ.
_CLOCKS = timedelta(hours=1)
# Most are sent within hours of their id. A campaign may be paused for weeks; then it takes a second look.
_USUALLY, _SELDOM = timedelta(days=2), timedelta(days=40)
_ALWAYS = Period(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR, 12, 31, tzinfo=UTC))


@dataclass(frozen=True)
class StoredMessage:
    """A message as `MESSAGE_SCHEMA` describes it."""

    message_id: str
    sent_at: datetime
    account: str
    campaign_id: str
    source: str
    receiver: str
    sender: str
    country: str
    network: str
    mccmnc: str
    delivery_status: DeliveryStatus
    error_code: str
    delivered_at: datetime | None
    price_eur_cents: Decimal
    segment_count: int
    unicode: bool
    gateway: str
    gateway_message_id: str


@dataclass(frozen=True)
class KeptReceipt:
    """A receipt as it came, and when it reached us."""

    receipt: Receipt
    received_at: datetime


@dataclass(frozen=True)
class StoredTrace:
    """
    All the lake knows of a message.

    *receipts* are in the order they came. *frozen_at* is when the audience of its campaign was frozen; None for a
    message of no campaign, and where it was not recorded.
    """

    message: StoredMessage
    receipts: tuple[KeptReceipt, ...]
    frozen_at: datetime | None


class Traces:
    """Finds single messages, within the accounts each question names."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def find(self, account_ids: Iterable[str], message_id: str) -> StoredTrace | None:
        """Return the message with this id, None where the accounts have none; all of it from one snapshot."""
        try:
            wanted = uuid.UUID(message_id.strip())
        except ValueError:
            return None
        with self._lake.read() as cursor:
            message = _find(cursor, frozenset(account_ids), wanted)
            if message is None:
                return None
            return StoredTrace(message, _receipts(cursor, message), _frozen_at(cursor, message.campaign_id))


def _find(cursor: Cursor, account_ids: frozenset[str], wanted: uuid.UUID) -> StoredMessage | None:
    for period in _periods(wanted):
        within = scope(account_ids, period)
        sql = _SQL["find"].format(columns=_COLUMNS, where=within.sql)
        rows = fetch(cursor, sql, {**within.values, "message_id": str(wanted)}).to_pylist()
        if rows:
            return _message(rows[0])
    return None


def _periods(wanted: uuid.UUID) -> Iterator[Period]:
    """Yield where to look for the message: a UUIDv7 says when it was made, in its first 48 bits (RFC 9562, 5.7)."""
    if wanted.version == 7:
        made_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=wanted.int >> 80)
        if _ALWAYS.start < made_at - _CLOCKS and made_at + _SELDOM < _ALWAYS.end:
            yield Period(made_at - _CLOCKS, made_at + _USUALLY)
            yield Period(made_at + _USUALLY, made_at + _SELDOM)
    yield _ALWAYS


def _message(row: dict[str, Any]) -> StoredMessage:
    return StoredMessage(**row | {"delivery_status": DeliveryStatus(row["delivery_status"])})


def _receipts(cursor: Cursor, message: StoredMessage) -> tuple[KeptReceipt, ...]:
    rows = fetch(cursor, _SQL["receipts"], {"sent_at": message.sent_at, "message_id": message.message_id}).to_pylist()
    return tuple(KeptReceipt(received_at=row.pop("received_at"), receipt=Receipt(**row)) for row in rows)


def _frozen_at(cursor: Cursor, campaign_id: str) -> datetime | None:
    rows = fetch(cursor, _SQL["frozen_at"], {"campaign_id": campaign_id}).to_pylist() if campaign_id else []
    return rows[0]["frozen_at"] if rows else None
