"""A campaign's budget on its page: how much of it is spent, and changing it while the campaign is under way."""

import streamlit as st

from core.domain.accounts.accounts import BUDGET_MAX_EUR
from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.services.campaigns.campaign_budgets import CampaignSpending
from pages._ui import formats, session, widgets

KEY = "campaign_budget"
_ENDED = (CampaignStatus.COMPLETED, CampaignStatus.CANCELED)


def show_spent(campaign: Campaign) -> None:
    """Draw how much the campaign has spent, and of which budget; the page draws it anew while that changes."""
    app, viewer = session.current()
    found = app.campaigns.budgets.find(viewer, campaign.campaign_id)
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
    """Draw what opens the panel, where the budget can be changed."""
    app, _ = session.current()
    if app.campaigns.budgets.can_change(campaign) and st.button(
        "Change budget", icon=":material/savings:", key=f"{KEY}_open"
    ):
        widgets.open_panel(KEY, campaign.campaign_id)


def show_open(campaign: Campaign) -> None:
    """Draw the panel if it is open."""
    if widgets.is_open(KEY):
        _panel(campaign)


def _warning(found: CampaignSpending, campaign: Campaign) -> str:
    budget = found.budget
    assert budget is not None
    words = f"**More than 80 % of the campaign's budget is spent**: {formats.euros(budget.left_eur_cents)} is left."
    if campaign.cost_eur_cents is not None and campaign.cost_eur_cents <= budget.eur_cents:
        return f"{words} It is enough for the rest."
    return f"{words} The campaign pauses before it would spend more."


@st.dialog("Change budget", icon=":material/savings:", on_dismiss=widgets.close_panel)
def _panel(campaign: Campaign) -> None:
    app, viewer = session.current()
    before = campaign.budget_eur_cents
    with st.form(f"{KEY}_form", border=False):
        eur = st.number_input(
            "Budget, EUR",
            0.0,
            float(BUDGET_MAX_EUR),
            None if before is None else float(before / 100),
            step=10.0,
            format="%.2f",
            placeholder="No limit",
            key=f"{KEY}_eur_{campaign.campaign_id}",
        )
        cost = campaign.cost_eur_cents
        whole = "" if cost is None else f" The whole campaign costs {formats.euros(cost)}."
        st.caption(f"It takes effect immediately. Below what is already spent, the campaign pauses.{whole}")
        saved = st.form_submit_button("Save", type="primary", key=f"{KEY}_save", width="stretch")
    if saved:
        with widgets.show_errors():
            cents = formats.eur_to_cents(eur)
            app.campaigns.budgets.change(
                viewer, campaign.campaign_id, None if cents is None else cents / 100, session.now()
            )
            widgets.flash("The budget is saved.", icon=":material/savings:")
            widgets.close_panel()
            st.rerun()
