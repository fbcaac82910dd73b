"""Which campaigns are shown, and in which order; the page's address keeps it."""

from dataclasses import dataclass

import streamlit as st

from core.domain.accounts.accounts import Account, label_accounts
from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.reports.paging import PageRequest
from pages._ui import address, session, tables

KEY = "campaigns"


@dataclass(frozen=True)
class Order:
    """By which column, and in which direction."""

    column: str
    descending: bool = False


ORDERS = {
    "Newest first": Order("created_at", descending=True),
    "Oldest first": Order("created_at"),
    "Name": Order("name"),
    "Sender": Order("sender_id"),
    "Status": Order("status"),
    "Schedule Date": Order("schedule_at"),
}


def show(accounts: tuple[Account, ...]) -> tuple[list[CampaignStatus], list[str], Order]:
    """Draw the filters; return the chosen statuses, the ids of the chosen accounts, and the order."""
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{KEY}_filters"):
        statuses = st.multiselect(
            "Status",
            [status.value for status in CampaignStatus],
            key=f"{KEY}_status",
            placeholder="All",
            bind=address.bound(f"{KEY}_status"),
            on_change=tables.to_first_page,
            args=(KEY,),
        )
        names = {name: account_id for account_id, name in label_accounts(accounts).items()}
        chosen: list[str] = []
        if len(names) > 1:
            chosen = st.multiselect(
                "Account",
                list(names),
                key=f"{KEY}_account",
                placeholder="All",
                bind=address.bound(f"{KEY}_account"),
                on_change=tables.to_first_page,
                args=(KEY,),
            )
        key = f"{KEY}_sort"
        order = st.selectbox("Sort by", list(ORDERS), key=key, bind=address.bound(key), width=190)
    return [CampaignStatus(status) for status in statuses], [names[name] for name in chosen], ORDERS[order]


def show_confirmed() -> bool | None:
    """
    Draw the switch for completed STOP confirmations if there are any; return which to show, as `composing.page` asks.

    There is one for each few people who say STOP: they would bury what a person has sent.
    """
    app, viewer = session.current()
    if not app.campaigns.composing.page(viewer, PageRequest(size=1), confirmed=True).total:
        return False
    shows = st.toggle(
        "Show completed STOP confirmations", key=f"{KEY}_confirmed", on_change=tables.to_first_page, args=(KEY,)
    )
    return None if shows else False
