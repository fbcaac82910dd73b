"""Controlling: a campaign under way is paused, resumed or canceled, and what a cancellation leaves is settled."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.domain.accounts.accounts import require_sending
from core.domain.campaigns.campaigns import MOVES, Campaign, CampaignStatus, Source
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action, campaign_subject
from core.errors import StorageError
from core.history.audience.audience_store import AudienceStore
from core.history.audience.contacts import ContactStore
from core.services.accounts.budgeting import (
    Budgeting,
    check_same_budget,
    check_same_own_budget,
    read_commitments,
    read_rest,
)
from core.services.campaigns.composing import get_campaign
from core.services.campaigns.deciding import decide_sender
from core.services.campaigns.lost_races import lost_race
from core.services.leases import Leases, new_owner
from core.services.sending.batch_history import BatchHistory
from core.state.accounts import accounts
from core.state.campaigns import campaigns, ledger
from core.state.campaigns.holding import go_on
from core.state.engine.store import State
from core.state.reports import audit

log = logging.getLogger(__name__)


_ACTIONS = {
    CampaignStatus.PAUSED: Action.CAMPAIGN_PAUSED,
    CampaignStatus.CANCELED: Action.CAMPAIGN_CANCELED,
    CampaignStatus.INACTIVE: Action.CAMPAIGN_UNSCHEDULED,
}

# From where a person takes a campaign to each state; what workers may do besides stands in `MOVES`.
_FROM = {
    CampaignStatus.PAUSED: {CampaignStatus.ACTIVE},
    CampaignStatus.ACTIVE: {CampaignStatus.PAUSED},
    CampaignStatus.INACTIVE: {CampaignStatus.SCHEDULED},
    CampaignStatus.CANCELED: {status for status, moves in MOVES.items() if CampaignStatus.CANCELED in moves},
}


@dataclass(frozen=True)
class ControllingTools:
    """What controlling works with."""

    state: State
    audience: AudienceStore
    contacts: ContactStore
    budgeting: Budgeting
    settling: BatchHistory


class Controlling:
    """A worker that sends looks at the state before each sub-window, so all of this takes effect within one."""

    def __init__(self, tools: ControllingTools, leases: Leases) -> None:
        self._tools = tools
        self._state = tools.state
        self._leases = leases

    def pause(self, viewer: Viewer, campaign_id: str, now: datetime) -> Campaign:
        """Stop sending for a while. Raises: InvalidTransition: it is not being sent. Forbidden, NotFound."""
        return self._move(viewer, campaign_id, CampaignStatus.PAUSED, now, fault="")

    def resume(self, viewer: Viewer, campaign_id: str, now: datetime) -> Campaign:
        """
        Go on sending.

        Raises: InvalidTransition: it is not paused. Forbidden: the account may not send. InvalidInput: the rest costs
            more than is left of the budget, which has been lowered since, or the prices raised. Conflict: the budget
            was changed a moment ago.
        """
        with self._state.read() as session:
            campaign = _get(session, viewer, campaign_id)
            account = require_sending(accounts.get_account(session, campaign.account_id))
            if campaign.status is not CampaignStatus.PAUSED:
                raise lost_race(session, viewer, campaign, now)
            known, rest = read_commitments(session, account, now), read_rest(session, campaign, now)
        refusal = self._tools.budgeting.refuse_rest(known, rest, now)
        if refusal is not None:
            raise refusal
        with self._state.write() as session:
            decided = decide_sender(session, viewer, _permission(campaign), campaign.account_id)
            check_same_budget(decided, account)
            current = _lock(session, viewer, campaign_id, CampaignStatus.ACTIVE, now)
            check_same_own_budget(current, campaign)
            moved = go_on(session, current, now)
            audit.record(session, viewer, Action.CAMPAIGN_RESUMED, campaign_subject(moved), now)
        log.info("campaign_resumed", extra={"campaign_id": campaign_id, "user_id": viewer.user_id})
        return moved

    def cancel(self, viewer: Viewer, campaign_id: str, now: datetime) -> Campaign:
        """
        End the campaign for good; what was not handed over yet never is.

        Raises: InvalidTransition: it has ended already, or was never launched. Forbidden, NotFound.
        """
        moved = self._move(
            viewer, campaign_id, CampaignStatus.CANCELED, now, completed_at=now, lease_owner="", lease_until=None
        )
        if moved.source is Source.QUICK_SEND:
            # Its numbers, which only a freeze would have taken away. It is canceled whether they go now or later.
            try:
                self._tools.contacts.delete(campaign_id)
            except StorageError as error:
                log.warning("numbers_not_deleted", extra={"campaign_id": campaign_id, "reason": error.message})
        return moved

    def unschedule(self, viewer: Viewer, campaign_id: str, now: datetime) -> Campaign:
        """Make a draft of a scheduled campaign again. Raises: InvalidTransition: it is not scheduled."""
        return self._move(viewer, campaign_id, CampaignStatus.INACTIVE, now, preflight=None)

    def list_canceled(self, now: datetime) -> list[str]:
        """Return the canceled campaigns that wait for `settle`."""
        with self._state.read() as session:
            return campaigns.list_canceled_open(session, now)

    def settle(self, campaign_id: str, clock: Callable[[], datetime]) -> None:
        """
        Settle the batches that a cancellation left: what was not claimed is excluded as canceled.

        Twice, or in two workers at once, does no harm. Raises: StorageError: leases run out and it is tried again.
        """
        while self._settle_one(campaign_id, clock):
            pass

    def _settle_one(self, campaign_id: str, clock: Callable[[], datetime]) -> bool:
        owner, now = new_owner(), clock()
        with self._state.write() as session:
            campaign = campaigns.get_campaign(session, campaign_id)
            if campaign.status is not CampaignStatus.CANCELED:
                return False
            batch = ledger.lease_batch(session, campaign_id, owner, now, now + self._leases.lasts)
        if batch is None:
            return False

        def renew(session: Session) -> bool:
            return ledger.renew_batch(session, batch.batch_id, owner, clock() + self._leases.lasts)

        with self._leases.keep(renew):
            rows = self._tools.audience.batch(campaign_id, batch.batch_no)
            self._tools.settling.settle_canceled(campaign, batch, rows, clock())
        return True

    def _move(self, viewer: Viewer, campaign_id: str, new: CampaignStatus, now: datetime, **values: object) -> Campaign:
        with self._state.write() as session:
            moved = campaigns.move_from(session, _lock(session, viewer, campaign_id, new, now), new, **values)
            audit.record(session, viewer, _ACTIONS[new], campaign_subject(moved), now)
        log.info("campaign_moved", extra={"campaign_id": campaign_id, "status": new, "user_id": viewer.user_id})
        return moved


def _permission(campaign: Campaign) -> Permission:
    return Permission.QUICK_SEND if campaign.source is Source.QUICK_SEND else Permission.CAMPAIGN


def _get(session: Session, viewer: Viewer, campaign_id: str) -> Campaign:
    """Return the campaign. Raises: Forbidden. NotFound: unknown, or another account's."""
    viewer.require_any(Permission.CAMPAIGN, Permission.QUICK_SEND)
    campaign = get_campaign(session, viewer, campaign_id)
    viewer.require(_permission(campaign))
    return campaign


def _lock(session: Session, viewer: Viewer, campaign_id: str, new: CampaignStatus, now: datetime) -> Campaign:
    """Keep everybody else from moving it. Raises: as `_get`. InvalidTransition: it cannot become *new* any more."""
    viewer.require_any(Permission.CAMPAIGN, Permission.QUICK_SEND)
    campaign = campaigns.lock_campaign(session, campaign_id)
    viewer.require_account(campaign.account_id, "campaign")
    viewer.require(_permission(campaign))
    if campaign.status not in _FROM[new]:
        raise lost_race(session, viewer, campaign, now)
    return campaign
