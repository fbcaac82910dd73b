"""Whose the files of the uploads' folder are: lists and imports of outside traffic name them by their ids."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.accounts.suppressions import SuppressionImportStatus
from core.domain.imports.cdr import TrafficImportStatus
from core.domain.imports.lists import ListStatus
from core.state.tables.base import in_portions
from core.state.tables.models import ListRow, TrafficImportRow
from core.state.tables.suppression_models import SuppressionImportRow

_OPEN = {TrafficImportStatus.TO_MAP, TrafficImportStatus.IN_PROGRESS, SuppressionImportStatus.IN_PROGRESS}


@dataclass(frozen=True)
class Owner:
    """Who has files: *is_open* while they are waited for or read, and since when they are not."""

    is_open: bool
    ended_at: datetime


def list_owners(session: Session, ids: Collection[str]) -> dict[str, Owner]:
    """Return which of *ids* there are."""
    found: dict[str, Owner] = {}
    for chunk in in_portions(ids):
        lists = select(ListRow.list_id, ListRow.status, ListRow.created_at).where(ListRow.list_id.in_(chunk))
        for list_id, status, created_at in session.execute(lists):
            found[list_id] = Owner(status == ListStatus.IN_PROGRESS, created_at)
        for table in (TrafficImportRow, SuppressionImportRow):
            imports = select(table.import_id, table.status, table.finished_at, table.created_at)
            rows = session.execute(imports.where(table.import_id.in_(chunk)))
            for import_id, status, finished_at, created_at in rows:
                found[import_id] = Owner(status in _OPEN, finished_at or created_at)
    return found
