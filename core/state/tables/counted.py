"""Counting what a person has before more is added: one at a time."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.state.tables.people_models import UserRow


def hold_person(session: Session, user_id: str) -> None:
    """
    Let nobody else count what the person has, to add to it, until the transaction ends. Raises: NotFound.

    Two transactions that count before they insert see none of each other's rows: both would find room for one more.
    """
    found = select(UserRow.user_id).where(UserRow.user_id == user_id).with_for_update(key_share=True)
    if session.scalar(found) is None:
        raise NotFound("There is no such person.")
