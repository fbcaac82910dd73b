"""
The ids of the other parts of long messages, by gateway: a receipt that names one of them is of the whole message.

Only gateways that report one part alone, and do not say which, have any.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.state.tables.base import count_changed, insert_of
from core.state.tables.models import PartIdRow


class Parts(NamedTuple):
    """What a gateway calls a message, and what it calls its other parts."""

    gateway: str
    known_as: str
    part_ids: Sequence[str]


def note_parts(session: Session, messages: Sequence[Parts], now: datetime) -> None:
    """Remember whose the parts are. An id that a gateway gives a second time is the newest message's."""
    rows = {(each.gateway, part_id): each.known_as for each in messages for part_id in each.part_ids}
    if rows:
        insert = insert_of(session)(PartIdRow)
        keys = ["gateway", "gateway_message_id"]
        newest = {name: insert.excluded[name] for name in ("known_as", "noted_at")}
        session.connection().execute(
            insert.on_conflict_do_update(index_elements=keys, set_=newest),
            [
                {"gateway": gateway, "gateway_message_id": part_id, "known_as": known_as, "noted_at": now}
                for (gateway, part_id), known_as in sorted(rows.items())
            ],
        )


def delete_old(session: Session, before: datetime) -> int:
    """Forget what was noted before then; return how much that was."""
    return count_changed(session, delete(PartIdRow).where(PartIdRow.noted_at < before))
