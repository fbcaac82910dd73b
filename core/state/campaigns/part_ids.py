"""
The ids of the other parts of long messages, by gateway: a receipt that names one of them is of the whole message.

Only gateways that report one part alone, and do not say which, have any.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.state.tables.base import count_changed, in_portions, insert_of
from core.state.tables.models import PartIdRow


class Parts(NamedTuple):
    """What a gateway calls a message, and what it calls its other parts."""

    gateway: str
    known_as: str
    part_ids: Sequence[str]


def note_parts(session: Session, messages: Sequence[Parts], now: datetime) -> None:
    """
    Remember whose the parts of *messages* are, some of which may have none.

    An id that a gateway gives a second time, because it counts anew, is the newest message's, whatever it was before.
    """
    for gateway in {each.gateway for each in messages}:
        for portion in in_portions({each.known_as for each in messages if each.gateway == gateway}):
            session.execute(
                delete(PartIdRow).where(PartIdRow.gateway == gateway, PartIdRow.gateway_message_id.in_(portion)),
                execution_options={"synchronize_session": False},
            )
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


def is_any(session: Session) -> bool:
    """Return whether any gateway has such ids."""
    return session.scalar(select(PartIdRow.gateway).limit(1)) is not None


def delete_old(session: Session, before: datetime) -> int:
    """Forget what was noted before then; return how much that was."""
    return count_changed(session, delete(PartIdRow).where(PartIdRow.noted_at < before))
