"""Distribution Lists: the files of contacts, and what became of them."""

import streamlit as st

from core.domain.imports.lists import DistributionList, ListStatus
from core.domain.people.permissions import Permission
from pages._ui import session, tables, widgets
from pages._ui.screens.distribution_lists import list_panels

KEY = "distribution_lists"
SIZES = (10, 25, 50)
ACTIONS = {"preview": ":material/visibility:", "delete": ":material/delete:"}


def columns(campaign_counts: dict[str, int]) -> tuple[tables.Column, ...]:
    """Return the guide's columns; how often a list was used comes from the campaigns."""
    return (
        tables.text("Name", "name"),
        tables.status("Status", "status"),
        tables.number("Campaign", lambda item: campaign_counts.get(item.list_id, 0)),
        tables.number("Entries", "entry_count"),
        tables.button("Left out", list_panels.left_out, "left_out", width=210),
        tables.moment("Creation Date", "created_at"),
        # The guide's: who made it, and from which file.
        tables.button("Details", lambda _: ":material/info:", "info"),
    )


def act(click: tables.Click, item: DistributionList) -> None:
    """Do what the icon in the row of *item* stands for."""
    if click.action == "left_out":
        widgets.open_panel(list_panels.LEFT_OUT, item.list_id)
    elif click.action in ("preview", "info"):
        widgets.open_panel(f"{KEY}_preview", item.list_id)
    else:
        widgets.ask(f"{KEY}_delete", item.list_id, title=f"Delete {item.name}?", text=list_panels.DELETE_WARNING)


session.require(Permission.DISTRIBUTION_LISTS)
app, viewer = session.current()
request = tables.request(KEY, SIZES)

if deleted := widgets.answered(f"{KEY}_delete"):
    with widgets.show_errors():
        app.lists.delete(viewer, deleted, session.now())
        widgets.flash("The list was deleted.")
with tables.bar():
    tables.search(KEY, "Search by name")
    if st.button("Add Distribution List", type="primary", icon=":material/add:", key=f"{KEY}_add"):
        widgets.open_panel(f"{KEY}_add")
with widgets.show_errors():
    page = app.lists.page(viewer, request)
    if page.total or request.search:
        waiting = [item.list_id for item in page.items if item.status is ListStatus.IN_PROGRESS]
        with widgets.place():
            if waiting:
                list_panels.watch(waiting)
        counts = app.lists.count_campaigns(viewer, page.items)
        click = tables.show(
            page.items,
            columns(counts),
            key=f"{KEY}_table",
            alt="Distribution lists",
            time_zone=viewer.time_zone,
            actions=ACTIONS,
        )
        clicked = tables.find_clicked(f"{KEY}_table", click, [item.list_id for item in page.items])
        if click and clicked:
            with widgets.show_errors():
                act(click, app.lists.get(viewer, clicked))
        tables.pager(KEY, page.total, SIZES)
    else:
        list_panels.show_none()
list_panels.show_open()
