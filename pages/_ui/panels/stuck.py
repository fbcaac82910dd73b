"""Campaigns whose gateway takes nothing just now: said at once, before they are paused, and while they wait for it."""

from collections.abc import Sequence

import streamlit as st

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.gateways.gateways import say_takes_nothing
from core.services.accounts.watching_gateways import Stuck
from pages._ui import formats, session, widgets

_NAMED_MOST = 3
_ICON = ":material/portable_wifi_off:"


def warn(campaigns: Sequence[Campaign]) -> None:
    """Name those of the campaigns that stand still, one sentence for each gateway, and say why."""
    app, viewer = session.current()
    found = app.accounts.watching.list_stuck(viewer, campaigns, session.now())
    by_gateway = dict[Stuck, list[str]]()
    for campaign in campaigns:
        if stuck := found.get(campaign.campaign_id):
            by_gateway.setdefault(stuck, []).append(campaign.name)
    with widgets.place():
        for stuck, names in by_gateway.items():
            more = len(names) - _NAMED_MOST
            whose = f"{', '.join(names[:_NAMED_MOST])}{f' and {more} more' if more > 0 else ''}"
            st.warning(f"**{formats.plain(whose)}:** {_why(stuck)}", icon=_ICON)


def warn_of(campaign: Campaign) -> None:
    """Say it of this one, if it stands still and is not paused: of that its page says why by itself."""
    app, viewer = session.current()
    asked = [campaign] if campaign.status is CampaignStatus.ACTIVE else []
    found = app.accounts.watching.list_stuck(viewer, asked, session.now())
    with widgets.place():
        if stuck := found.get(campaign.campaign_id):
            st.warning(_why(stuck), icon=_ICON)


def _why(stuck: Stuck) -> str:
    return formats.plain(say_takes_nothing(stuck.gateway, stuck.fault))
