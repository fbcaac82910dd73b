"""Views people saved, and what they chose to keep."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select
from sqlalchemy.orm import Session

from core.domain.reports.views import SavedView
from core.state.tables.counted import hold_person
from core.state.tables.models import PreferenceRow, ViewRow
from core.state.tables.search import folded


def put_view(session: Session, view: SavedView, most: int) -> SavedView | None:
    """
    Keep the view and return it; the person's own one of its page and name, whatever its case, is replaced under its id.

    None, with nothing kept, where it would be one more and the person has *most*. Raises: NotFound: the person is gone.
    """
    hold_person(session, view.user_id)
    known = _find_by_name(session, view.user_id, view.page, view.name)
    if known is None and _count_views(session, view.user_id) >= most:
        return None
    kept = replace(view, view_id=known) if known else view
    session.merge(ViewRow(**vars(kept)))
    session.flush()
    return kept


def find_view(session: Session, view_id: str) -> SavedView | None:
    """Return the view, or None."""
    row = session.get(ViewRow, view_id)
    return _view(row) if row else None


def _find_by_name(session: Session, user_id: str, page: str, name: str) -> str | None:
    same = (ViewRow.user_id == user_id, ViewRow.page == page, func.lower(ViewRow.name) == name.lower())
    return session.scalar(select(ViewRow.view_id).where(*same))


# Asked for by whole pages, so made once, and without the ORM's books of rows that nobody changes.
_VISIBLE = (
    select(*ViewRow.__table__.columns)
    .where(ViewRow.page == bindparam("page"), (ViewRow.user_id == bindparam("user_id")) | ViewRow.is_shared)
    .order_by(folded(ViewRow.name))
)


def list_views(session: Session, user_id: str, page: str) -> list[SavedView]:
    """Return the page's views that are the person's or shared, by name."""
    return [_view(row) for row in session.execute(_VISIBLE, {"user_id": user_id, "page": page})]


def _count_views(session: Session, user_id: str) -> int:
    return session.scalar(select(func.count()).where(ViewRow.user_id == user_id)) or 0


def delete_view(session: Session, view_id: str) -> None:
    """Forget the view."""
    session.execute(delete(ViewRow).where(ViewRow.view_id == view_id))


_PREFERENCE = select(PreferenceRow.value).where(
    PreferenceRow.user_id == bindparam("user_id"), PreferenceRow.name == bindparam("name")
)


def find_preference(session: Session, user_id: str, name: str) -> str | None:
    """Return what the person chose, or None."""
    return session.scalar(_PREFERENCE, {"user_id": user_id, "name": name})


def set_preference(session: Session, user_id: str, name: str, value: str) -> None:
    """Keep what the person chose. Raises: NotFound: the person is gone."""
    # Of two tabs that choose for the first time, each would add a row.
    hold_person(session, user_id)
    session.merge(PreferenceRow(user_id=user_id, name=name, value=value))


def _view(row: ViewRow | Row[*tuple[Any, ...]]) -> SavedView:
    return SavedView(row.view_id, row.user_id, row.page, row.name, row.address, row.is_shared, row.created_at)
