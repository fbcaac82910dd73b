"""Gateways: the ways out to providers, for administrators to set up, test, change and delete."""

from collections.abc import Mapping

import streamlit as st

from core.domain.gateways.sights import Standing
from core.services.accounts.setting_up_gateways import ListedGateway
from pages._ui import formats, session, tables, widgets
from pages._ui.screens.gateways import gateway_panels

KEY = "gateways"


def _limit(rate_tps: int | None) -> str:
    return formats.NOTHING if rate_tps is None else formats.per_second(rate_tps)


def columns(standings: Mapping[str, Standing]) -> tuple[tables.Column, ...]:
    """Return what is shown of each gateway; how it stands is told by workers."""
    return (
        tables.text("Gateway", lambda item: item.setup.name),
        # On a phone no more than this far is in sight.
        tables.status("Status", lambda item: standings.get(item.setup.name, Standing.NEW)),
        tables.text("Kind", "title"),
        tables.text("Limit", lambda item: _limit(item.setup.rate_tps)),
        tables.made("Used by", "account_names", lambda names: ", ".join(names) or formats.NOTHING, width=320),
    )


def act(click: tables.Click, item: ListedGateway) -> None:
    """Do what the icon in the row of *item* stands for."""
    name = item.setup.name
    if click.action == "delete":
        widgets.ask(f"{KEY}_delete", name, title=f"Delete {name}?", text=gateway_panels.DELETE)
    else:
        gateway_panels.open_for(name, tests=click.action == "test")


def actions(items: tuple[ListedGateway, ...]) -> dict[str, str | list[str | None]]:
    """Return an icon for each thing that can be done with a row."""
    return {
        "change": ":material/tune:",
        "test": ":material/network_check:",
        "delete": [":material/delete:" if item.can_be_deleted else None for item in items],
    }


session.require_administrator()
app, viewer = session.current()

with widgets.show_errors():
    if gone := widgets.answered(f"{KEY}_delete"):
        app.accounts.setting_up.delete(viewer, gone, session.now())
        widgets.flash(f"{gone} is deleted.")
with tables.bar():
    st.caption("Traffic accounts of type Campaign send by one of these.")
    if st.button("Add Gateway", type="primary", icon=":material/add:", key=f"{KEY}_add"):
        widgets.open_panel(f"{KEY}_add")
with widgets.show_errors():
    found = app.accounts.setting_up.list_gateways(viewer)
    standings = app.accounts.watching.list_standings(viewer, session.now())
    clicked_on = tables.show(found, columns(standings), key=f"{KEY}_table", alt="Gateways", actions=actions(found))
    clicked = tables.find_clicked(f"{KEY}_table", clicked_on, [item.setup.name for item in found])
    if clicked_on and (item := next((each for each in found if each.setup.name == clicked), None)):
        act(clicked_on, item)
gateway_panels.show_open()
