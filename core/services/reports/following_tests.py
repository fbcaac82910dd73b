"""Following tests: what becomes of the one message that an administrator has sent to try a gateway."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.campaigns.campaigns import Campaign, CampaignStatus, Reconciliation
from core.domain.messages.error_codes import ErrorMeaning, Stage, find_meaning
from core.domain.messages.messages import DeliveryStatus
from core.domain.people.permissions import Viewer
from core.domain.reports.message_query import MessageQuery
from core.services.accounts.managing_accounts import require_administrator
from core.services.reports.reporting import Reporting, sending_time
from core.services.reports.tracing import Tracing
from core.state.accounts import gateways
from core.state.campaigns import campaigns, ledger
from core.state.engine.store import State


class Step(StrEnum):
    """How far the message is."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    # It waits for the gateway, which fails, or for a person.
    HELD = "held"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REFUSED = "refused"
    EXCLUDED = "excluded"
    UNKNOWN = "unknown"
    # The campaign ended before it was handed over.
    ENDED = "ended"


FINAL = frozenset({Step.DELIVERED, Step.UNDELIVERED, Step.REFUSED, Step.EXCLUDED, Step.UNKNOWN, Step.ENDED})


@dataclass(frozen=True)
class Fate:
    """
    How far the message is, and what is known of it.

    *message_id* is ours, "" until it is in the history; *gateway_message_id* the provider's, "" where it
    has said none (yet).
    *reason* is the error code or why it is not sent, *meaning* what the code means, None where nobody knows.
    """

    step: Step
    message_id: str = ""
    gateway_message_id: str = ""
    reason: str = ""
    meaning: ErrorMeaning | None = None

    @property
    def is_final(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.step in FINAL


class FollowingTests:
    """The way of a test, for administrators."""

    def __init__(self, state: State, reporting: Reporting, tracing: Tracing) -> None:
        """Take the store, and who knows what is in the history."""
        self._state = state
        self._reporting = reporting
        self._tracing = tracing

    def follow(self, viewer: Viewer, campaign_id: str, now: datetime) -> Fate:
        """
        Return what has become of the test so far.

        Raises: Forbidden: not an administrator, or of another account. NotFound: there is no such test.
        """
        require_administrator(viewer)
        with self._state.read() as session:
            campaign = campaigns.get_campaign(session, campaign_id)
            viewer.require_account(campaign.account_id, "campaign")
            kind = gateways.find_kind(session, campaign.gateway)
            claimed = ledger.list_states(session, campaign_id)
            theirs = ledger.find_gateway_message_id(session, campaign_id)
        found = self._reporting.reconciliation(viewer, campaign_id)
        if found.sent_count:
            return self._follow_sent(viewer, campaign, theirs, now)
        if found.failed:
            code = next(iter(found.failed))
            return Fate(Step.REFUSED, reason=code, meaning=find_meaning(kind, code, Stage.SUBMIT))
        return _before(campaign, found, is_claimed=bool(claimed))

    def _follow_sent(self, viewer: Viewer, campaign: Campaign, theirs: str, now: datetime) -> Fate:
        query = MessageQuery(
            frozenset({campaign.account_id}), sending_time(campaign, now), campaign_id=campaign.campaign_id
        )
        rows = self._reporting.messages(viewer, query, 1, 1).table
        if not rows.num_rows:
            return Fate(Step.ACCEPTED, gateway_message_id=theirs)
        trace = self._tracing.get(viewer, rows["message_id"][0].as_py())
        message = trace.message
        steps = {DeliveryStatus.DELIVERED: Step.DELIVERED, DeliveryStatus.UNDELIVERED: Step.UNDELIVERED}
        step = steps.get(message.delivery_status, Step.ACCEPTED)
        # A provider that says no ID knows it by ours.
        said = message.gateway_message_id if message.gateway_message_id != message.message_id else ""
        return Fate(step, message.message_id, said, message.error_code, trace.meaning)


def _before(campaign: Campaign, found: Reconciliation, *, is_claimed: bool) -> Fate:
    """Return how far a message is that nobody has taken or refused."""
    if found.unknown_count:
        return Fate(Step.UNKNOWN)
    if found.excluded:
        return Fate(Step.EXCLUDED, reason=next(iter(found.excluded)))
    if campaign.status is CampaignStatus.PAUSED:
        return Fate(Step.HELD, reason=campaign.fault)
    if campaign.status in {CampaignStatus.INACTIVE, CampaignStatus.CANCELED, CampaignStatus.COMPLETED}:
        return Fate(Step.ENDED, reason=campaign.fault)
    return Fate(Step.CLAIMED if is_claimed else Step.WAITING)
