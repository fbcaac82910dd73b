"""Campaigns: all of them at a glance."""

from dataclasses import replace

import streamlit as st

from core.domain.campaigns.campaigns import Campaign, Reconciliation
from core.domain.people.permissions import Permission
from pages._ui import session, tables, widgets
from pages._ui.panels import cloning, closed, stuck
from pages._ui.screens.campaigns import campaign_filters, no_campaigns

KEY, SIZES = "campaigns", (10, 25, 50)


def columns(found: dict[str, Reconciliation]) -> tuple[tables.Column, ...]:
    """Return the guide's columns; what was sent comes from the reconciliations."""

    def sent_pct(item: Campaign) -> float | None:
        return 100 * found[item.campaign_id].sent_count / item.audience_count if item.audience_count else None

    return (
        tables.text("Name", "name"),
        tables.text("Sender", "sender_id"),
        tables.moment("Created Date", "created_at"),
        tables.moment("Schedule Date", "schedule_at"),
        tables.percent("Sent/Total", sent_pct),
        tables.status("Status", "status"),
    )


def act(click: tables.Click, item: Campaign) -> None:
    """Do what the icon in the row of *item* stands for."""
    if click.action == "clone":
        cloning.ask(KEY, item.campaign_id)
    widgets.go("campaign", id=item.campaign_id)


session.require(Permission.CAMPAIGN)
app, viewer = session.current()
request = tables.request(KEY, SIZES)

with tables.bar():
    tables.search(KEY, "Search by name")
    if st.button("Create Campaign", type="primary", icon=":material/add:", key=f"{KEY}_create"):
        widgets.go("create_campaign")
with widgets.show_errors():
    closed.warn_if_closed()
    statuses, account_ids, order = campaign_filters.show(app.accounts.managing.list_accounts(viewer))
    request = replace(request, sort=order.column, descending=order.descending)
    confirmed = campaign_filters.show_confirmed()
    page = app.campaigns.composing.page(
        viewer, request, statuses=statuses, account_ids=account_ids, confirmed=confirmed
    )
    stuck.warn(page.items)
    if page.total or request.search or statuses or account_ids:
        click = tables.show(
            page.items,
            columns(app.reports.reporting.reconciliations(viewer, page.items)),
            key=f"{KEY}_table",
            alt="Campaigns",
            time_zone=viewer.time_zone,
            actions={"view": ":material/visibility:", "clone": ":material/content_copy:"},
        )
        clicked = tables.find_clicked(f"{KEY}_table", click, [item.campaign_id for item in page.items])
        if click and clicked:
            with widgets.show_errors():
                act(click, app.campaigns.composing.get(viewer, clicked))
        tables.pager(KEY, page.total, SIZES)
    else:
        no_campaigns.show()
cloning.show_open(KEY)
