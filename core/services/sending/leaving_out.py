"""Leaving out: who is not sent to any more, whatever the launch has meant to send."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from core.domain.campaigns.campaigns import Campaign
from core.domain.messages.messages import Exclusion
from core.state.campaigns.confirmations import ONCE_IN
from core.state.suppressions.suppressions import find_stopped, find_suppressed


def find_left_out(
    session: Session, campaign: Campaign, msisdns: Collection[str], now: datetime
) -> Mapping[str, Exclusion]:
    """
    Return which of the numbers get none of the campaign's messages any more, and why.

    What confirms a STOP goes to those only whose STOP stands, and not days later, whatever it has waited for.
    """
    left_out = find_suppressed(session, campaign.account_id, msisdns, by_people=campaign.confirms_stop)
    if not campaign.confirms_stop:
        return left_out
    is_late = now - campaign.created_at >= ONCE_IN
    stopped = frozenset[str]() if is_late else find_stopped(session, campaign.account_id, msisdns)
    return dict.fromkeys(set(msisdns) - stopped, Exclusion.CANCELED) | left_out
