"""Importing suppressions: the panel, how far it is, and what came of it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.domain.accounts.suppressions import SuppressionImport, SuppressionImportStatus
from core.errors import InvalidInput
from core.services.suppressions.importing import SuppressionUpload
from pages._ui import formats, session, tables, widgets
from pages._ui.open_pages import open_pages
from pages._ui.panels import contact_files
from pages._ui.screens.suppressions.suppression_filters import KEY
from pages._ui.screens.suppressions.suppression_panels import ask_reason, choose_scope, require_scope

IMPORT, RESULT = f"{KEY}_import", f"{KEY}_result"
WATCH_S = 1


def show(scopes: Mapping[str, str]) -> None:
    """Draw the latest imports, those under way with their progress."""
    app, viewer = session.current()
    recent = app.suppressions.importing.list_recent(viewer)
    waiting = [each.import_id for each in recent if each.status is SuppressionImportStatus.IN_PROGRESS]
    with widgets.place():
        if waiting:
            _watch(waiting)
    if not recent:
        return
    with st.expander("Latest imports", icon=":material/upload_file:"):
        click = tables.show(
            recent,
            (
                tables.text("File", "file_name", width=190),
                tables.text("Scope", lambda each: scopes.get(each.account_id, ""), width=140),
                tables.status("Status", "status"),
                tables.number("Read", lambda each: each.counts.read),
                tables.number("New", lambda each: each.counts.added),
                tables.number("Already There", lambda each: each.counts.known),
                tables.number("Repeated", lambda each: each.counts.repeated),
                tables.number("Left Out", lambda each: each.counts.rejected),
                tables.moment("Date", "created_at"),
            ),
            key=f"{KEY}_imports",
            alt="Latest imports",
            time_zone=viewer.time_zone,
            actions={"view": ":material/visibility:"},
        )
        clicked = tables.find_clicked(f"{KEY}_imports", click, [each.import_id for each in recent])
    if clicked:
        widgets.open_panel(RESULT, clicked)


def show_open(scopes: Mapping[str, str]) -> None:
    """Draw the panel that is open, if any."""
    if widgets.is_open(IMPORT):
        _import_panel(scopes)
    elif widgets.is_open(RESULT):
        _result_panel()


@st.fragment(run_every=WATCH_S)
def _watch(import_ids: Sequence[str]) -> None:
    """Show how far the imports are; when one has ended, the whole page is drawn again and the watching ends."""
    app, viewer = session.current()
    with widgets.show_errors():
        for each in [app.suppressions.importing.get(viewer, import_id) for import_id in import_ids]:
            if each.status is not SuppressionImportStatus.IN_PROGRESS:
                _tell_end(each)
                st.rerun()
            rows = formats.count(each.counts.read, "row", "rows")
            told = f"**{formats.plain(each.file_name)}** – {formats.percent(each.progress)}, {rows} read"
            widgets.progress(each.progress, told)


def _tell_end(ended: SuppressionImport) -> None:
    if ended.status is SuppressionImportStatus.FAULTED:
        widgets.flash(f"{ended.file_name} could not be imported: {ended.fault}", icon=":material/error:")
        return
    new = formats.count(ended.counts.added, "number is suppressed", "numbers are suppressed")
    rest = f", {formats.count(ended.counts.rejected, 'row was', 'rows were')} left out" if ended.counts.rejected else ""
    widgets.flash(f"{ended.file_name}: {new}{rest}.")


@st.dialog("Import numbers", position="right", icon=":material/upload_file:", on_dismiss=widgets.close_panel)
def _import_panel(scopes: Mapping[str, str]) -> None:
    app, viewer = session.current()
    with st.form(f"{KEY}_import_form", border=False):
        account_id = choose_scope(scopes, key=f"{KEY}_import_scope")
        file = st.file_uploader("File of numbers", type=["csv", "xlsx"], key=f"{KEY}_file")
        st.caption("One row per number, with a PhoneNumber column: a list of opt-outs, or an export of this page.")
        reason = ask_reason("Reason (optional)", key=f"{KEY}_import_reason", placeholder="Opt-outs of the old system")
        hidden_rows = contact_files.choose_hidden_rows(KEY)
        asked = st.container()
        save = st.form_submit_button("Import", type="primary", key=f"{KEY}_import_save", width="stretch")
    if save:
        with widgets.show_errors({"hidden_rows": asked}):
            scope = require_scope(account_id)
            if file is None:
                raise InvalidInput("No file is chosen.", hint="Choose a CSV or XLSX file first.", field="file")
            upload = SuppressionUpload(scope, reason, file.name, hidden_rows)
            app.suppressions.importing.upload(viewer, upload, file, session.now())
            open_pages.done_with(file)
            widgets.flash(f"{file.name} is being imported.", icon=":material/upload:")
            widgets.close_panel()
            st.rerun()


@st.dialog("Import", position="right", width=620, icon=":material/upload_file:", on_dismiss=widgets.close_panel)
def _result_panel() -> None:
    app, viewer = session.current()
    with widgets.show_errors():
        found = app.suppressions.importing.get(viewer, widgets.open_subject())
        rejected = app.suppressions.importing.rejected_csv(viewer, found.import_id)
        widgets.status_badge(found.status)
        if found.fault:
            widgets.fault(found.fault, found.hint)
        counts = found.counts
        widgets.facts(
            {
                "File": found.file_name,
                "Reason": found.reason or formats.NOTHING,
                "Imported": f"{formats.moment(found.created_at, viewer.time_zone)} by {found.created_by}",
                "Rows read": formats.number(counts.read),
                "New": formats.number(counts.added),
                "Already there": formats.number(counts.known),
                "Repeated in the file": formats.number(counts.repeated),
                "Left out": formats.number(counts.rejected),
            }
        )
        if rejected:
            contact_files.show_left_out(rejected, counts.rejected, found.file_name, key=f"{KEY}_result")
        elif counts.rejected and found.status is not SuppressionImportStatus.IN_PROGRESS:
            widgets.rows_gone()
