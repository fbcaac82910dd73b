"""
Launching: a draft becomes a frozen audience, cut into batches, now or when its time has come.

`launch` only says that it shall be; a worker calls `freeze`. The lake's commit comes first and can
be found again, so a worker killed between the two stores leaves nothing that the next one does not
finish.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from core.domain.audit import Action, campaign_subject
from core.domain.campaigns import Campaign, CampaignStatus, Source
from core.domain.permissions import Permission, Viewer
from core.domain.preflight import Preflight
from core.domain.schedules import check_schedule
from core.errors import AppError, Conflict, StorageError
from core.history.audience.audience_store import AudienceStore, FreezeSpec, FrozenAudience
from core.history.audience.contacts import ContactStore
from core.services.accounts.budgeting import Budgeting, beyond_budget
from core.services.accounts.managing_accounts import ManagingAccounts
from core.services.campaigns.addressing import Addressing
from core.services.campaigns.composing import Composing
from core.services.campaigns.lost_races import look_up_lost_race, lost_race
from core.services.campaigns.preflighting import Preflighting
from core.services.leases import Lease, Leases
from core.state import accounts, audit, campaigns, ledger
from core.state.store import State

log = logging.getLogger(__name__)

# A batch is what history, and so every receipt, lags behind: about a second's worth for each thread that sends. Each is
# a commit of the history's one writer, so smaller ones would leave too little room for the others.
BATCH_SECONDS = 1
BATCH_MIN = 50


@dataclass(frozen=True)
class LaunchingTools:
    """What launching works with."""

    state: State
    audiences: AudienceStore
    contacts: ContactStore
    composing: Composing
    accounts: ManagingAccounts
    preflights: Preflighting
    budgeting: Budgeting


class Launching:
    """From draft to Active."""

    def __init__(self, tools: LaunchingTools, *, batch_size: int, leases: Leases) -> None:
        """Take the tools, how many messages a batch has at most, and the worker's leases."""
        self._tools = tools
        self._state = tools.state
        self._addressing = Addressing(tools.state)
        self._batch_size = batch_size
        self._leases = leases

    def launch(self, viewer: Viewer, campaign_id: str, now: datetime, fingerprint: str = "") -> Campaign:
        """
        Start the campaign and return it, Processing; or Scheduled, when its draft says a time.

        *fingerprint* is that of the preflight the person has looked at; "" when nobody has.

        Raises: InvalidInput: something is missing, or the preflight forbids it. InvalidTransition: it was launched
            before. Forbidden: the account may not send. Conflict: what the person has looked at has changed since.
        """
        viewer.require(Permission.CAMPAIGN)
        campaign = self._tools.composing.get(viewer, campaign_id)
        self._tools.accounts.get_sending(viewer, campaign.account_id)
        if campaign.status is not CampaignStatus.INACTIVE:
            raise look_up_lost_race(self._state, viewer, campaign, now)
        if campaign.schedule_at is not None:
            check_schedule(campaign.schedule_at, now)
        counted = self._tools.budgeting.list_counted(campaign.account_id)
        preflight = self._look_at(viewer, campaign_id, fingerprint, now)
        cost, left = preflight.counted.cost_eur_cents, preflight.budget_left_eur_cents
        facts = {"fault": "", "preflight": preflight.summary(now)}
        with self._state.write() as session:
            self._lock(session, viewer, campaign, now)
            # Two campaigns that were looked at together may not suffice together.
            if not self._tools.budgeting.is_enough(session, campaign.account_id, cost, left, counted):
                raise beyond_budget("campaign", "recipients")
            if campaign.schedule_at is not None:
                started = campaigns.move_campaign(session, campaign_id, CampaignStatus.SCHEDULED, **facts)
            else:
                started = campaigns.move_campaign(
                    session, campaign_id, CampaignStatus.PROCESSING, **facts, launched_at=now
                )
            details = {"recipients": f"{preflight.counted.recipient_count:,}", "cost": f"{cost / 100:.2f} EUR"}
            audit.record(session, viewer, Action.CAMPAIGN_LAUNCHED, campaign_subject(started), now, details)
        log.info("campaign_launched", extra={"campaign_id": campaign_id, "user_id": viewer.user_id})
        return started

    def _lock(self, session: Session, viewer: Viewer, looked_at: Campaign, now: datetime) -> None:
        """Keep the draft as it was looked at, and no other: two people may be editing it."""
        current = campaigns.lock_campaign(session, looked_at.campaign_id)
        if current.status is not CampaignStatus.INACTIVE:
            raise lost_race(session, viewer, current, now)
        if current.version != looked_at.version:
            raise Conflict("Somebody else has just changed this campaign.", hint="Look at it again.")

    def _look_at(self, viewer: Viewer, campaign_id: str, fingerprint: str, now: datetime) -> Preflight:
        preflight = self._tools.preflights.check(viewer, campaign_id, now)
        if fingerprint and fingerprint != preflight.fingerprint:
            raise Conflict(
                "The campaign, its lists or its prices have changed since this preflight.", hint="Look at it again."
            )
        blocker = self._tools.preflights.find_blocker(preflight)
        if blocker is not None:
            raise blocker
        return preflight

    def start_overdue(self, viewer: Viewer, campaign_id: str, now: datetime) -> Campaign:
        """
        Start a scheduled campaign now, whatever its time; for one whose time passed during a standstill.

        Raises: InvalidTransition: it is not scheduled. Forbidden: the account may not send.
        """
        viewer.require(Permission.CAMPAIGN)
        campaign = self._tools.composing.get(viewer, campaign_id)
        self._tools.accounts.get_sending(viewer, campaign.account_id)
        with self._state.write() as session:
            current = campaigns.lock_campaign(session, campaign_id)
            if current.status is not CampaignStatus.SCHEDULED:
                raise lost_race(session, viewer, current, now)
            log.info("campaign_started_late", extra={"campaign_id": campaign_id, "user_id": viewer.user_id})
            started = campaigns.move_campaign(session, campaign_id, CampaignStatus.PROCESSING, launched_at=now)
            audit.record(session, viewer, Action.CAMPAIGN_LAUNCHED, campaign_subject(started), now, {"late": "yes"})
            return started

    def list_due(self, now: datetime) -> list[str]:
        """Return the scheduled campaigns that wait for `start`; those that are overdue wait for a person."""
        with self._state.read() as session:
            return campaigns.list_due(session, now)

    def start(self, campaign_id: str, clock: Callable[[], datetime]) -> None:
        """Start a scheduled campaign whose time has come; twice, or in two workers at once, does no harm."""
        now = clock()
        with self._state.write() as session:
            if campaign_id not in campaigns.list_due(session, now):
                return
            campaign = campaigns.get_campaign(session, campaign_id)
            account = accounts.get_account(session, campaign.account_id)
            if account.can_send:
                campaigns.move_campaign(session, campaign_id, CampaignStatus.PROCESSING, launched_at=now)
            else:
                fault = f"The account {account.display_name} may not send any more."
                campaigns.move_campaign(session, campaign_id, CampaignStatus.INACTIVE, fault=fault)
        log.info("campaign_due", extra={"campaign_id": campaign_id, "started": account.can_send})

    def list_processing(self, now: datetime) -> list[str]:
        """Return the campaigns that wait for `freeze`."""
        with self._state.read() as session:
            return campaigns.list_processing(session, now)

    def freeze(self, campaign_id: str, clock: Callable[[], datetime]) -> None:
        """
        Freeze the audience and make the campaign Active; twice, or in two workers at once, does no harm.

        What cannot be frozen goes back to Inactive with the fault on it.
        Raises: StorageError: a store did not answer; the campaign stays Processing and is tried again.
        """
        with self._leases.hold(campaign_id, clock, campaigns.lease_campaign) as lease:
            if lease is None:
                return
            lease.check()
            try:
                frozen = self._tools.audiences.freeze(self._spec(campaign_id, clock()))
            except StorageError:
                raise
            except AppError as error:
                self._give_up(campaign_id, lease, f"{error.message} {error.hint}".strip())
            except Exception:
                # Whatever it is, it would be the same again: the campaign must not be Processing for ever.
                self._give_up(campaign_id, lease, "The launch stopped unexpectedly. See the worker's log.")
                raise
            else:
                self._conclude(campaign_id, lease, frozen, clock())

    def _conclude(self, campaign_id: str, lease: Lease, frozen: FrozenAudience, now: datetime) -> None:
        if frozen.audience_count == 0 and self._is_quick(campaign_id):
            # Whoever sent it died before the numbers were stored; they were asked for again, or never sent.
            self._give_up(campaign_id, lease, "Its numbers were never stored. Send the message again.")
            return
        self._activate(campaign_id, lease, frozen, now)
        self._forget_numbers(campaign_id)

    def _spec(self, campaign_id: str, now: datetime) -> FreezeSpec:
        with self._state.read() as session:
            campaign = campaigns.get_campaign(session, campaign_id)
            rate_tps = accounts.get_account(session, campaign.account_id).rate_tps
        return FreezeSpec(
            campaign_id=campaign_id,
            recipients=self._addressing.spec(campaign, now),
            batch_size=max(1, min(self._batch_size, max(BATCH_MIN, rate_tps * BATCH_SECONDS))),
            now=now,
        )

    def _forget_numbers(self, campaign_id: str) -> None:
        """Delete the numbers of a Quick Send, which are in its frozen audience now; else `forgetting` does so later."""
        if self._is_quick(campaign_id):
            self._tools.contacts.delete(campaign_id)

    def _is_quick(self, campaign_id: str) -> bool:
        with self._state.read() as session:
            return campaigns.get_campaign(session, campaign_id).source is Source.QUICK_SEND

    def _give_up(self, campaign_id: str, lease: Lease, fault: str) -> None:
        with self._state.write() as session:
            # Somebody else may hold it by now, or have finished it.
            mine = lease.renew(session)
            if mine:
                campaigns.move_campaign(
                    session, campaign_id, CampaignStatus.INACTIVE, fault=fault, lease_owner="", lease_until=None
                )
        log.warning("campaign_not_frozen", extra={"campaign_id": campaign_id, "mine": mine, "reason": fault})

    def _activate(self, campaign_id: str, lease: Lease, frozen: FrozenAudience, now: datetime) -> None:
        sizes = [(batch.batch_no, batch.message_count) for batch in frozen.batches]
        with self._state.read() as session:
            campaign = campaigns.get_campaign(session, campaign_id)
        counted = self._tools.budgeting.list_counted(campaign.account_id) | {campaign_id}
        left = self._tools.budgeting.find_left(campaign.account_id, now, but=campaign_id)
        with self._state.write() as session:
            # Prices and the budget may have changed since the launch, above all of one that was scheduled.
            cost = frozen.cost_eur_cents
            is_enough = self._tools.budgeting.is_enough(session, campaign.account_id, cost, left, counted)
            # The lease may have run out; the state may have moved. One of two workers gets here first.
            if not lease.renew(session):
                log.warning("campaign_frozen_elsewhere", extra={"campaign_id": campaign_id})
                return
            ledger.add_batches(session, campaign_id, sizes)
            campaigns.add_outcomes(
                session, campaign_id, {("excluded", reason): count for reason, count in frozen.excluded.items()}
            )
            campaigns.move_campaign(
                session,
                campaign_id,
                CampaignStatus.ACTIVE if sizes else CampaignStatus.COMPLETED,
                audience_count=frozen.audience_count,
                cost_eur_cents=cost,
                completed_at=None if sizes else now,
                lease_owner="",
                lease_until=None,
            )
            if sizes and not is_enough:
                campaigns.move_campaign(session, campaign_id, CampaignStatus.PAUSED, fault=_too_dear(cost))
        fields = {"campaign_id": campaign_id, "audience": frozen.audience_count, "paused": not is_enough}
        log.info("campaign_active", extra=fields)


def _too_dear(cost: Decimal) -> str:
    return (
        f"It costs {cost / 100:,.2f} EUR by now, more than is left of the account's budget this month. Ask an"
        " administrator for a higher budget and resume it, or cancel it."
    )
