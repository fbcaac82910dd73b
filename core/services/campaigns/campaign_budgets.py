"""Budgets of campaigns under way: what each has spent of its own, and changing that."""

import logging
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.domain.accounts.accounts import check_budget
from core.domain.accounts.budgets import Budget, in_eur
from core.domain.campaigns.campaigns import Campaign, CampaignStatus, Source
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action, campaign_subject
from core.errors import InvalidTransition
from core.services.accounts.budgeting import own_budget
from core.services.accounts.counting_spending import CountingSpending
from core.services.campaigns.composing import get_campaign
from core.state.campaigns import campaigns
from core.state.engine.store import State
from core.state.reports import audit

log = logging.getLogger(__name__)

# A draft's is changed with the draft; one that has ended spends nothing any more.
_CHANGEABLE = (CampaignStatus.SCHEDULED, CampaignStatus.PROCESSING, CampaignStatus.ACTIVE, CampaignStatus.PAUSED)


@dataclass(frozen=True)
class CampaignSpending:
    """What a campaign has spent, EUR cents, and its own budget, None where it has none."""

    spent_eur_cents: Decimal
    budget: Budget | None


class CampaignBudgets:
    """What a campaign may spend."""

    def __init__(self, state: State, counting: CountingSpending) -> None:
        self._state = state
        self._counting = counting

    def find(self, viewer: Viewer, campaign_id: str) -> CampaignSpending:
        """Return what the campaign has spent of what. Raises: Forbidden. NotFound: unknown, or another account's."""
        viewer.require_any(Permission.CAMPAIGN, Permission.QUICK_SEND)
        with self._state.read() as session:
            campaign = get_campaign(session, viewer, campaign_id)
        spent = self._counting.find_campaign(campaign_id)
        return CampaignSpending(spent, own_budget(campaign, spent))

    def can_change(self, campaign: Campaign) -> bool:
        """Return whether the campaign's budget can be changed here."""
        return campaign.source is Source.CAMPAIGN and campaign.status in _CHANGEABLE

    def change(self, viewer: Viewer, campaign_id: str, budget_eur: Decimal | None, now: datetime) -> Campaign:
        """
        Change what a campaign under way may spend, None for no end; it follows with its next sub-window.

        Raises: InvalidInput: no such budget, with the *field*. InvalidTransition: it is a draft, or has ended.
            Forbidden, NotFound.
        """
        viewer.require(Permission.CAMPAIGN)
        budget = check_budget(budget_eur)
        with self._state.write() as session:
            get_campaign(session, viewer, campaign_id)
            before = campaigns.lock_campaign(session, campaign_id)
            if not self.can_change(before):
                raise InvalidTransition(
                    f"The budget of a campaign that is {before.status} cannot be changed.",
                    hint="Reload the page to see its state.",
                )
            if budget == before.budget_eur_cents:
                return before
            campaigns.set_budget(session, campaign_id, budget)
            details = {"budget": f"{_in_words(before.budget_eur_cents)} → {_in_words(budget)}"}
            audit.record(session, viewer, Action.CAMPAIGN_CHANGED, campaign_subject(before), now, details)
        log.info("campaign_budget_changed", extra={"campaign_id": campaign_id, "user_id": viewer.user_id})
        with self._state.read() as session:
            return campaigns.get_campaign(session, campaign_id)


def _in_words(budget: Decimal | None) -> str:
    return "none" if budget is None else f"{in_eur(budget)} EUR"
