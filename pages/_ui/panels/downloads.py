"""Exports in the toolbar: how far they are, and their files; and the buttons that order them."""

from collections.abc import Sequence

import streamlit as st

from core.domain.people.permissions import Permission
from core.domain.reports.exports import Export, ExportFormat, ExportStatus
from core.services.reports.export_requests import ExportRequest, MessagesRequest
from core.web.files.downloads import DOWNLOADS
from pages._ui import address, formats, session, widgets

KEY = "frame_downloads"
WATCH_S = 1
_WATCHED = f"{KEY}_watched"
_LABELS = {ExportFormat.XLSX: "Excel (.xlsx)", ExportFormat.CSV: "CSV", ExportFormat.PARQUET: "Parquet"}
# Of any of them something can be exported.
_PERMISSIONS = {
    Permission.MESSAGE_HISTORY,
    Permission.STATISTICS,
    Permission.AUDIT,
    Permission.DISTRIBUTION_LISTS,
}
_UNITS = ((1 << 20, "MiB"), (1 << 10, "KiB"))


def toolbar() -> None:
    """Draw the person's exports behind an icon; while one is written, its progress moves."""
    app, viewer = session.current()
    if viewer.permissions.isdisjoint(_PERMISSIONS):
        return
    found = app.reports.exporting.list_mine(viewer)
    unfinished = any(each.is_unfinished for each in found)
    icon = ":material/downloading:" if unfinished else ":material/download:"
    with st.popover("", icon=icon, type="tertiary", help="Your exports", key=KEY):
        st.markdown("**Your exports**")
        if unfinished:
            _moving()
        else:
            _list(found)


@st.fragment(run_every=WATCH_S)
def _moving() -> None:
    """Draw the list again and again; when an export has ended, say so and draw the whole page, which ends this."""
    app, viewer = session.current()
    found = app.reports.exporting.list_mine(viewer)
    _list(found)
    watched: set[str] = st.session_state.get(_WATCHED, set())
    now = {each.export_id for each in found if each.is_unfinished}
    st.session_state[_WATCHED] = now
    ended = [each for each in found if each.export_id in watched - now]
    for each in ended:
        if each.status is ExportStatus.READY:
            widgets.flash(
                f"{each.file_name} is ready: download it from your exports above.", icon=":material/download_done:"
            )
        else:
            widgets.flash(f"{each.file_name} failed: {each.fault}", icon=":material/error:")
    if ended or not now:
        st.rerun()


def _list(found: Sequence[Export]) -> None:
    _, viewer = session.current()
    if not found:
        st.caption("What you export is kept here for a day.")
    for each in found:
        with st.container(border=True, gap="xsmall", key=f"{KEY}_{each.export_id}"):
            st.markdown(f"**{formats.plain(each.file_name)}**")
            _state(each, viewer.time_zone)


def _state(each: Export, time_zone: str) -> None:
    match each.status:
        case ExportStatus.READY:
            rows = formats.count(each.row_count, "row", "rows")
            st.caption(f"{rows}, {_size(each.byte_count)}, until {formats.moment(each.expires_at, time_zone)}")
            st.link_button("Download", f"{DOWNLOADS}{each.export_id}", icon=":material/download:", width="stretch")
        case ExportStatus.FAILED:
            widgets.fault(each.fault, each.hint)
        case ExportStatus.WAITING:
            widgets.progress(0.0, "Waiting for the worker")
        case ExportStatus.RUNNING:
            widgets.progress(each.progress, f"{formats.count(each.row_count, 'row', 'rows')} written")


def _size(byte_count: int) -> str:
    for unit, name in _UNITS:
        if byte_count >= unit:
            return f"{byte_count / unit:.1f}\u00a0{name}"
    return f"{byte_count}\u00a0bytes"


def _ordered(key: str) -> str:
    return f"{KEY}_ordered_{key}"


def _question(request: ExportRequest) -> tuple[object, ...]:
    """
    Return what was asked for, to tell an export of what is on screen from an older one.

    Periods move on with the clock, so it is the page's address that counts, without the place in the table.
    """
    place = tuple(sorted(pair for pair in address.pairs() if not pair[0].endswith(("_page", "_size"))))
    if isinstance(request, MessagesRequest):
        return place, request.columns, request.query.message_ids
    return (place,)


def _find_ordered(request: ExportRequest, key: str) -> Export | None:
    """Return what the button *key* has ordered last, while it is still the same question."""
    question, export_id = st.session_state.get(_ordered(key), (None, ""))
    if question != _question(request):
        return None
    app, viewer = session.current()
    return next((each for each in app.reports.exporting.list_mine(viewer) if each.export_id == export_id), None)


def _link(label: str, each: Export, width: str = "stretch") -> None:
    st.link_button(label, f"{DOWNLOADS}{each.export_id}", icon=":material/download:", width=width, type="primary")


def button(label: str, request: ExportRequest, kind: ExportFormat, *, key: str, width: str = "content") -> None:
    """Draw a button that orders an export of *request*; once the file is there, the button is the download."""
    known = _find_ordered(request, key)
    if known and known.status is ExportStatus.READY:
        _link(f"Download {known.file_name.rpartition('.')[2]}", known, width)
        return
    if known and known.is_unfinished:
        st.button(
            "Being written …",
            icon=":material/downloading:",
            key=f"{key}_waiting",
            width=width,
            disabled=True,
            help="It turns into the download when the file is ready. You can leave the page in the meantime.",
        )
        return
    if st.button(label, icon=":material/download:", key=key, width=width):
        app, viewer = session.current()
        with widgets.show_errors() as outcome:
            ordered = app.reports.exporting.start(viewer, request, kind, session.now())
        if outcome.ok:
            st.session_state[_ordered(key)] = (_question(request), ordered.export_id)
            st.session_state[_WATCHED] = {ordered.export_id}
            widgets.flash(
                f"{ordered.file_name} is being written: see your exports above.", icon=":material/downloading:"
            )
            st.rerun()


def menu(request: ExportRequest, *, key: str, label: str = "Export") -> None:
    """Draw the choice of formats; once the file is there, the menu says so, and holds the download."""
    known = [_find_ordered(request, f"{key}_export_{kind}") for kind in _LABELS]
    icon = ":material/download:"
    if any(each and each.is_unfinished for each in known):
        icon = ":material/downloading:"
    elif any(each and each.status is ExportStatus.READY for each in known):
        label, icon = "Download", ":material/download_done:"
    with st.popover(label, icon=icon, key=f"{key}_export"):
        for kind, name in _LABELS.items():
            button(name, request, kind, key=f"{key}_export_{kind}", width="stretch")
