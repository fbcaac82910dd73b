"""What came for nobody, or cannot be read: kept for a while, and of each gateway only the newest."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.domain.messages.strays import Stray, StrayReason
from core.identifiers import new_id
from core.state.tables.base import count_changed
from core.state.tables.gateway_models import StrayRow

# So many are kept of each gateway.
MOST = 500


def add_strays(session: Session, strays: Sequence[Stray]) -> None:
    """Keep what came, and let go of the oldest beyond `MOST`."""
    rows = [{"stray_id": new_id(), **vars(stray), "reason": stray.reason.value} for stray in strays]
    session.connection().execute(insert(StrayRow), rows)
    for gateway in sorted({stray.gateway for stray in strays}):
        # Ids grow with time.
        mine = select(StrayRow.stray_id).where(StrayRow.gateway == gateway).order_by(StrayRow.stray_id.desc())
        oldest_kept = session.scalar(mine.offset(MOST - 1).limit(1))
        if oldest_kept is not None:
            session.execute(
                delete(StrayRow).where(StrayRow.gateway == gateway, StrayRow.stray_id < oldest_kept),
                execution_options={"synchronize_session": False},
            )


def list_newest(session: Session, gateway: str, limit: int) -> tuple[Stray, ...]:
    """Return what came by the gateway, the newest first."""
    mine = select(StrayRow).where(StrayRow.gateway == gateway).order_by(StrayRow.stray_id.desc()).limit(limit)
    return tuple(
        Stray(row.gateway, StrayReason(row.reason), row.content, row.came_at, row.sender, row.receiver)
        for row in session.scalars(mine)
    )


def delete_old(session: Session, before: datetime) -> int:
    """Forget what came before then; return how much that was."""
    return count_changed(session, delete(StrayRow).where(StrayRow.came_at < before))
