"""What is in an exported file: its rows, its columns, and the notes that say what they mean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from core.domain.numbering import country_name
from core.domain.people.permissions import Viewer
from core.domain.reports.delays import MOST_ERROR
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.statistics import GroupBy, NameFilter
from core.domain.times.periods import Period
from core.domain.words.counting import count_of, grouped, in_euros
from core.files.exports.export_columns import Column, Kind, Layout
from core.services.reports.auditing import Auditing
from core.services.reports.export_requests import (
    TEXT_FILTERS,
    AuditRequest,
    ExportRequest,
    MessagesRequest,
    RepliesRequest,
    SuppressionsRequest,
)
from core.services.reports.reading_replies import ReadingReplies
from core.services.reports.reporting import Reporting, StatisticsRequest
from core.services.suppressions.managing import ManagingSuppressions

MESSAGE_COLUMNS = (
    Column("Sent Date", "sent_at", Kind.MOMENT, 20),
    Column("Receiver", "receiver", Kind.TEXT, 18),
    Column("Sender", "sender", Kind.TEXT, 16),
    Column("Country", "country", Kind.TEXT, 18),
    Column("Network", "network", Kind.TEXT, 20),
    Column("MCCMNC", "mccmnc", Kind.TEXT, 10),
    Column("Error Code", "error_code", Kind.TEXT, 14),
    Column("Delivery Status", "delivery_status", Kind.TEXT, 16),
    Column("Delivery Date", "delivered_at", Kind.MOMENT, 20),
    Column("DLR Time", "dlr_s", Kind.SECONDS, 12),
    Column("Price [EUR c]", "price_eur_cents", Kind.CENTS, 14),
    Column("Unicode", "unicode", Kind.FLAG, 10),
    Column("Message ID", "message_id", Kind.TEXT, 38),
    Column("Gateway Message ID", "gateway_message_id", Kind.TEXT, 38),
    Column("Account", "account", Kind.TEXT, 20),
)
_GROUPS = {
    GroupBy.YEAR: Column("Year", "Year", Kind.YEAR, 8),
    GroupBy.MONTH: Column("Month", "Month", Kind.MONTH, 12),
    GroupBy.DAY: Column("Day", "Day", Kind.DAY, 12),
    GroupBy.PRICE: Column("Price [EUR c]", "Price", Kind.CENTS, 14),
}
_COUNTS = (
    Column("Sent", "sent", Kind.COUNT),
    Column("Delivered", "delivered", Kind.COUNT),
    Column("Undelivered", "undelivered", Kind.COUNT),
    Column("Transmitted", "transmitted", Kind.COUNT),
)
_MEASURES = (
    *_COUNTS,
    Column("Delivery Rate", "delivery_rate", Kind.RATE),
    Column("Cost [EUR]", "cost_eur", Kind.EUROS, 16),
    Column("DLR Time", "median_dlr_s", Kind.SECONDS),
    Column("DLR Time 95 %", "p95_dlr_s", Kind.SECONDS, 16),
)
_MESSAGE_NOTES = (
    ("Delivery Status", "Submitted: sent, no final receipt yet. Delivered, Undelivered: as the last receipt says."),
    ("Delivery Date", "When the message was delivered; empty for all others."),
    ("DLR Time", "Seconds from sending to the final receipt."),
    ("Price [EUR c]", "Euro cents for the whole message."),
    ("Gateway Message ID", "What the provider calls the message; empty if its file had none."),
)
_STATISTICS_NOTES = (
    ("Sent", "Delivered + Undelivered + Transmitted."),
    ("Transmitted", "Sent, with no final receipt yet."),
    ("Delivery Rate", "Delivered / Sent."),
    ("Cost [EUR]", "Euros for all messages of the row."),
    (
        "DLR Time",
        f"Seconds within which half (95 %) of the delivered messages arrived, at most {MOST_ERROR:.1%} off.",
    ),
)
AUDIT_COLUMNS = (
    Column("Date", "at", Kind.MOMENT, 20),
    Column("Who", "who", Kind.TEXT, 22),
    Column("Action", "action", Kind.TEXT, 22),
    Column("Kind", "kind", Kind.TEXT, 12),
    Column("What", "subject", Kind.TEXT, 30),
    Column("Details", "details", Kind.TEXT, 40),
    Column("Address", "address", Kind.TEXT, 18),
    Column("ID", "subject_id", Kind.TEXT, 38),
)
_AUDIT_NOTES = (
    ("Who", "The person's name at that time; empty for somebody who was not logged in."),
    ("Address", "Of the browser; empty for the command line and the worker."),
)
REPLY_COLUMNS = (
    Column("Received Date", "received_at", Kind.MOMENT, 20),
    Column("From", "sender", Kind.TEXT, 18),
    Column("To", "receiver", Kind.TEXT, 16),
    Column("Text", "text", Kind.TEXT, 60),
    Column("Asks For", "asks_for", Kind.TEXT, 14),
    Column("Account", "account", Kind.TEXT, 20),
    Column("Campaign", "campaign", Kind.TEXT, 24),
    Column("Message ID", "message_id", Kind.TEXT, 38),
    Column("Gateway", "gateway", Kind.TEXT, 14),
)
_REPLY_NOTES = (
    ("From", "The person's number; as the provider wrote it where it cannot be read as one."),
    ("To", "The sender ID or number that was answered."),
    ("Asks For", "STOP, START or HELP where the whole reply is such a word, in any language; empty for all others."),
    ("Account", "Whose message it answers; all that it may be meant for where that is not known."),
    ("Message ID", "The message it answers; empty where that is not known."),
)
SUPPRESSION_COLUMNS = (
    Column("Date", "created_at", Kind.MOMENT, 20),
    # As an import wants it.
    Column("PhoneNumber", "msisdn", Kind.TEXT, 18),
    Column("Scope", "scope", Kind.TEXT, 24),
    Column("Source", "source", Kind.TEXT, 14),
    Column("Reason", "reason", Kind.TEXT, 40),
    Column("Added By", "created_by", Kind.TEXT, 20),
)
_SUPPRESSION_NOTES = (
    ("Scope", "The account that does not send to the number, or All accounts."),
    ("Source", "STOP reply: the person's own wish. Import: a file. Person: somebody added it by hand."),
    ("Rows", "A number that is suppressed for several reasons has a row for each."),
)
_LABELS = {
    "message_id": "Message ID",
    "gateway_message_id": "Gateway Message ID",
    "mccmnc": "MCCMNC",
    "delivery_status": "Delivery Status",
    "error_code": "Error Code",
    "campaign_id": "Campaign",
}


@dataclass(frozen=True)
class Contents:
    """The file's columns and notes, how many rows there are, and the rows themselves, a table at a time."""

    layout: Layout
    row_count: int
    tables: Iterator[pa.Table]


@dataclass(frozen=True)
class Sources:
    """Who answers what is exported."""

    reporting: Reporting
    auditing: Auditing
    replies: ReadingReplies
    suppressions: ManagingSuppressions


def contents_of(sources: Sources, viewer: Viewer, request: ExportRequest, now: datetime) -> Contents:
    """
    Return what the file holds that *viewer* asked for; permission and accounts are the viewer's of now.

    Raises: Forbidden. InvalidInput: as `Reporting.messages` and `Reporting.statistics`.
    """
    if isinstance(request, MessagesRequest):
        return _messages(sources.reporting, viewer, request, now)
    if isinstance(request, AuditRequest):
        return _audit(sources.auditing, viewer, request, now)
    if isinstance(request, RepliesRequest):
        return _replies(sources.replies, viewer, request, now)
    if isinstance(request, SuppressionsRequest):
        return _suppressions(sources.suppressions, viewer, request, now)
    return _statistics(sources.reporting, viewer, request, now)


def _messages(reporting: Reporting, viewer: Viewer, request: MessagesRequest, now: datetime) -> Contents:
    row_count, tables = reporting.all_messages(viewer, request.query)
    columns = tuple(column for column in MESSAGE_COLUMNS if column.label in request.columns)
    filters = _words_of(request.query)
    notes = (*_about(viewer, request.query.period, filters, row_count, now), *_MESSAGE_NOTES)
    if not viewer.sees_numbers:
        notes = (*notes, ("Receiver", "Masked: seeing numbers needs the permission DistributionLists."))
    layout = Layout("Messages", columns, notes)
    return Contents(layout, row_count, (_in_zone(table, viewer.time_zone) for table in tables))


def _statistics(reporting: Reporting, viewer: Viewer, request: StatisticsRequest, now: datetime) -> Contents:
    table, totals = reporting.all_statistics(viewer, request)
    groups = [group for group in GroupBy if group in request.group_by]
    columns = tuple(_GROUPS.get(group, Column(group, group, Kind.TEXT, 20)) for group in groups)
    about = _about(viewer, request.period, _words_of_names(request.filters), table.num_rows, now)
    notes = (*about, ("Grouped by", ", ".join(groups)), ("Total", _words_of_totals(totals)), *_STATISTICS_NOTES)
    return Contents(Layout("Statistics", (*columns, *_MEASURES), notes), table.num_rows, iter([_in_euros(table)]))


def _in_euros(table: pa.Table) -> pa.Table:
    """Return *table* with cost_eur besides (decimal128(38, 6)): the same digits, with the point two places on."""
    chunks = [
        pa.Array.from_buffers(pa.decimal128(38, 6), len(chunk), chunk.buffers(), offset=chunk.offset)
        for chunk in table["cost_eur_cents"].cast(pa.decimal128(38, 4)).chunks
    ]
    return table.append_column("cost_eur", pa.chunked_array(chunks, pa.decimal128(38, 6)))


def _audit(auditing: Auditing, viewer: Viewer, request: AuditRequest, now: datetime) -> Contents:
    row_count, tables = auditing.all_entries(viewer, request.wanted)
    wanted, filters = request.wanted, []
    if wanted.action:
        filters.append(f"Action: {wanted.action}")
    if wanted.text.strip():
        filters.append(f"Who or what contains: {wanted.text.strip()}")
    period = Period(wanted.start, wanted.end) if wanted.start and wanted.end else None
    notes = (*_about(viewer, period, filters, row_count, now), *_AUDIT_NOTES)
    shown = (_at_in_zone(table, viewer.time_zone) for table in tables)
    return Contents(Layout("Audit", AUDIT_COLUMNS, notes), row_count, shown)


def _replies(replies: ReadingReplies, viewer: Viewer, request: RepliesRequest, now: datetime) -> Contents:
    wanted = request.wanted
    row_count, tables = replies.all_replies(viewer, wanted)
    filters = replies.in_words(viewer, wanted)
    notes = (*_about(viewer, wanted.period, filters, row_count, now), *_REPLY_NOTES)
    if not viewer.sees_numbers:
        notes = (*notes, ("From", "Masked: seeing numbers needs the permission DistributionLists."))
    shown = (_at_in_zone(table, viewer.time_zone) for table in tables)
    return Contents(Layout("Replies", REPLY_COLUMNS, notes), row_count, shown)


def _suppressions(
    suppressions: ManagingSuppressions, viewer: Viewer, request: SuppressionsRequest, now: datetime
) -> Contents:
    row_count, tables = suppressions.all_suppressions(viewer, request.wanted)
    filters = suppressions.in_words(viewer, request.wanted)
    notes = (*_about(viewer, None, filters, row_count, now), *_SUPPRESSION_NOTES)
    shown = (_at_in_zone(table, viewer.time_zone) for table in tables)
    return Contents(Layout("Suppressions", SUPPRESSION_COLUMNS, notes), row_count, shown)


def _at_in_zone(table: pa.Table, time_zone: str) -> pa.Table:
    """Return *table* with its moments, which are its first column, as those of the zone."""
    return table.set_column(0, table.column_names[0], table[0].cast(pa.timestamp("us", tz=time_zone)))


def _about(
    viewer: Viewer, period: Period | None, filters: Sequence[str], row_count: int, now: datetime
) -> tuple[tuple[str, str], ...]:
    zone = ZoneInfo(viewer.time_zone)
    days = "All"
    if period:
        first, last = (moment.astimezone(zone) for moment in (period.start, period.end - timedelta(seconds=1)))
        days = f"{first:%d/%m/%Y %H:%M:%S} – {last:%d/%m/%Y %H:%M:%S}"
    return (
        ("Created by", f"{viewer.name} <{viewer.email}> with Heliograph"),
        ("Created on", f"{now.astimezone(zone):%d/%m/%Y %H:%M:%S}"),
        ("Period", days),
        ("Time zone", f"{viewer.time_zone}: of all times in this file"),
        ("Filters", "\n".join(filters) or "None"),
        ("Rows", f"{row_count}"),
    )


def _words_of_totals(totals: pa.Table) -> str:
    (row,) = totals.to_pylist()
    counts = ", ".join(f"{grouped(row[column.source])} {column.label.lower()}" for column in _COUNTS)
    return f"{counts}; cost {in_euros(row['cost_eur_cents'])}"


def _words_of(query: MessageQuery) -> list[str]:
    words = [
        f"{_LABELS.get(name, name.title())}: {country_name(value) if name == 'country' else value}"
        for name in TEXT_FILTERS
        if (value := getattr(query, name))
    ]
    if query.price_eur_cents is not None:
        words.append(f"Price [EUR c]: {query.price_eur_cents}")
    if query.message_ids:
        words.append(count_of(len(query.message_ids), "selected message", "selected messages"))
    return [*words, *_words_of_names(query.names)]


def _words_of_names(names: Sequence[NameFilter]) -> list[str]:
    return [f"{name.field} – {name.operator.lower()}: {name.term or 'Unknown'}" for name in names]


def _in_zone(table: pa.Table, time_zone: str) -> pa.Table:
    """Return the moments as those of the zone; they stay the same moments."""
    for name in ("sent_at", "delivered_at"):
        moments = table[name].cast(pa.timestamp("us", tz=time_zone))
        table = table.set_column(table.column_names.index(name), name, moments)
    return table.set_column(table.column_names.index("dlr_s"), "dlr_s", pc.round(table["dlr_s"], 3))
