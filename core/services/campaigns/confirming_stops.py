"""
Confirming stops: whoever has said STOP is told once that it is followed, where the account has a text for that.

It is a campaign of the account's like a Quick Send, in the history, counted and priced as any other. It goes to people
in spite of the STOP that it confirms, and to nobody whom a person has suppressed.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy.orm import Session

from core.domain.accounts.accounts import Account
from core.domain.campaigns.campaigns import Campaign, CampaignStatus, Source
from core.errors import Conflict
from core.identifiers import new_id
from core.services.campaigns.placing import Placing
from core.services.leases import Lease, Leases
from core.state.accounts import accounts
from core.state.campaigns import campaigns, confirmations
from core.state.campaigns.confirmations import ONCE_IN, StopConfirmation
from core.state.engine.store import State
from core.state.suppressions.suppressions import find_stopped, find_suppressed
from core.state.upkeep.waiting import Waiting

log = logging.getLogger(__name__)

NAME = "STOP confirmations"
CREATED_BY = "Heliograph"
# Of one account at once; the others wait for the next time.
MOST = 1_000


class ConfirmingStops:
    """The worker's side of a STOP that was followed."""

    def __init__(self, state: State, placing: Placing, leases: Leases) -> None:
        self._state = state
        self._placing = placing
        self._leases = leases

    def is_due(self, waiting: Waiting, _now: datetime) -> bool:
        """Return whether `run` has anything to do; asked all the time, so it takes no lease."""
        return waiting.has_confirmations

    def run(self, clock: Callable[[], datetime]) -> None:
        """Send what is to be confirmed, a campaign for each account and sender; nothing while somebody else does."""
        with self._leases.alone("stop confirmations", clock) as lease:
            if lease is None:
                return
            with self._state.read() as session:
                waiting = confirmations.list_waiting(session, MOST)
            for (account_id, sender_id), group in groupby(sorted(waiting, key=_which), _which):
                lease.check()
                try:
                    self._confirm(lease, account_id, sender_id, tuple(group), clock())
                except Conflict:
                    log.warning("confirming_taken_over")
                    return

    def _confirm(
        self, lease: Lease, account_id: str, sender_id: str, waiting: Sequence[StopConfirmation], now: datetime
    ) -> None:
        with self._state.read() as session:
            account = accounts.get_account(session, account_id)
            stopped = find_stopped(session, account_id, [each.msisdn for each in waiting])
            by_people = find_suppressed(session, account_id, [each.msisdn for each in waiting], by_people=True)
            is_held = any(_is_held(each, now) for each in campaigns.list_unsettled(session, account_id))
        stopped -= by_people.keys()
        wanted = [each.msisdn for each in waiting if each.msisdn in stopped and now - each.asked_at < ONCE_IN]
        if not account.stop_confirmation:
            wanted = []
        over = {each.msisdn for each in waiting} - set(wanted)
        if over:
            # Who has said START meanwhile, or so long ago that it would only be a riddle.
            with self._state.write() as session:
                _keep_hold(session, lease)
                confirmations.forget(session, over)
        # A closed account sends nothing; it may be opened again.
        if wanted and account.can_send and not is_held:
            self._send(lease, account, sender_id, wanted, now)

    def _send(self, lease: Lease, account: Account, sender_id: str, numbers: Sequence[str], now: datetime) -> None:
        new = _make_campaign(account, sender_id, now)

        def take(session: Session) -> bool:
            # Before anything is sent, and by nobody who was held up while another has done it: nobody is told twice.
            _keep_hold(session, lease)
            confirmations.set_campaign(session, numbers, new.campaign_id)
            return True

        try:
            self._placing.place(new, numbers, take)
        except BaseException:
            with self._state.write() as session:
                if campaigns.find_campaign(session, new.campaign_id) is None:
                    confirmations.give_back(session, new.campaign_id)
            raise
        log.info("stops_confirmed", extra={"campaign_id": new.campaign_id, "numbers": len(numbers)})


def _keep_hold(session: Session, lease: Lease) -> None:
    """Let pass whoever still has the lease. Raises: Conflict: somebody else confirms by now."""
    if not lease.renew(session):
        raise Conflict("Somebody else confirms these STOPs by now.")


def _is_held(campaign: Campaign, now: datetime) -> bool:
    """Return whether it is paused and may go on to tell: what stops it stops others, of which each would be paused."""
    is_paused = campaign.confirms_stop and campaign.status is CampaignStatus.PAUSED
    return is_paused and now - campaign.created_at < ONCE_IN


def _which(each: StopConfirmation) -> tuple[str, str]:
    return each.account_id, each.sender_id


def _make_campaign(account: Account, sender_id: str, now: datetime) -> Campaign:
    return Campaign(
        campaign_id=new_id(),
        account_id=account.account_id,
        source=Source.QUICK_SEND,
        name=NAME,
        sender_id=sender_id,
        lists=(),
        message=account.stop_confirmation,
        placeholders={},
        status=CampaignStatus.PROCESSING,
        fault="",
        audience_count=0,
        created_at=now,
        created_by=CREATED_BY,
        launched_at=now,
        confirms_stop=True,
    )
