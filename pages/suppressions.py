"""Suppressions: the numbers that get no messages, and whose wish each is."""

import streamlit as st

from core.domain.accounts.suppressions import SuppressionFilter
from core.domain.people.permissions import Permission
from core.services.reports.export_requests import SuppressionsRequest
from core.services.suppressions.managing import FOUND_MOST
from pages._ui import formats, session, tables, widgets
from pages._ui.panels import downloads
from pages._ui.screens.suppressions import (
    suppression_filters,
    suppression_imports,
    suppression_panels,
    suppression_table,
)
from pages._ui.screens.suppressions.suppression_filters import KEY

SIZES = (10, 25, 50)

session.require(Permission.DISTRIBUTION_LISTS)
app, viewer = session.current()
request = tables.request(KEY, SIZES)

with widgets.show_errors() as shown:
    scopes = app.suppressions.managing.list_scopes(viewer)
    with tables.bar() as bar:
        tables.search(KEY, "Search number")
        if st.button("Import", icon=":material/upload_file:", key=f"{KEY}_import_open"):
            widgets.open_panel(suppression_imports.IMPORT)
        if st.button("Add numbers", type="primary", icon=":material/add:", key=f"{KEY}_add_open"):
            suppression_panels.open_add()
    wanted = suppression_filters.show(request.search, scopes)
    suppression_imports.show(scopes)
    page = app.suppressions.managing.page(viewer, wanted, request.page, request.size)
    if page.total or wanted != SuppressionFilter():
        with bar:
            downloads.menu(SuppressionsRequest(wanted), key=KEY)
        suppression_table.show(page.items)
        tables.pager(KEY, page.total, SIZES)
        if page.is_cut:
            st.caption(
                f"The first {formats.count(FOUND_MOST, 'number', 'numbers')} that were found. "
                "Type more digits to find others."
            )
    else:
        with widgets.empty_state(
            ":material/block:",
            "No suppressions yet",
            "Numbers that reply STOP appear here by themselves. Add others, or import a list of opt-outs.",
        ):
            pass
    suppression_imports.show_open(scopes)
suppression_panels.show_open()
