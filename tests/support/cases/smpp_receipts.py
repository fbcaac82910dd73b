"""The forms in which vendors send delivery receipts, and what each of them says."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from core.gateways.smpp.messages.deliver_sm import MESSAGE_PAYLOAD, DeliverSm
from core.gateways.smpp.settings import Ids, SmppSettings

PATH = Path(__file__).parents[2] / "data" / "smpp_receipts.json"
ARRIVED_AT = datetime(2026, 11, 28, 16, 31, 5, tzinfo=UTC)


@dataclass(frozen=True)
class ReceiptCase:
    """
    A deliver_sm and what it is.

    *text* and *payload* are in Latin-1; *hex* stands for *text* where that is not enough, and in *optional*, by tags in
    hex. *receipt* has id, state, error code and the time in UTC, None for the time of arrival.
    """

    name: str
    kind: str
    text: str = ""
    hex: str = ""
    payload: str = ""
    esm_class: int = 4
    data_coding: int = 0
    optional: dict[str, str] = field(default_factory=dict)
    ids: str = Ids.AS_THEY_ARE
    offset_min: int = 0
    receipt: tuple[str, str, str, str | None] | None = None

    @property
    def deliver_sm(self) -> DeliverSm:
        optional = {int(tag, 16): bytes.fromhex(value) for tag, value in self.optional.items()}
        if self.payload:
            optional[MESSAGE_PAYLOAD] = self.payload.encode("latin-1")
        octets = bytes.fromhex(self.hex) or self.text.encode("latin-1")
        return DeliverSm(self.esm_class, self.data_coding, octets, "491511234567", "12345", ARRIVED_AT, optional)

    @property
    def settings(self) -> SmppSettings:
        return SmppSettings(ids=Ids(self.ids), receipt_offset_min=self.offset_min)

    @property
    def done_at(self) -> datetime:
        moment = self.receipt[3] if self.receipt else None
        return datetime.fromisoformat(moment).replace(tzinfo=UTC) if moment else ARRIVED_AT


def load_receipts() -> list[ReceiptCase]:
    """Return the cases in file order."""
    return [ReceiptCase(**case) for case in json.loads(PATH.read_text("utf-8"))]
