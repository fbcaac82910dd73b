"""What an export asks, as it is kept in the state store until a worker answers it: JSON and back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.domain.accounts.suppressions import SuppressionFilter, SuppressionSource
from core.domain.messages.replies import Keyword
from core.domain.reports.audit import Action, AuditFilter
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.replies import ReplyFilter
from core.domain.reports.statistics import GroupBy, Measure, NameFilter, Operator, Sorting
from core.domain.times.periods import Period
from core.services.reports.reporting import StatisticsRequest

# Fields of `MessageQuery` that are plain text.
TEXT_FILTERS = (
    "receiver",
    "sender",
    "message_id",
    "country",
    "network",
    "mccmnc",
    "delivery_status",
    "error_code",
    "campaign_id",
    "gateway_message_id",
)


@dataclass(frozen=True)
class MessagesRequest:
    """The messages of *query*, with the columns of these labels; whose accounts they are is decided when it runs."""

    query: MessageQuery
    columns: tuple[str, ...]


@dataclass(frozen=True)
class AuditRequest:
    """The lines of the audit."""

    wanted: AuditFilter


@dataclass(frozen=True)
class RepliesRequest:
    """The replies; whose accounts they are is decided when it runs."""

    wanted: ReplyFilter


@dataclass(frozen=True)
class SuppressionsRequest:
    """The suppressions; whose accounts they are is decided when it runs."""

    wanted: SuppressionFilter


ExportRequest = MessagesRequest | StatisticsRequest | AuditRequest | RepliesRequest | SuppressionsRequest


def encode(request: ExportRequest) -> str:
    """Return *request* as `decode` reads it."""
    facts: dict[str, Any]
    if isinstance(request, AuditRequest):
        wanted = request.wanted
        moments = [moment.isoformat() if moment else "" for moment in (wanted.start, wanted.end)]
        return json.dumps({"kind": "audit", "period": moments, "text": wanted.text, "action": wanted.action or ""})
    if isinstance(request, RepliesRequest):
        asked = request.wanted
        facts = {name: getattr(asked, name) for name in ("search", "account_id", "campaign_id")}
        facts |= {"kind": "replies", "keyword": asked.keyword or ""}
        return json.dumps(facts | _moments(asked.period))
    if isinstance(request, SuppressionsRequest):
        sought = request.wanted
        facts = {"number": sought.number, "source": sought.source or "", "account_id": sought.account_id}
        return json.dumps({"kind": "suppressions"} | facts)
    if isinstance(request, StatisticsRequest):
        by = request.sorting.by
        facts = {
            "kind": "statistics",
            "group_by": list(request.group_by),
            "sort": by.value if by else "",
            "descending": request.sorting.descending,
        }
        return json.dumps(facts | _shared(request.period, request.filters))
    query = request.query
    facts = {
        "kind": "messages",
        "columns": list(request.columns),
        "texts": {name: getattr(query, name) for name in TEXT_FILTERS if getattr(query, name)},
        "price": None if query.price_eur_cents is None else str(query.price_eur_cents),
        "message_ids": sorted(query.message_ids),
    }
    return json.dumps(facts | _shared(query.period, query.names))


def _shared(period: Period, names: tuple[NameFilter, ...]) -> dict[str, Any]:
    return _moments(period) | {"names": [[name.field, name.operator, name.term] for name in names]}


def _moments(period: Period) -> dict[str, Any]:
    return {"period": [period.start.isoformat(), period.end.isoformat()]}


def decode(text: str) -> ExportRequest:
    """Return the request that `encode` wrote."""
    facts: Mapping[str, Any] = json.loads(text)
    if facts["kind"] == "audit":
        first, last = (datetime.fromisoformat(moment) if moment else None for moment in facts["period"])
        action = Action(facts["action"]) if facts["action"] else None
        return AuditRequest(AuditFilter(first, last, facts["text"], action))
    if facts["kind"] == "suppressions":
        source = SuppressionSource(facts["source"]) if facts["source"] else None
        return SuppressionsRequest(SuppressionFilter(facts["number"], source, facts["account_id"]))
    start, end = (datetime.fromisoformat(moment) for moment in facts["period"])
    if facts["kind"] == "replies":
        keyword = Keyword(facts["keyword"]) if facts["keyword"] else None
        asked = ReplyFilter(Period(start, end), facts["search"], keyword, facts["account_id"], facts["campaign_id"])
        return RepliesRequest(asked)
    names = tuple(NameFilter(GroupBy(field), Operator(operator), term) for field, operator, term in facts["names"])
    if facts["kind"] == "statistics":
        groups = tuple(GroupBy(group) for group in facts["group_by"])
        sorting = Sorting(_sorted_by(facts["sort"]), facts["descending"])
        return StatisticsRequest(Period(start, end), groups, names, sorting)
    query = MessageQuery(frozenset(), Period(start, end), names=names, **facts["texts"])
    price = None if facts["price"] is None else Decimal(facts["price"])
    selected = replace(query, price_eur_cents=price, message_ids=frozenset(facts["message_ids"]))
    return MessagesRequest(selected, tuple(facts["columns"]))


def _sorted_by(text: str) -> Measure | GroupBy | None:
    if not text:
        return None
    return Measure(text) if text in set(Measure) else GroupBy(text)
