"""Whether a worker has anything to do: one question instead of one for each kind of work."""

from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Select, bindparam, or_, select

from core.domain.campaigns import OVERDUE_AFTER
from core.state import campaigns, exports, installation, ledger, lists, traffic_imports
from core.state.base import UtcDateTime


def is_work_waiting(connection: Connection, now: datetime) -> bool:
    """Return whether any row waits for a worker; receipts apart, of which `receipts.is_any_due` tells."""
    return bool(connection.scalar(_statement(), {"now": now, "overdue": now - OVERDUE_AFTER}))


@cache
def _statement() -> Select[bool]:
    # Built once: that takes longer than the answer.
    now, overdue = bindparam("now", type_=UtcDateTime()), bindparam("overdue", type_=UtcDateTime())
    waiting = (
        installation.waiting(now),
        lists.waiting(now),
        traffic_imports.waiting(now),
        campaigns.due(now, overdue),
        campaigns.processing(now),
        campaigns.canceled_open(now),
        exports.waiting(now),
        ledger.sendable(now),
    )
    return select(or_(*(found.exists() for found in waiting)))
