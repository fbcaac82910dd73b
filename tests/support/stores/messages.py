"""Factories for what goes into the message lake, valid by default."""

import itertools
import random
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from core.domain.messages.messages import DeliveryStatus, Receipt
from core.history.lake.schema import CONTACT_SCHEMA, MESSAGE_SCHEMA, UNSENT_SCHEMA
from core.history.messages.message_store import CAME_SCHEMA, MessageStore

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)

WORDS = {
    DeliveryStatus.SUBMITTED: "ENROUTE",
    DeliveryStatus.DELIVERED: "DELIVRD",
    DeliveryStatus.UNDELIVERED: "UNDELIV",
}
_NUMBERS = itertools.count(1)
_PLACES = [("DE", "Telekom", "26201"), ("DE", "Vodafone", "26202"), ("FR", "Orange", "20801"), ("AT", "", "")]


def make_message(**overrides: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "message_id": str(uuid.uuid4()),
        "sent_at": NOW,
        "account": "account-1",
        "campaign_id": "campaign-1",
        "source": "campaign",
        "receiver": "+491796548754",
        "sender": "Heliograph",
        "country": "DE",
        "network": "Telekom",
        "mccmnc": "26201",
        "delivery_status": "Submitted",
        "error_code": "",
        "delivered_at": None,
        "price_eur_cents": Decimal("7.5000"),
        "segment_count": 1,
        "unicode": False,
        "gateway": "simulator",
        "gateway_message_id": uuid.uuid4().hex,
    }
    return message | overrides


def make_random_message(source: random.Random, start: datetime, length: timedelta) -> dict[str, Any]:
    country, network, mccmnc = source.choice(_PLACES)
    sent_at = start + timedelta(microseconds=source.randrange(int(length / timedelta(microseconds=1))))
    status = source.choice(["Submitted", "Delivered", "Delivered", "Undelivered"])
    return make_message(
        sent_at=sent_at,
        account=f"account-{source.randrange(3)}",
        receiver=f"+49179{source.randrange(10**7):07d}",
        country=country,
        network=network,
        mccmnc=mccmnc,
        delivery_status=status,
        error_code=source.choice(["1", "27"]) if status == "Undelivered" else "",
        delivered_at=None if status == "Submitted" else sent_at + timedelta(seconds=source.randrange(600)),
        price_eur_cents=source.choice([Decimal("7.5000"), Decimal("0.0050"), Decimal("15.0000")]),
    )


def make_unsent(**overrides: Any) -> dict[str, Any]:
    unsent: dict[str, Any] = {
        "message_id": str(uuid.uuid4()),
        "msisdn": "+491796548755",
        "outcome": "failed",
        "reason": "rejected",
        "country": "DE",
        "network": "Telekom",
        "mccmnc": "26201",
        "recorded_at": NOW,
    }
    return unsent | overrides


def make_contact(row_no: int, **overrides: Any) -> dict[str, Any]:
    contact: dict[str, Any] = {
        "row_no": row_no,
        "msisdn": f"+49179{row_no:07d}",
        "country": "DE",
        "network": "Telekom",
        "mccmnc": "26201",
        "fields": [f"+49179{row_no:07d}", f"Name {row_no}"],
    }
    return contact | overrides


@dataclass(frozen=True)
class ReceiptUpdate:
    """A receipt as it came, with its number in the inbox."""

    receipt: Receipt
    received_at: datetime
    receipt_no: int

    @property
    def key(self) -> tuple[str, str]:
        """The message it speaks of: gateway and gateway_message_id."""
        return self.receipt.gateway, self.receipt.gateway_message_id


def receipt_table(updates: Sequence[ReceiptUpdate]) -> pa.Table:
    """Return receipts as `MessageStore.merge_receipts` takes them."""
    rows = [asdict(each.receipt) | {"received_at": each.received_at, "receipt_no": each.receipt_no} for each in updates]
    return pa.Table.from_pylist(rows, schema=CAME_SCHEMA)


def merge_receipts(store: MessageStore, updates: Sequence[ReceiptUpdate], **options: timedelta) -> set[tuple[str, str]]:
    """Merge them; return the `key` of each whose message was found."""
    missed = store.merge_receipts(receipt_table(updates), **options)
    return {each.key for each in updates if each.receipt_no not in missed}


def make_update(status: DeliveryStatus, **overrides: Any) -> ReceiptUpdate:
    """Return a receipt with a word for *status*, another one with every call; it came when it says it was done."""
    facts: dict[str, Any] = {
        "gateway": "simulator",
        "gateway_message_id": "theirs-1",
        "receipt_state": WORDS[status],
        "error_code": "",
        "done_at": NOW,
    }
    receipt = Receipt(**(facts | overrides))
    return ReceiptUpdate(receipt, receipt.done_at, next(_NUMBERS))


def message_table(*messages: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(messages), schema=MESSAGE_SCHEMA)


def unsent_table(*unsent: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(unsent), schema=UNSENT_SCHEMA)


def contact_table(*contacts: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(contacts), schema=CONTACT_SCHEMA)
