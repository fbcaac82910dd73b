"""A campaign's limits on its page: what is spent of its budget, how fast it may go, and changing both."""

from decimal import Decimal

import streamlit as st

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.services.campaigns.limiting import Limited, OwnLimits, own_limits
from pages._ui import formats, session, widgets
from pages._ui.panels import limit_fields

KEY = "campaign_limits"
_ENDED = (CampaignStatus.COMPLETED, CampaignStatus.CANCELED)


def say_rate(campaign: Campaign, found: Limited) -> None:
    """Draw how fast the campaign may go, and whose limit that is, while it is not at its end."""
    with widgets.place():
        if campaign.status not in _ENDED:
            st.caption(f":material/speed: {found.rates.in_words()}")


def show_spent(campaign: Campaign, found: Limited) -> None:
    """Draw how much the campaign has spent, and of which budget; the page draws it anew while that changes."""
    with widgets.card("Spending", key=f"{KEY}_card", help="Messages without an answer count as spent."):
        budget = found.budget
        if budget is None:
            st.markdown(f"**{formats.euros(found.spent_eur_cents)}** spent. The campaign has no budget of its own.")
            return
        share = found.spent_eur_cents / budget.eur_cents if budget.eur_cents else None
        st.progress(
            min(1.0, float(share)) if share is not None else 1.0,
            f"**{formats.euros(found.spent_eur_cents)}** of {formats.euros(budget.eur_cents)} spent",
        )
        if campaign.status not in _ENDED and budget.is_warned_of:
            st.warning(_warning(found, campaign), icon=":material/savings:")


def button(campaign: Campaign) -> None:
    """Draw what opens the panel, where the limits can be changed."""
    app, _ = session.current()
    if app.campaigns.limiting.can_change(campaign) and st.button(
        "Change limits", icon=":material/speed:", key=f"{KEY}_open"
    ):
        widgets.open_panel(KEY, campaign.campaign_id)


def show_open(campaign: Campaign) -> None:
    """Draw the panel if it is open."""
    if widgets.is_open(KEY):
        _panel(campaign)


def _warning(found: Limited, campaign: Campaign) -> str:
    budget = found.budget
    assert budget is not None
    left = formats.euros(budget.left_eur_cents)
    words = f"**More than 80 % of the campaign's budget is spent**: {left} is left."
    if not budget.left_eur_cents:
        words = "**The campaign's budget is used up**."
    if campaign.cost_eur_cents is not None and campaign.cost_eur_cents <= budget.eur_cents:
        return f"{words} It is enough for the rest."
    if campaign.status is CampaignStatus.PAUSED:
        return f"{words} That is not enough for the rest: raise it with Change limits before you resume."
    return f"{words} The campaign pauses before it would spend more."


def _effect(campaign: Campaign, found: Limited) -> str:
    """Return what another budget does, beside what has been spent of what."""
    cost = campaign.cost_eur_cents
    whole = "" if cost is None else f"; the whole campaign costs {formats.euros(cost)}"
    then = "Below what is spent, the campaign pauses."
    if campaign.status is CampaignStatus.PAUSED:
        then = "A paused campaign stays paused until you resume it."
    return f"{formats.euros(found.spent_eur_cents)} is spent{whole}. {then}"


@st.dialog("Change limits", icon=":material/speed:", on_dismiss=widgets.close_panel)
def _panel(campaign: Campaign) -> None:
    app, viewer = session.current()
    seen = own_limits(campaign)
    with st.form(f"{KEY}_form", border=False):
        before = None if seen.budget_eur is None else float(seen.budget_eur)
        eur = limit_fields.budget("Budget [EUR]", before, key=f"{KEY}_eur_{campaign.campaign_id}")
        st.caption(_effect(campaign, app.campaigns.limiting.find(viewer, campaign.campaign_id, session.now())))
        rate_tps = limit_fields.rate("Segments per second", seen.rate_tps, key=f"{KEY}_rate_{campaign.campaign_id}")
        st.caption("The account's limit and the gateway's apply as well. Both fields take effect immediately.")
        saved = st.form_submit_button("Save", type="primary", key=f"{KEY}_save", width="stretch")
    if saved:
        with widgets.show_errors():
            wanted = OwnLimits(None if eur is None else Decimal(f"{eur:.2f}"), rate_tps)
            app.campaigns.limiting.change(viewer, campaign.campaign_id, seen, wanted, session.now())
            widgets.flash("The limits are saved.", icon=":material/speed:")
            widgets.close_panel()
            st.rerun()
