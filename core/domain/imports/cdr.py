"""Call detail records: files of messages that were sent outside the tool, and how their columns are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.domain.imports.cdr_prices import check_rates
from core.domain.imports.cdr_remarks import CellFault
from core.domain.messages.messages import DeliveryStatus
from core.errors import InvalidInput

MAX_COLUMNS = 200
# Nobody has records from before, and clocks differ by less.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_LEEWAY = timedelta(minutes=15)
# The same Message ID to the same receiver is the same message if the times lie no further apart: files disagree about
# when a message was sent, and providers use their ids again after a while.
SAME_MESSAGE_WITHIN = timedelta(days=2)


class CdrField(StrEnum):
    """What a column can mean, in the words of Message History."""

    SENT_DATE = "Sent Date"
    RECEIVER = "Receiver"
    DELIVERY_STATUS = "Delivery Status"
    MESSAGE_ID = "Message ID"
    SENDER = "Sender"
    DELIVERY_DATE = "Delivery Date"
    ERROR_CODE = "Error Code"
    PRICE = "Price"
    CURRENCY = "Currency"
    SEGMENTS = "Segments"
    UNICODE = "Unicode"
    COUNTRY = "Country"
    NETWORK = "Network"
    MCCMNC = "MCCMNC"

    @property
    def is_needed(self) -> bool:
        """Whether no record can do without it."""
        return self in NEEDED


NEEDED = (CdrField.SENT_DATE, CdrField.RECEIVER, CdrField.DELIVERY_STATUS)


class DateFormat(StrEnum):
    """How a file writes its times."""

    ISO = "YYYY-MM-DD HH:mm:ss (ISO 8601)"
    EPOCH_S = "Epoch, seconds"
    EPOCH_MS = "Epoch, milliseconds"
    DMY_SLASH = "DD/MM/YYYY HH:mm:ss"
    MDY_SLASH = "MM/DD/YYYY HH:mm:ss"
    DMY_DOT = "DD.MM.YYYY HH:mm:ss"
    DMY_DASH = "DD-MM-YYYY HH:mm:ss"
    YMD_SLASH = "YYYY/MM/DD HH:mm:ss"
    DMY_NAMED = "DD-Mon-YYYY HH:mm:ss"
    RFC_2822 = "Day, DD Mon YYYY HH:mm:ss +0000 (RFC 2822)"
    DMY_SHORT = "DD/MM/YY HH:mm:ss"
    MDY_SHORT = "MM/DD/YY HH:mm:ss"
    YMD_SHORT = "YY/MM/DD HH:mm:ss"
    DMY_DOT_SHORT = "DD.MM.YY HH:mm:ss"
    COMPACT = "YYYYMMDDHHmmss"
    SMPP = "YYMMDDHHmmss"

    @property
    def is_universal(self) -> bool:
        """Whether it names a moment by itself, whatever the time zone."""
        return self in {DateFormat.EPOCH_S, DateFormat.EPOCH_MS}

    @property
    def has_offset(self) -> bool:
        """Whether its times may say their own offset from UTC."""
        return self in {DateFormat.ISO, DateFormat.RFC_2822}

    @property
    def is_short(self) -> bool:
        """Whether the year has two digits: which of the numbers it is, is never clear enough not to ask."""
        return self in {
            DateFormat.DMY_SHORT,
            DateFormat.MDY_SHORT,
            DateFormat.YMD_SHORT,
            DateFormat.DMY_DOT_SHORT,
        }


class PriceUnit(StrEnum):
    """What a price of a message is counted in."""

    EUR_CENTS = "EUR cents"
    EUR = "EUR"


class RowFault(StrEnum):
    """Why a row is not a message; the first that applies, in this order. What it can do without is a `CellFault`."""

    CELLS = "cells"
    CONTROL = "control"
    NO_SENT_DATE = "no_sent_date"
    SENT_DATE = "sent_date"
    TOO_OLD = "too_old"
    IN_FUTURE = "in_future"
    NO_RECEIVER = "no_receiver"
    RECEIVER = "receiver"
    NO_STATUS = "no_status"
    STATUS = "status"


# The sentence for each; {cell} is what the file says.
ROW_FAULTS: dict[RowFault, str] = {
    RowFault.CELLS: "The row has {cell}.",
    RowFault.CONTROL: "A cell that is read holds a control character: {cell}.",
    RowFault.NO_SENT_DATE: "The Sent Date is missing.",
    RowFault.SENT_DATE: "The Sent Date {cell} is not in the file's date format.",
    RowFault.TOO_OLD: "The Sent Date {cell} is before the year 2000.",
    RowFault.IN_FUTURE: "The Sent Date {cell} is in the future; is the time zone right?",
    RowFault.NO_RECEIVER: "The Receiver is missing.",
    RowFault.RECEIVER: "The Receiver {cell} is not a subscriber number with a country code.",
    RowFault.NO_STATUS: "The Delivery Status is missing.",
    RowFault.STATUS: "The Delivery Status {cell} is unknown: say what it means before you import.",
}
MAX_CELL = 128


@dataclass(frozen=True)
class CdrMapping:
    """
    How the columns of a file become our fields.

    *columns* names a column for each field that the file has. *time_zone* is that of times which do not say. *statuses*
    says what words of the file mean, by `status_key`; the usual ones are known besides. *price_unit* is None as long as
    nobody said, which only matters when there is a price. *rates* says what one unit of each other currency is in EUR.
    """

    columns: Mapping[CdrField, str]
    date_format: DateFormat | None
    time_zone: str
    price_unit: PriceUnit | None = None
    statuses: Mapping[str, DeliveryStatus] = field(default_factory=dict)
    rates: Mapping[str, Decimal] = field(default_factory=dict)


def check_mapping(mapping: CdrMapping, headers: Sequence[str]) -> None:
    """
    Refuse a mapping that cannot be used for a file with *headers*.

    Raises: InvalidInput: a needed field has no column, a column does not exist or is named twice, or date format, unit
        of the price or time zone are missing or unknown, or a rate cannot be; its `field` is the field's name where
        there is one.
    """
    missing = [name for name in NEEDED if not mapping.columns.get(name)]
    if missing:
        raise InvalidInput(
            f"No column is chosen for {', '.join(missing)}.",
            hint="Say which column of the file holds it.",
            field=missing[0],
        )
    taken: dict[str, CdrField] = {}
    for name, column in mapping.columns.items():
        if column not in headers:
            raise InvalidInput(f"The file has no column {column!r}.", hint="Choose another one.", field=name)
        if column in taken:
            raise InvalidInput(
                f"The column {column!r} is chosen for {taken[column]} and for {name}.",
                hint="Choose each column once.",
                field=name,
            )
        taken[column] = name
    if mapping.date_format is None:
        raise InvalidInput(
            "The date format is not clear.", hint="Choose how the file writes its times.", field="format"
        )
    if CdrField.PRICE in mapping.columns and mapping.price_unit is None:
        raise InvalidInput(
            "The unit of the prices is not clear.",
            hint="Choose whether they are whole units of their currency or hundredths of it.",
            field="price_unit",
        )
    check_rates(mapping.rates)
    try:
        ZoneInfo(mapping.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(
            f"There is no time zone {mapping.time_zone!r}.",
            hint="Use a name like Europe/Berlin, or UTC.",
            field="time_zone",
        ) from None


class TrafficImportStatus(StrEnum):
    """How far an import is."""

    TO_MAP = "To Map"
    IN_PROGRESS = "In Progress"
    COMPLETED = "Completed"
    FAULTED = "Faulted"


@dataclass(frozen=True)
class TrafficCounts:
    """
    What became of the rows: read = added + updated + unchanged + repeated + rejected once all is done.

    *repeated* rows speak of a message that another row of the same file speaks of, too; together they are one.
    """

    read: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class TrafficImport:
    """
    A file of outside traffic, and what became of it.

    *columns* are its headers. *progress* is 0..1. *fault* and *hint* say what is wrong with a Faulted import, and what
    one In Progress waits for; else "". *remarks* counts rows that were kept with something missing. *rates* are those
    its prices are, or were, changed to EUR by.
    """

    import_id: str
    account_id: str
    user_id: str
    file_name: str
    columns: tuple[str, ...]
    signature: str
    status: TrafficImportStatus
    created_at: datetime
    created_by: str
    counts: TrafficCounts = field(default_factory=TrafficCounts)
    progress: float = 0.0
    fault: str = ""
    hint: str = ""
    finished_at: datetime | None = None
    remarks: Mapping[CellFault, int] = field(default_factory=dict)
    rates: Mapping[str, Decimal] = field(default_factory=dict)
