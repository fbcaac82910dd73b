"""What people sent back (mobile-originated messages), as gateways passed it on."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.domain.messages.messages import Reply
from core.identifiers import new_id
from core.state.tables.base import insert_of
from core.state.tables.gateway_models import ReplyRow


def add_replies(session: Session, replies: Sequence[Reply], now: datetime) -> None:
    """Keep replies durably; one that its gateway tells again, by the same reference, is kept once."""
    rows = [vars(reply) | {"reply_id": new_id(), "stored_at": now} for reply in replies]
    if rows:
        # Past the session: its unit of work would double the cost of a row.
        session.connection().execute(insert_of(session)(ReplyRow).on_conflict_do_nothing(), rows)
