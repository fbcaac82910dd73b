"""Users: who may come in, and what everybody may do."""

from dataclasses import replace

import streamlit as st

from core.domain.people.permissions import Permission, preset_of
from pages._ui import session, tables, widgets
from pages._ui.screens.users import people_panels

KEY = people_panels.KEY
SIZES = (10, 25, 50)
COLUMNS = (
    tables.text("Name", "name", width=220),
    tables.text("Email", "email", width=290),
    tables.text("Presets", lambda person: preset_of(person.permissions), width=150),
    tables.status("Status", "status"),
)

session.require(Permission.USERS)
app, viewer = session.current()
request = tables.request(KEY, SIZES)

with tables.bar():
    tables.search(KEY, "Search by name or email")
    order = people_panels.choose_order()
    if st.button("Invite user", type="primary", icon=":material/person_add:", key=f"{KEY}_invite_button"):
        widgets.open_panel(f"{KEY}_invite")
with widgets.show_errors():
    people_panels.delete_answered()
    answers = st.container()
    page = app.people.managing.page(viewer, replace(request, sort=order.column, descending=order.descending))
    click = tables.show(
        page.items,
        COLUMNS,
        key=f"{KEY}_table",
        alt="Users",
        time_zone=viewer.time_zone,
        actions=people_panels.icons(viewer, page.items),
    )
    clicked = tables.find_clicked(f"{KEY}_table", click, [person.user_id for person in page.items])
    if click and clicked:
        with answers, widgets.show_errors():
            people_panels.act(click.action, clicked)
    tables.pager(KEY, page.total, SIZES)
people_panels.show_open()
