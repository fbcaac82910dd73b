"""What limits a campaign under way: its budget and its segments per second, what it spent, and changing both."""

import logging
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.domain.accounts.accounts import check_budget, check_rate
from core.domain.accounts.budgets import Budget
from core.domain.campaigns.campaigns import Campaign, CampaignStatus, Source
from core.domain.campaigns.rates import Rates
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action, campaign_subject
from core.domain.words.counting import in_euros
from core.errors import InvalidTransition
from core.services.accounts.budgeting import own_budget
from core.services.accounts.counting_spending import CountingSpending
from core.services.accounts.watching_gateways import find_way
from core.services.campaigns.composing import get_campaign
from core.services.campaigns.deciding import require_still
from core.state.accounts import accounts
from core.state.campaigns import campaigns, rates
from core.state.engine.store import State
from core.state.reports import audit

log = logging.getLogger(__name__)

# A draft's are changed with the draft; one that has ended neither spends nor sends any more.
_CHANGEABLE = (CampaignStatus.SCHEDULED, CampaignStatus.PROCESSING, CampaignStatus.ACTIVE, CampaignStatus.PAUSED)


@dataclass(frozen=True)
class OwnLimits:
    """What a person limits a campaign to: EUR for all of it, None for no end; segments per second, None for none."""

    budget_eur: Decimal | None = None
    rate_tps: int | None = None


@dataclass(frozen=True)
class Limited:
    """What a campaign has spent, EUR cents; its own budget, None where it has none; and the rates it keeps to."""

    spent_eur_cents: Decimal
    budget: Budget | None
    rates: Rates


def own_limits(campaign: Campaign) -> OwnLimits:
    """Return what the campaign is limited to of its own."""
    cents = campaign.budget_eur_cents
    return OwnLimits(None if cents is None else cents / 100, campaign.rate_tps)


class Limiting:
    """What a campaign may spend, and how fast it may go."""

    def __init__(self, state: State, counting: CountingSpending) -> None:
        self._state = state
        self._counting = counting

    def find(self, viewer: Viewer, campaign_id: str, now: datetime) -> Limited:
        """
        Return what the campaign has spent of what, and what it keeps to while it goes by the gateway of this moment.

        Raises: Forbidden. NotFound: unknown, or another account's.
        """
        viewer.require_any(Permission.CAMPAIGN, Permission.QUICK_SEND)
        with self._state.read() as session:
            campaign = get_campaign(session, viewer, campaign_id)
            account = accounts.get_account(session, campaign.account_id)
            kept = rates.get_rates(session, campaign_id, find_way(session, campaign, account, now))
        spent = self._counting.find_campaign(campaign_id)
        return Limited(spent, own_budget(campaign, spent), kept)

    def can_change(self, campaign: Campaign) -> bool:
        """Return whether the campaign's limits can be changed here."""
        return campaign.source is Source.CAMPAIGN and campaign.status in _CHANGEABLE

    def change(self, viewer: Viewer, campaign_id: str, seen: OwnLimits, wanted: OwnLimits, now: datetime) -> Campaign:
        """
        Change what a campaign under way is limited to; it follows with its next sub-window.

        Args:
            viewer: Needs the permission Campaign and the campaign's account.
            campaign_id: Which.
            seen: What the person saw. What is the same in *wanted* stays as somebody else may have made it since.
            wanted: What it is to be.
            now: When.

        Raises: InvalidInput: no such budget or rate, with the *field*. InvalidTransition: it is a draft, or has ended.
            Forbidden, NotFound.
        """
        viewer.require(Permission.CAMPAIGN)
        budget = check_budget(wanted.budget_eur)
        rate_tps = None if wanted.rate_tps is None else check_rate(wanted.rate_tps)
        with self._state.write() as session:
            # The account first, as by whoever else decides what is sent.
            account_id = get_campaign(session, viewer, campaign_id).account_id
            require_still(session, viewer, Permission.CAMPAIGN, accounts.lock_account(session, account_id))
            before = campaigns.lock_campaign(session, campaign_id)
            if not self.can_change(before):
                raise InvalidTransition(
                    f"The limits of a campaign that is {before.status} cannot be changed.",
                    hint="Reload the page to see its state.",
                )
            if wanted.budget_eur == seen.budget_eur:
                budget = before.budget_eur_cents
            if wanted.rate_tps == seen.rate_tps:
                rate_tps = before.rate_tps
            changed = _changes(before, budget, rate_tps)
            if not changed:
                return before
            campaigns.set_limits(session, campaign_id, budget, rate_tps)
            audit.record(session, viewer, Action.CAMPAIGN_CHANGED, campaign_subject(before), now, changed)
        log.info("campaign_limits_changed", extra={"campaign_id": campaign_id, "user_id": viewer.user_id})
        with self._state.read() as session:
            return campaigns.get_campaign(session, campaign_id)


def _changes(before: Campaign, budget: Decimal | None, rate_tps: int | None) -> dict[str, str]:
    """Return what the audit says: each limit that changes as it was and is."""
    changed = dict[str, str]()
    if budget != before.budget_eur_cents:
        changed["budget"] = f"{_eur(before.budget_eur_cents)} → {_eur(budget)}"
    if rate_tps != before.rate_tps:
        changed["segments per second"] = f"{before.rate_tps or 'none'} → {rate_tps or 'none'}"
    return changed


def _eur(budget: Decimal | None) -> str:
    return "none" if budget is None else in_euros(budget)
