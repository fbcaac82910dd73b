"""
Launching: a draft becomes a frozen audience, cut into batches, now or when its time has come.

`launch` looks once and hands on what it has seen; `decide` judges it in the one transaction that moves the campaign. It
only says that it shall be sent: a worker calls `freeze`. The lake's commit comes first and can be found again, so a
worker killed between the two stores leaves nothing that the next one does not finish.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from core.domain.accounts.accounts import require_sending
from core.domain.accounts.budgets import RAISE_ACCOUNTS, RAISE_OWN
from core.domain.campaigns.campaigns import Campaign, CampaignStatus, Source
from core.domain.campaigns.schedules import check_schedule
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action, campaign_subject
from core.domain.words.counting import grouped, in_euros
from core.errors import AppError, Conflict, StorageError
from core.history.audience.audience_store import AudienceStore, FreezeSpec, FrozenAudience
from core.history.audience.contacts import ContactStore
from core.services.accounts.budgeting import Budgeting, beyond_budget, is_enough, read_commitments
from core.services.campaigns.addressing import Addressed, address, find_lists
from core.services.campaigns.composing import check_lists_ready, get_campaign
from core.services.campaigns.deciding import decide_sender
from core.services.campaigns.lost_races import look_up_lost_race, lost_race
from core.services.campaigns.preflighting import Look, Preflighting
from core.services.campaigns.suppressing import Suppressing
from core.services.leases import Lease, Leases
from core.state.accounts import accounts
from core.state.campaigns import campaigns, ledger
from core.state.engine.store import State
from core.state.reports import audit

log = logging.getLogger(__name__)

# A batch is what history, and so every receipt, lags behind: about a second's worth for each thread that sends. Each is
# a commit of the history's one writer, so smaller ones would leave too little room for the others.
BATCH_SECONDS = 1
BATCH_MIN = 50


@dataclass(frozen=True)
class LaunchingTools:
    """What launching works with; a batch has *batch_size* messages at most."""

    state: State
    audiences: AudienceStore
    contacts: ContactStore
    suppressing: Suppressing
    preflights: Preflighting
    budgeting: Budgeting
    leases: Leases
    batch_size: int


class Launching:
    """From draft to Active."""

    def __init__(self, tools: LaunchingTools) -> None:
        self._tools = tools
        self._state = tools.state

    def launch(self, viewer: Viewer, campaign_id: str, now: datetime, fingerprint: str = "") -> Campaign:
        """
        Look at the draft and start it, as `decide` does.

        Raises: as `decide`. InvalidInput, NotFound: as `Preflighting.look`.
        """
        viewer.require(Permission.CAMPAIGN)
        reading = self._tools.preflights.read(viewer, campaign_id, now)
        require_sending(reading.addressed.account)
        if reading.campaign.status is not CampaignStatus.INACTIVE:
            raise look_up_lost_race(self._state, viewer, reading.campaign, now)
        if reading.campaign.schedule_at is not None:
            check_schedule(reading.campaign.schedule_at, now)
        return self.decide(viewer, self._tools.preflights.count(viewer, reading, now), now, fingerprint)

    def decide(self, viewer: Viewer, look: Look, now: datetime, fingerprint: str = "") -> Campaign:
        """
        Start what was looked at and return it, Processing; or Scheduled, when its draft says a time.

        State, lists, account, budget and what the person may do are judged in the transaction that moves the campaign.

        Args:
            viewer: Needs the permission Campaign and the draft's account, now as well as when the page was opened.
            look: What is launched, and nothing else.
            now: When.
            fingerprint: That of the preflight the person has seen; "" when nobody has.

        Raises: InvalidInput: something is missing, or the preflight forbids it. InvalidTransition: it was launched
            before. Forbidden: the account or the person may not send. Conflict: what was looked at has changed since.
        """
        viewer.require(Permission.CAMPAIGN)
        viewer.require_account(look.campaign.account_id, "campaign")
        if fingerprint and fingerprint != look.preflight.fingerprint:
            raise Conflict(
                "The campaign, its lists or its prices have changed since this preflight.", hint="Check it again."
            )
        if look.blocker is not None:
            raise look.blocker
        with self._state.write() as session:
            draft = _judge(session, viewer, look, now)
            facts = {"fault": "", "preflight": look.preflight.summary(now)}
            if draft.schedule_at is not None:
                started = campaigns.move_from(session, draft, CampaignStatus.SCHEDULED, **facts)
            else:
                started = campaigns.move_from(session, draft, CampaignStatus.PROCESSING, **facts, launched_at=now)
            counted = look.preflight.counted
            details = {"recipients": grouped(counted.recipient_count), "cost": in_euros(counted.cost_eur_cents)}
            audit.record(session, viewer, Action.CAMPAIGN_LAUNCHED, campaign_subject(started), now, details)
        log.info("campaign_launched", extra={"campaign_id": started.campaign_id, "user_id": viewer.user_id})
        return started

    def start_overdue(self, viewer: Viewer, campaign_id: str, now: datetime) -> Campaign:
        """
        Start a scheduled campaign now, whatever its time; for one whose time passed during a standstill.

        Raises: InvalidTransition: it is not scheduled. Forbidden: the account may not send.
        """
        viewer.require(Permission.CAMPAIGN)
        with self._state.write() as session:
            account_id = get_campaign(session, viewer, campaign_id).account_id
            decide_sender(session, viewer, Permission.CAMPAIGN, account_id)
            current = campaigns.lock_campaign(session, campaign_id)
            if current.status is not CampaignStatus.SCHEDULED:
                raise lost_race(session, viewer, current, now)
            log.info("campaign_started_late", extra={"campaign_id": campaign_id, "user_id": viewer.user_id})
            started = campaigns.move_from(session, current, CampaignStatus.PROCESSING, launched_at=now)
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
            # Whoever closes the account, or takes the campaign off the schedule, does so before this or after it.
            account = accounts.lock_account(session, campaigns.get_campaign(session, campaign_id).account_id)
            campaign = campaigns.lock_campaign(session, campaign_id)
            if campaign_id not in campaigns.list_due(session, now):
                return
            if account.can_send:
                campaigns.move_from(session, campaign, CampaignStatus.PROCESSING, launched_at=now)
            else:
                fault = f"The account {account.display_name} may no longer send."
                campaigns.move_from(session, campaign, CampaignStatus.INACTIVE, fault=fault)
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
        with self._tools.leases.hold(campaign_id, clock, campaigns.lease_campaign) as lease:
            if lease is None:
                return
            lease.check()
            try:
                addressed = self._address(campaign_id, clock())
                frozen = self._tools.audiences.freeze(self._spec(addressed, clock()))
            except StorageError:
                raise
            except AppError as error:
                self._give_up(campaign_id, lease, f"{error.message}\n{error.hint}".strip())
            except Exception:
                # Whatever it is, it would be the same again: the campaign must not be Processing for ever.
                self._give_up(campaign_id, lease, "The launch stopped unexpectedly. See the worker's log.")
                raise
            else:
                self._conclude(addressed, lease, frozen, clock())

    def _address(self, campaign_id: str, now: datetime) -> Addressed:
        with self._state.read() as session:
            return address(session, campaigns.get_campaign(session, campaign_id), now)

    def _spec(self, addressed: Addressed, now: datetime) -> FreezeSpec:
        seconds_worth = addressed.rates.least_tps * BATCH_SECONDS
        return FreezeSpec(
            campaign_id=addressed.campaign.campaign_id,
            recipients=addressed.spec(self._tools.suppressing.find(addressed)),
            batch_size=max(1, min(self._tools.batch_size, max(BATCH_MIN, seconds_worth))),
            now=now,
        )

    def _conclude(self, addressed: Addressed, lease: Lease, frozen: FrozenAudience, now: datetime) -> None:
        campaign = addressed.campaign
        is_quick = campaign.source is Source.QUICK_SEND
        if frozen.audience_count == 0 and is_quick:
            # Whoever sent it died before the numbers were stored; they were asked for again, or never sent.
            self._give_up(campaign.campaign_id, lease, "Its numbers were not stored. Send the message again.")
            return
        try:
            self._activate(campaign, lease, frozen, now)
        except Conflict as conflict:
            # A budget was set between the look and the lock: what is left of it is known by another look.
            log.info("activated_anew", extra={"campaign_id": campaign.campaign_id, "reason": conflict.message})
            self._activate(campaign, lease, frozen, now)
        if is_quick:
            # They are in its frozen audience now; else `forgetting` deletes them later.
            self._tools.contacts.delete(campaign.campaign_id)

    def _give_up(self, campaign_id: str, lease: Lease, fault: str) -> None:
        with self._state.write() as session:
            # Somebody else may hold it by now, or have finished it.
            mine = lease.renew(session)
            if mine:
                campaigns.move_campaign(
                    session, campaign_id, CampaignStatus.INACTIVE, fault=fault, lease_owner="", lease_until=None
                )
        log.warning("campaign_not_frozen", extra={"campaign_id": campaign_id, "mine": mine, "reason": fault})

    def _activate(self, campaign: Campaign, lease: Lease, frozen: FrozenAudience, now: datetime) -> None:
        key, cost = campaign.campaign_id, frozen.cost_eur_cents
        sizes = [(batch.batch_no, batch.message_count) for batch in frozen.batches]
        # Prices and the budget may have changed since the launch, above all of one that was scheduled.
        with self._state.read() as session:
            known = read_commitments(session, accounts.get_account(session, campaign.account_id), now)
        left = self._tools.budgeting.find_left(known, now, but=key)
        with self._state.write() as session:
            account = accounts.lock_account(session, campaign.account_id)
            suffices = is_enough(session, account, known, left, cost, but=key)
            # The lease may have run out; the state may have moved. One of two workers gets here first.
            if not lease.renew(session):
                log.warning("campaign_frozen_elsewhere", extra={"campaign_id": key})
                return
            ledger.add_batches(session, key, sizes)
            excluded = {("excluded", reason): count for reason, count in frozen.excluded.items()}
            campaigns.add_outcomes(session, key, excluded)
            moved = campaigns.move_from(
                session,
                campaign,
                CampaignStatus.ACTIVE if sizes else CampaignStatus.COMPLETED,
                audience_count=frozen.audience_count,
                cost_eur_cents=cost,
                completed_at=None if sizes else now,
                lease_owner="",
                lease_until=None,
            )
            # It may have been changed since the look, too.
            own = campaigns.get_terms(session, key).budget_eur_cents
            fault = "" if suffices else _too_dear(cost)
            if own is not None and cost > own:
                fault = _beyond_own(cost, own)
            if sizes and fault:
                campaigns.move_from(session, moved, CampaignStatus.PAUSED, fault=fault)
        fields = {"campaign_id": key, "audience": frozen.audience_count, "paused": bool(fault)}
        log.info("campaign_active", extra=fields)


def _judge(session: Session, viewer: Viewer, look: Look, now: datetime) -> Campaign:
    """Return the draft, locked, if it is still what was looked at, and may still be sent by the viewer."""
    reading = look.reading
    account = decide_sender(session, viewer, Permission.CAMPAIGN, reading.campaign.account_id)
    draft = campaigns.lock_campaign(session, reading.campaign.campaign_id)
    if draft.status is not CampaignStatus.INACTIVE:
        raise lost_race(session, viewer, draft, now)
    # Two people may be editing it.
    if draft.version != reading.campaign.version:
        raise Conflict("Somebody else has just changed this campaign.", hint="Check it again.")
    check_lists_ready(viewer, draft, find_lists(session, draft, lock=True))
    # Two campaigns that were looked at together may not suffice together.
    cost, left = look.preflight.counted.cost_eur_cents, look.preflight.budget_left_eur_cents
    if not is_enough(session, account, reading.commitments, left, cost, but=draft.campaign_id):
        raise beyond_budget("campaign", "recipients")
    return draft


def _too_dear(cost: Decimal) -> str:
    return (
        f"The campaign now costs {in_euros(cost)}, more than is left of the account's budget this month."
        f"\n{RAISE_ACCOUNTS}"
    )


def _beyond_own(cost: Decimal, budget: Decimal) -> str:
    return f"The campaign now costs {in_euros(cost)}, more than its budget of {in_euros(budget)}.\n{RAISE_OWN}"
