"""Traffic Accounts: with which accounts people work, and how administrators run them."""

from dataclasses import replace

import streamlit as st

from core.domain.accounts.accounts import Account, AccountStatus
from core.domain.people.permissions import Permission
from pages._ui import session, tables, widgets
from pages._ui.screens.traffic_accounts import account_panels, account_spending

KEY = "traffic_accounts"
SIZES = (10, 25, 50)
ACTIONS = {"rename": ":material/edit:"}
ADMINISTRATOR_ACTIONS = ACTIONS | {"run": ":material/tune:", "switch": ":material/power_settings_new:"}


def act(click: tables.Click, item: Account) -> None:
    """Do what the icon in the row of *item* stands for."""
    if click.action == "rename":
        widgets.open_panel(f"{KEY}_rename", item.account_id)
    elif click.action == "run":
        widgets.open_panel(f"{KEY}_run", item.account_id)
    elif item.status is AccountStatus.ACTIVE:
        title = f"Deactivate {item.display_name}?"
        widgets.ask(f"{KEY}_deactivate", item.account_id, title=title, text=account_panels.DEACTIVATE)
    else:
        title = f"Activate {item.display_name}?"
        widgets.ask(f"{KEY}_activate", item.account_id, title=title, text=account_panels.ACTIVATE)


session.require(Permission.TRAFFIC_ACCOUNTS)
app, viewer = session.current()
request = replace(tables.request(KEY, SIZES), sort="display_name", descending=False)

with widgets.show_errors():
    if closed := widgets.answered(f"{KEY}_deactivate"):
        app.accounts.managing.deactivate(viewer, closed, session.now())
        widgets.flash("The account is inactive.")
    if opened := widgets.answered(f"{KEY}_activate"):
        app.accounts.managing.activate(viewer, opened, session.now())
        widgets.flash("The account is active.")
with tables.bar():
    tables.search(KEY, "Search by name")
    if viewer.is_administrator and st.button(
        "Create Account", type="primary", icon=":material/add:", key=f"{KEY}_create"
    ):
        widgets.open_panel(f"{KEY}_create")
with widgets.show_errors():
    page = app.accounts.managing.page(viewer, request)
    months = app.accounts.spending.list_months(viewer, [item.account_id for item in page.items], session.now())
    account_spending.warn(months.values())
    if page.total or request.search:
        click = tables.show(
            page.items,
            account_spending.columns(months),
            key=f"{KEY}_table",
            alt="Traffic accounts",
            actions=ADMINISTRATOR_ACTIONS if viewer.is_administrator else ACTIONS,
        )
        clicked = tables.find_clicked(f"{KEY}_table", click, [item.account_id for item in page.items])
        if click and clicked:
            with widgets.show_errors():
                act(click, app.accounts.managing.get(viewer, clicked))
        tables.pager(KEY, page.total, SIZES)
    else:
        account_panels.nothing_here()
account_panels.show_open()
