"""Whether a worker has anything to do: one question instead of one for each kind of work."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnClause,
    CompoundSelect,
    Connection,
    Integer,
    String,
    bindparam,
    literal_column,
    or_,
    select,
    union_all,
)

from core.domain.campaigns.campaigns import OVERDUE_AFTER
from core.state.accounts import gateways
from core.state.campaigns import campaigns, confirmations, late_answers, ledger, receipts, replies
from core.state.imports import lists, traffic_imports
from core.state.reports import exports
from core.state.suppressions import imports as suppression_imports
from core.state.tables.base import UtcDateTime
from core.state.upkeep import installation

# What a row of the answer says.
_WORK, _RECEIPTS, _REPLIES, _CONFIRMATIONS = "work", "receipts", "replies", "confirmations"
_FAILING, _GATEWAY = "failing", "gateway"


@dataclass(frozen=True)
class Waiting:
    """
    What was seen: whether a row waits for a worker, a receipt, a reply, a STOP to be confirmed, a gateway that fails.

    *gateways* are those that are set up, with their versions, whether an account uses one just now or not: what waits
    there nobody has told the store yet, and receipts come for days after the last message. An answer that came late
    counts as a receipt.
    """

    has_work: bool
    has_receipts: bool
    has_replies: bool
    gateways: Mapping[str, int]
    has_failing_gateways: bool = False
    has_confirmations: bool = False


def look(connection: Connection, now: datetime) -> Waiting:
    """Return what waits *now*."""
    rows = connection.execute(_statement(), {"now": now, "overdue": now - OVERDUE_AFTER}).all()
    said = {what for what, _, _ in rows}
    versions = {name: version for what, name, version in rows if what == _GATEWAY}
    return Waiting(
        _WORK in said, _RECEIPTS in said, _REPLIES in said, versions, _FAILING in said, _CONFIRMATIONS in said
    )


@cache
def _statement() -> CompoundSelect[Any]:
    # Built once: that takes longer than the answer.
    now, overdue = bindparam("now", type_=UtcDateTime()), bindparam("overdue", type_=UtcDateTime())
    waiting = (
        installation.waiting(now),
        lists.waiting(now),
        traffic_imports.waiting(now),
        suppression_imports.waiting(now),
        campaigns.due(now, overdue),
        campaigns.processing(now),
        campaigns.canceled_open(now),
        exports.waiting(now),
        ledger.sendable(now),
        ledger.abandoned(now),
    )
    versions = gateways.VERSIONS.subquery()
    nothing = _literal(""), literal_column("0", Integer)
    return union_all(
        select(_literal(_WORK), *nothing).where(or_(*(found.exists() for found in waiting))),
        select(_literal(_RECEIPTS), *nothing).where(or_(receipts.due(now).exists(), late_answers.due().exists())),
        select(_literal(_REPLIES), *nothing).where(replies.due(now).exists()),
        select(_literal(_CONFIRMATIONS), *nothing).where(confirmations.WAITING.exists()),
        select(_literal(_FAILING), *nothing).where(gateways.FAILING.exists()),
        select(_literal(_GATEWAY), versions.c.name, versions.c.version),
    )


def _literal(text: str) -> ColumnClause[str]:
    return literal_column(f"'{text}'", String)
