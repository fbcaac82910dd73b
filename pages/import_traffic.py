"""Import Traffic: files of messages that were sent outside the tool, and what became of them."""

import streamlit as st

from core.domain.accounts.accounts import label_accounts
from core.domain.imports.cdr import TrafficImport, TrafficImportStatus
from core.domain.people.permissions import Permission
from pages._ui import session, tables, widgets
from pages._ui.screens.import_traffic import traffic_panels

KEY = "import_traffic"
SIZES = (10, 25, 50)
ACTIONS = {"open": ":material/visibility:", "delete": ":material/delete:"}


def columns(names: dict[str, str]) -> tuple[tables.Column, ...]:
    """Return the columns; accounts are shown by what they are called."""
    return (
        tables.text("File", "file_name"),
        tables.status("Status", "status"),
        tables.text("Account", lambda item: names.get(item.account_id, "")),
        tables.number("Rows", lambda item: item.counts.read),
        tables.number("Added", lambda item: item.counts.added),
        tables.number("Updated", lambda item: item.counts.updated),
        tables.number("Rejected", lambda item: item.counts.rejected),
        tables.moment("Uploaded", "created_at"),
    )


def act(click: tables.Click, item: TrafficImport) -> None:
    """Do what the icon in the row of *item* stands for."""
    if click.action == "delete":
        widgets.ask(f"{KEY}_delete", item.import_id, title=f"Forget {item.file_name}?", text=traffic_panels.DELETE)
    elif item.status is TrafficImportStatus.TO_MAP:
        widgets.open_panel(f"{KEY}_map", item.import_id)
    else:
        widgets.open_panel(f"{KEY}_details", item.import_id)


session.require(Permission.TRAFFIC_ACCOUNTS)
app, viewer = session.current()
request = tables.request(KEY, SIZES)

if forgotten := widgets.answered(f"{KEY}_delete"):
    with widgets.show_errors():
        app.traffic.delete(viewer, forgotten)
        widgets.flash("The import was forgotten; its messages stay.")
with tables.bar(KEY):
    tables.search(KEY, "Search by file name")
    if st.button("Import File", type="primary", icon=":material/upload:", key=f"{KEY}_add"):
        widgets.open_panel(f"{KEY}_add")
with widgets.show_errors():
    page = app.traffic.page(viewer, request)
    names = label_accounts(app.accounts.managing.list_accounts(viewer))
    if page.total or request.search:
        waiting = [item.import_id for item in page.items if item.status is TrafficImportStatus.IN_PROGRESS]
        with widgets.place():
            if waiting:
                traffic_panels.watch(waiting)
        click = tables.show(
            page.items,
            columns(names),
            key=f"{KEY}_table",
            alt="Imports of outside traffic",
            time_zone=viewer.time_zone,
            actions=ACTIONS,
        )
        clicked = tables.find_clicked(f"{KEY}_table", click, [item.import_id for item in page.items])
        if click and clicked:
            with widgets.show_errors():
                act(click, app.traffic.get(viewer, clicked))
        tables.pager(KEY, page.total, SIZES)
    else:
        traffic_panels.nothing_yet()
traffic_panels.show_open()
