"""Auditing: who did what to what, when, from where, for those who may know."""

from collections.abc import Iterator

import pyarrow as pa

from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import AuditEntry, AuditFilter
from core.domain.reports.paging import Page
from core.domain.reports.questions import refuse_odd_question
from core.state.engine.store import State
from core.state.reports import audit

_ROWS = 1_000
SCHEMA = pa.schema(
    [
        ("at", pa.timestamp("us", tz="UTC")),
        ("who", pa.string()),
        ("action", pa.string()),
        ("kind", pa.string()),
        ("subject", pa.string()),
        ("details", pa.string()),
        ("address", pa.string()),
        ("subject_id", pa.string()),
    ]
)


class Auditing:
    """Reads the audit. Whoever does something writes its line in the same transaction: `core.state.reports.audit`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def page(self, viewer: Viewer, wanted: AuditFilter, page: int, size: int) -> Page[AuditEntry]:
        """Return page *page* (from 1) of the lines, newest first. Raises: Forbidden: without the permission Audit."""
        viewer.require(Permission.AUDIT)
        refuse_odd_question(wanted)
        with self._state.read() as session:
            found = audit.list_entries(session, wanted, size, (max(1, page) - 1) * size)
            return Page(tuple(found), audit.count_entries(session, wanted))

    def all_entries(self, viewer: Viewer, wanted: AuditFilter) -> tuple[int, Iterator[pa.Table]]:
        """Return how many lines there are, and all of them as tables of `SCHEMA`. Raises: as `page`."""
        viewer.require(Permission.AUDIT)
        refuse_odd_question(wanted)
        with self._state.read() as session:
            count = audit.count_entries(session, wanted)
        return count, self._tables(wanted)

    def _tables(self, wanted: AuditFilter) -> Iterator[pa.Table]:
        with self._state.read() as session:
            rows: list[dict[str, object]] = []
            for entry in audit.stream_entries(session, wanted):
                rows.append(_row(entry))
                if len(rows) == _ROWS:
                    yield pa.Table.from_pylist(rows, SCHEMA)
                    rows = []
        if rows:
            yield pa.Table.from_pylist(rows, SCHEMA)


def in_words(entry: AuditEntry) -> str:
    """Return the details as a person reads them: "recipients 300, cost € 21.00"."""
    return ", ".join(f"{name} {value}" for name, value in entry.details.items())


def _row(entry: AuditEntry) -> dict[str, object]:
    return {
        "at": entry.at,
        "who": entry.who,
        "action": entry.action.value,
        "kind": entry.subject.kind,
        "subject": entry.subject.name,
        "details": in_words(entry),
        "address": entry.address,
        "subject_id": entry.subject.subject_id,
    }
