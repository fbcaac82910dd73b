"""The panels of the Import Traffic page: adding a file, looking at an import, watching one."""

import io
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.bootstrap import App
from core.domain.accounts.accounts import Account
from core.domain.imports.cdr import TrafficImport, TrafficImportStatus
from core.domain.imports.cdr_prices import say_rates
from core.domain.imports.cdr_remarks import CellFault, say_remarks
from core.domain.people.permissions import Viewer
from core.errors import Forbidden, InvalidInput
from core.services.traffic.importing_traffic import TrafficUpload
from pages._ui import formats, session, widgets
from pages._ui.open_pages import open_pages
from pages._ui.panels import closed
from pages._ui.screens.import_traffic import traffic_mapping

KEY = "import_traffic"
DELETE = "The import is removed from this page, and its rejected rows are deleted. Its messages stay in the history."
REJECTED_SHOWN = 20
WATCH_S = 1
_NO_ACCOUNT = "You do not belong to any active account of type HTTP or SMPP."


def show_open() -> None:
    """Draw the panel that is open, if any; the page calls it last."""
    if widgets.is_open(f"{KEY}_add"):
        _add_panel()
    elif widgets.is_open(f"{KEY}_map"):
        traffic_mapping.panel(widgets.open_subject())
    elif widgets.is_open(f"{KEY}_details"):
        app, viewer = session.current()
        with widgets.show_errors():
            _details_panel(app.traffic.get(viewer, widgets.open_subject()))


def nothing_yet() -> None:
    """Draw what stands where there is no import yet."""
    app, viewer = session.current()
    with widgets.empty_state(
        ":material/upload_file:",
        "No outside traffic yet",
        "Import what your HTTP and SMPP accounts sent outside this tool, from CDR files in CSV or Parquet format.",
    ):
        if not app.traffic.list_accounts(viewer):
            st.caption(f"{_NO_ACCOUNT} {closed.how_to_join()}", text_alignment="center")


@st.fragment(run_every=WATCH_S)
def watch(import_ids: Sequence[str]) -> None:
    """Show how far the imports are; when one has ended, the whole page is drawn again and the watching ends."""
    app, viewer = session.current()
    with widgets.show_errors():
        for item in [app.traffic.get(viewer, import_id) for import_id in import_ids]:
            if item.status is not TrafficImportStatus.IN_PROGRESS:
                st.rerun()
            _progress(item)


def _progress(item: TrafficImport) -> None:
    rows = formats.count(item.counts.read, "row", "rows")
    widgets.progress(
        item.progress, f"**{formats.plain(item.file_name)}** – {formats.percent(item.progress)}, {rows} read"
    )
    if item.fault:
        st.warning(
            f"**{formats.plain(item.fault)}**  \n{formats.plain(item.hint)} The import will continue by itself.",
            icon=":material/hourglass_top:",
        )


@st.dialog("Import File", position="right", icon=":material/upload:", on_dismiss=widgets.close_panel)
def _add_panel() -> None:
    app, viewer = session.current()
    with widgets.show_errors():
        accounts = app.traffic.list_accounts(viewer)
        with st.form(f"{KEY}_form", border=False):
            account = st.selectbox(
                "Account",
                accounts,
                format_func=lambda item: f"{item.display_name} ({item.account_type})",
                key=f"{KEY}_account",
                help="Active accounts of type HTTP or SMPP that you belong to.",
            )
            file = st.file_uploader("CDR file", type=["csv", "txt", "gz", "parquet"], key=f"{KEY}_file")
            st.caption("A header, then one row per message: when it was sent, to whom, and its delivery status.")
            look = st.checkbox(
                "Show me the columns first",
                key=f"{KEY}_look",
                help="Otherwise, a file with the same columns as an earlier one of this account is imported the same "
                "way, without asking.",
            )
            upload = st.form_submit_button("Upload", type="primary", key=f"{KEY}_upload", width="stretch")
        if upload:
            _upload(app, viewer, account, file, look=look)
            open_pages.done_with(file)
            st.rerun()


def _upload(app: App, viewer: Viewer, account: Account | None, file: io.BytesIO | None, *, look: bool) -> None:
    if account is None:
        raise InvalidInput(_NO_ACCOUNT, hint=closed.how_to_join())
    if file is None:
        raise InvalidInput("No file is chosen.", hint="Choose a CSV or Parquet file first.", field="file")
    wanted = TrafficUpload(account.account_id, file.name)
    found = app.traffic.upload(viewer, wanted, file, session.now())
    proposal = app.traffic.propose(viewer, found.import_id)
    if proposal.is_remembered and not look and not app.traffic.list_unrated(viewer, found.import_id):
        app.traffic.begin(viewer, found.import_id, proposal.mapping)
        rates = f", with {say_rates(proposal.mapping.rates)}" if proposal.mapping.rates else ""
        widgets.flash(
            f"{found.file_name} is being imported in the same way as the last one like it{rates}.",
            icon=":material/upload:",
        )
        widgets.close_panel()
    else:
        widgets.open_panel(f"{KEY}_map", found.import_id)


def _details_panel(item: TrafficImport) -> None:
    @st.dialog(formats.plain(item.file_name), position="right", width=760, on_dismiss=widgets.close_panel)
    def panel() -> None:
        _details(item.import_id)

    panel()


def _details(import_id: str) -> None:
    app, viewer = session.current()
    with widgets.show_errors():
        item = app.traffic.get(viewer, import_id)
        widgets.status_badge(item.status)
        if item.status is TrafficImportStatus.FAULTED:
            widgets.fault(item.fault, item.hint)
        if item.status is TrafficImportStatus.IN_PROGRESS:
            _progress(item)
        counts = item.counts
        widgets.facts(
            {
                "Uploaded": f"{formats.moment(item.created_at, viewer.time_zone)} by {item.created_by}",
                "Finished": formats.moment(item.finished_at, viewer.time_zone),
                "Rows read": formats.number(counts.read),
                "Added": formats.number(counts.added),
                "Updated": formats.number(counts.updated),
                "Unchanged": formats.number(counts.unchanged),
                "Repeated in the file": formats.number(counts.repeated),
                "Rejected": formats.number(counts.rejected),
                **({"Rates": say_rates(item.rates)} if item.rates else {}),
            }
        )
        if lines := say_remarks(item.remarks):
            st.info(
                "**Kept, but without the cells that cannot be read**" + "".join(f"\n- {line}" for line in lines),
                icon=":material/edit_note:",
            )
        if (counts.rejected or set(item.remarks) - {CellFault.MESSAGE_ID}) and item.finished_at:
            _rejected(app, viewer, item)


def _rejected(app: App, viewer: Viewer, item: TrafficImport) -> None:
    try:
        content = app.traffic.rejected_csv(viewer, item.import_id)
    except Forbidden as error:
        st.caption(f"{error.message} {error.hint}")
        return
    if not content:
        widgets.rows_gone()
        return
    st.markdown("**Rejected rows, and remarks on kept rows**")
    rows = pd.read_csv(io.BytesIO(content), nrows=REJECTED_SHOWN, dtype=str, keep_default_na=False, usecols=[0, 1])
    st.dataframe(rows, hide_index=True, height="content", key=f"{KEY}_rejected", alt="Rows with reasons")
    if len(rows) == REJECTED_SHOWN:
        st.caption(f"The first {len(rows)}; the file has up to {formats.number(100_000)}, half of them remarks.")
    st.download_button(
        "Download rejected rows and remarks",
        content,
        f"{item.file_name} remarks.csv",
        "text/csv",
        key=f"{KEY}_rejected_csv",
        on_click="ignore",
        icon=":material/download:",
    )
