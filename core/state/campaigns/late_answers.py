"""Answers that came after their time, until the messages they are of are told from the unknown ones."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from core.domain.messages.messages import LateAnswer
from core.state.campaigns.part_ids import Parts, note_parts
from core.state.tables.base import count_changed, in_portions, insert_of
from core.state.tables.models import LateAnswerRow, LedgerRow


def add_late_answers(session: Session, answers: Sequence[LateAnswer]) -> None:
    """Keep what came; the same one may come many times, and counts once."""
    if not answers:
        return
    names = ("message_id", "gateway", "gateway_message_id", "answered_at")
    rows = [{name: getattr(answer, name) for name in names} | {"settled": False} for answer in answers]
    session.connection().execute(insert_of(session)(LateAnswerRow).on_conflict_do_nothing(), rows)
    parts = [Parts(answer.gateway, answer.gateway_message_id, answer.part_ids) for answer in answers]
    note_parts(session, parts, max(answer.answered_at for answer in answers))


def due() -> Select[str]:
    """Find the messages whose answers can be settled: those that have left the ledger."""
    in_ledger = select(LedgerRow.message_id).where(LedgerRow.message_id == LateAnswerRow.message_id)
    return select(LateAnswerRow.message_id).where(~LateAnswerRow.settled, ~in_ledger.exists())


def list_due(session: Session, limit: int) -> tuple[LateAnswer, ...]:
    """Return answers to settle, in the order of their messages."""
    rows = session.scalars(
        select(LateAnswerRow).where(LateAnswerRow.message_id.in_(due())).order_by(LateAnswerRow.message_id).limit(limit)
    )
    return tuple(LateAnswer(row.gateway, row.message_id, row.gateway_message_id, row.answered_at) for row in rows)


def mark_settled(session: Session, message_ids: Collection[str]) -> set[str]:
    """Take that these are settled; return those that were not before."""
    found = set[str]()
    for portion in in_portions(message_ids):
        found.update(
            session.scalars(
                update(LateAnswerRow)
                .where(LateAnswerRow.message_id.in_(portion), ~LateAnswerRow.settled)
                .values(settled=True)
                .returning(LateAnswerRow.message_id),
                execution_options={"synchronize_session": False},
            )
        )
    return found


def delete_old(session: Session, before: datetime) -> int:
    """Forget what came before then; return how much that was."""
    return count_changed(session, delete(LateAnswerRow).where(LateAnswerRow.answered_at < before))
