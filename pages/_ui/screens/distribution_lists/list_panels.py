"""The panels of the Distribution Lists page: adding a list, looking into one, watching an import."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.bootstrap import App
from core.domain.accounts.accounts import Account
from core.domain.imports.entries import EntryOrder, EntryQuery
from core.domain.imports.lists import DistributionList, ListStatus, is_phone_column
from core.domain.people.permissions import Viewer
from core.domain.words.names import NAME_MAX, NAME_MIN
from core.errors import InvalidInput
from core.files.imports.sample import sample_csv, sample_xlsx
from core.services.lists.importing_lists import Upload
from pages._ui import formats, session, tables, widgets
from pages._ui.open_pages import open_pages
from pages._ui.panels import closed, contact_files

KEY = "distribution_lists"
LEFT_OUT = f"{KEY}_left_out"
DELETE_WARNING = (
    "The list and its entries are permanently deleted. Campaigns that were already launched keep their recipients."
)
ENTRIES_PER_PAGE = (10, 25, 50)
WATCH_S = 1
_SHOW = ": show"
_ORDERS = {
    "Row": EntryOrder.ROW,
    "Number": EntryOrder.NUMBER,
    "Country": EntryOrder.COUNTRY,
    "Network": EntryOrder.NETWORK,
    "MCCMNC": EntryOrder.MCCMNC,
}


def show_open() -> None:
    """Draw the panel that is open, if any; the page calls it last."""
    if widgets.is_open(f"{KEY}_add"):
        _add_panel()
    elif widgets.is_open(f"{KEY}_preview") or widgets.is_open(LEFT_OUT):
        app, viewer = session.current()
        with widgets.show_errors():
            _preview_panel(app.lists.get(viewer, widgets.open_subject()))


@st.fragment(run_every=WATCH_S)
def watch(list_ids: Sequence[str]) -> None:
    """Show how far the imports are; when one has ended, the whole page is drawn again and the watching ends."""
    app, viewer = session.current()
    with widgets.show_errors():
        for item in [app.lists.get(viewer, list_id) for list_id in list_ids]:
            if item.status is not ListStatus.IN_PROGRESS:
                _tell_end(item)
                st.rerun()
            rows = formats.count(item.read_count, "row", "rows")
            widgets.progress(
                item.progress, f"**{formats.plain(item.name)}** – {formats.percent(item.progress)}, {rows} read"
            )


def _tell_end(item: DistributionList) -> None:
    if item.status is ListStatus.FAULTED:
        widgets.flash(f"{item.name} could not be imported: {item.fault}", icon=":material/error:")
        return
    entries = formats.count(item.entry_count, "entry", "entries")
    told = (left_out(item) or "").removesuffix(_SHOW)
    rest = f", {told}: see next to Entries." if told else "."
    widgets.flash(f"{item.name} is ready: {entries}{rest}")


def left_out(item: DistributionList) -> str | None:
    """Say how many rows of the file are no entries: "2 of 8 left out{_SHOW}"; None when all are."""
    count = item.duplicate_count + item.rejected_count
    if item.status is not ListStatus.READY or not count:
        return None
    return f"{formats.number(count)} of {formats.number(item.read_count)} left out{_SHOW}"


def show_none() -> None:
    """Draw what stands in place of the lists while there are none: what they are made from, and samples of it."""
    closed.warn_without_account("A list belongs to a traffic account.")
    with widgets.empty_state(
        ":material/contacts:",
        "No distribution lists yet",
        "Upload a CSV or XLSX file with a PhoneNumber column, and campaigns can be sent to it.",
    ):
        _sample_buttons(f"{KEY}_empty")


def _sample_buttons(key: str) -> None:
    """Draw the downloads of the sample file in both formats."""
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.download_button(
            "Download sample CSV",
            sample_csv(),
            "sample.csv",
            "text/csv",
            key=f"{key}_sample_csv",
            on_click="ignore",
            icon=":material/download:",
        )
        st.download_button(
            "Download sample XLSX",
            sample_xlsx(),
            "sample.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            key=f"{key}_sample_xlsx",
            on_click="ignore",
            icon=":material/download:",
        )


@st.dialog("Add Distribution List", position="right", icon=":material/group_add:", on_dismiss=widgets.close_panel)
def _add_panel() -> None:
    app, viewer = session.current()
    accounts = app.accounts.managing.list_accounts(viewer)
    with st.form(f"{KEY}_form", border=False):
        name = st.text_input(
            "List Name", max_chars=NAME_MAX, key=f"{KEY}_name", help=f"{NAME_MIN} to {NAME_MAX} characters."
        )
        account = _choose_account(accounts)
        file = st.file_uploader("Contact file", type=["csv", "xlsx"], key=f"{KEY}_file")
        st.caption("One row per contact: a PhoneNumber column, and any others you want to personalize messages with.")
        hidden_rows = contact_files.choose_hidden_rows(KEY)
        asked = st.container()
        save = st.form_submit_button("Save", type="primary", key=f"{KEY}_save", width="stretch")
    if save:
        with widgets.show_errors({"hidden_rows": asked}):
            if account is None:
                raise InvalidInput("You do not belong to any traffic account.", hint=closed.how_to_join())
            if file is None:
                raise InvalidInput("No file is chosen.", hint="Choose a CSV or XLSX file first.", field="file")
            upload = Upload(account.account_id, name, file.name, hidden_rows)
            app.lists.upload(viewer, upload, file, session.now())
            open_pages.done_with(file)
            widgets.flash(f"{name} is being imported.", icon=":material/upload:")
            widgets.close_panel()
            st.rerun()
    _sample_buttons(KEY)


def _choose_account(accounts: Sequence[Account]) -> Account | None:
    if len(accounts) < 2:
        return next(iter(accounts), None)
    # Most lists are for campaigns, which only some accounts send.
    first = next((index for index, account in enumerate(accounts) if account.can_send), 0)
    return st.selectbox("Account", accounts, first, format_func=lambda item: item.display_name, key=f"{KEY}_account")


def _preview_panel(item: DistributionList) -> None:
    @st.dialog(formats.plain(item.name), position="right", width=760, on_dismiss=widgets.close_panel)
    def panel() -> None:
        _preview(item.list_id)

    panel()


def _preview(list_id: str) -> None:
    app, viewer = session.current()
    with widgets.show_errors():
        item = app.lists.get(viewer, list_id)
        _details(item, viewer)
        if rejected := app.lists.rejected_csv(viewer, item.list_id):
            count = item.duplicate_count + item.rejected_count
            contact_files.show_left_out(rejected, count, item.name, key=KEY, expanded=widgets.is_open(LEFT_OUT))
        elif item.status is not ListStatus.IN_PROGRESS and item.duplicate_count + item.rejected_count:
            widgets.rows_gone()
        if item.status is ListStatus.READY:
            _entries(app, viewer, item)


def _details(item: DistributionList, viewer: Viewer) -> None:
    widgets.status_badge(item.status)
    if item.status is ListStatus.FAULTED:
        widgets.fault(item.fault, item.hint)
    if item.status is ListStatus.IN_PROGRESS:
        widgets.progress(item.progress, f"{formats.percent(item.progress)} of the file has been read.")
    created = f"{formats.moment(item.created_at, viewer.time_zone)} by {item.created_by}"
    widgets.facts(
        {
            "File": item.file_name,
            "Created": created,
            "Rows read": formats.number(item.read_count),
            "Entries": formats.number(item.entry_count),
            "Duplicates": formats.number(item.duplicate_count),
            "Rejected": formats.number(item.rejected_count),
        }
    )


def _entries(app: App, viewer: Viewer, item: DistributionList) -> None:
    # Another list starts again at its first page.
    key = f"{KEY}_entries_{item.list_id}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tables.search(key, "Search numbers and cells", linked=False)
        wanted = _choose_order(item, key)
    request = tables.request(key, ENTRIES_PER_PAGE)
    wanted = replace(wanted, search=request.search)
    total = app.lists.count_entries(viewer, item.list_id, wanted)
    if not total:
        st.info("No entry has that in its number, its network, its country or its cells.", icon=":material/search_off:")
        return
    entries = app.lists.preview(viewer, item.list_id, request.offset, request.size, wanted)
    st.dataframe(entries, hide_index=True, height="content", key=f"{key}_table", alt=f"Entries of {item.name}")
    tables.pager(key, total, ENTRIES_PER_PAGE, linked=False)


def _choose_order(item: DistributionList, key: str) -> EntryQuery:
    """Draw what the entries of all pages are in the order of; a click on a table's head sorts one page alone."""
    orders: dict[str, EntryOrder | int] = dict(_ORDERS)
    for index, name in enumerate(item.columns):
        if not is_phone_column(name):
            orders[f"{name} (file)" if name in _ORDERS else name] = index
    sort = orders[st.selectbox("Order by", list(orders), key=f"{key}_order", width=200)]
    descending = st.toggle("Descending", key=f"{key}_descending")
    return EntryQuery(sort=sort, descending=descending)
