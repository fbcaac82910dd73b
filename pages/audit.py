"""Audit: who did what to what, when, from where."""

import streamlit as st

from core.domain.people.permissions import Permission
from core.domain.reports.audit import Action, AuditEntry, AuditFilter
from core.domain.times.periods import Preset
from core.services.reports.auditing import in_words
from core.services.reports.export_requests import AuditRequest
from pages._ui import address, session, tables, widgets
from pages._ui.filters import period_filter
from pages._ui.panels import downloads

KEY = "audit"
SIZES = (25, 50, 100)


def what(entry: AuditEntry) -> str:
    """Return what it was done to, as it was called then."""
    return f"{entry.subject.name or entry.subject.subject_id} ({entry.subject.kind})"


COLUMNS = (
    tables.moment("Date", "at"),
    tables.text("Who", lambda entry: entry.who or "not logged in", width=140),
    tables.text("Action", lambda entry: entry.action.label, width=140),
    tables.text("What", what, width=200),
    tables.text("Details", in_words, width=220),
    tables.text("Address", "address"),
)

session.require(Permission.AUDIT)
app, viewer = session.current()
request = tables.request(KEY, SIZES)

with widgets.show_errors():
    with tables.bar():
        tables.search(KEY, "Search who or what")
        period = period_filter.choose(KEY, viewer, Preset.LAST_30_DAYS)
        action = st.selectbox(
            "Action",
            [action.value for action in Action],
            index=None,
            placeholder="All actions",
            format_func=lambda value: Action(value).label,
            key=f"{KEY}_action",
            label_visibility="collapsed",
            bind=address.bound(f"{KEY}_action"),
            width=210,
        )
        wanted = AuditFilter(period.start, period.end, request.search, Action(action) if action else None)
        downloads.menu(AuditRequest(wanted), key=KEY)
    page = app.reports.auditing.page(viewer, wanted, request.page, request.size)
    tables.show(page.items, COLUMNS, key=f"{KEY}_table", alt="Audit", time_zone=viewer.time_zone)
    tables.pager(KEY, page.total, SIZES)
