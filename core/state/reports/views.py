"""Views people saved, and what they chose to keep."""

from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select
from sqlalchemy.orm import Session

from core.domain.reports.views import SavedView
from core.state.tables.models import PreferenceRow, ViewRow
from core.state.tables.search import folded


def put_view(session: Session, view: SavedView) -> None:
    """Keep the view; one of the same id is replaced."""
    session.merge(ViewRow(**vars(view)))
    session.flush()


def find_view(session: Session, view_id: str) -> SavedView | None:
    """Return the view, or None."""
    row = session.get(ViewRow, view_id)
    return _view(row) if row else None


def find_view_by_name(session: Session, user_id: str, page: str, name: str) -> SavedView | None:
    """Return the person's own view of that name, whatever its case, or None."""
    same = (ViewRow.user_id == user_id, ViewRow.page == page, func.lower(ViewRow.name) == name.lower())
    row = session.scalar(select(ViewRow).where(*same))
    return _view(row) if row else None


# Asked for by whole pages, so made once, and without the ORM's books of rows that nobody changes.
_VISIBLE = (
    select(*ViewRow.__table__.columns)
    .where(ViewRow.page == bindparam("page"), (ViewRow.user_id == bindparam("user_id")) | ViewRow.is_shared)
    .order_by(folded(ViewRow.name))
)


def list_views(session: Session, user_id: str, page: str) -> list[SavedView]:
    """Return the page's views that are the person's or shared, by name."""
    return [_view(row) for row in session.execute(_VISIBLE, {"user_id": user_id, "page": page})]


def count_views(session: Session, user_id: str) -> int:
    """Return how many views are the person's own."""
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
    """Keep what the person chose."""
    session.merge(PreferenceRow(user_id=user_id, name=name, value=value))


def _view(row: ViewRow | Row[*tuple[Any, ...]]) -> SavedView:
    return SavedView(row.view_id, row.user_id, row.page, row.name, row.address, row.is_shared, row.created_at)
