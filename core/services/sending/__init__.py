"""Sending: what workers do with a campaign that is Active, and with receipts and replies. Begin with `submitting`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.config import Settings
from core.gateways.base import Inbox
from core.history.audience.audience_store import AudienceStore
from core.history.audience.outcomes import Outcomes
from core.history.lake.connection import Lake
from core.history.messages.answered_late import AnsweredLate
from core.history.messages.answering import AnsweredMessages
from core.history.messages.message_store import MessageStore
from core.services.accounts import Accounts
from core.services.accounts.counting_spending import CountingSpending
from core.services.accounts.gateway_health import GatewayHealth
from core.services.leases import Leases
from core.services.sending.answering_late import AnsweringLate
from core.services.sending.batch_history import BatchHistory
from core.services.sending.batches import SendingTools
from core.services.sending.callbacks import Callbacks
from core.services.sending.handing_over import HandingOver
from core.services.sending.linking import Linking
from core.services.sending.pacing import Pacing
from core.services.sending.receiving import Receiving
from core.services.sending.reconciling import Reconciling
from core.services.sending.spending_limits import SpendingLimits
from core.services.sending.stray_reports import StrayReports
from core.services.sending.submitting import GivingUp, Submitting
from core.state.engine.store import State


@dataclass(frozen=True)
class Sending:
    """What is done with campaigns under way."""

    submitting: Submitting
    giving_up: GivingUp
    receiving: Receiving
    callbacks: Callbacks
    linking: Linking
    reconciling: Reconciling
    batch_history: BatchHistory
    health: GatewayHealth
    counting: CountingSpending
    strays: StrayReports
    answering_late: AnsweringLate

    def forget(self, now: datetime) -> int:
        """Delete what providers said long ago and nobody needs any more; return how much."""
        return self.strays.forget(now) + self.receiving.forget_parts(now) + self.answering_late.forget(now)


def build(  # noqa: PLR0913, PLR0917 - the stores, who sends by what, and by what time
    settings: Settings,
    state: State,
    lake: Lake,
    accounts: Accounts,
    leases: Leases,
    inbox: Inbox,
    stepped_s: Callable[[], float],
) -> Sending:
    """Return the services of sending; *inbox* keeps what providers tell, *stepped_s* is `StoreClock.read_stepped_s`."""
    messages = MessageStore(lake)
    batch_history = BatchHistory(state, messages)
    tools = SendingTools(
        state,
        AudienceStore(lake),
        accounts.gateways,
        batch_history,
        leases,
        Pacing(stepped_s),
        HandingOver(),
        SpendingLimits(accounts.counting),
        accounts.gateway_health,
        settings.sub_window,
    )
    return Sending(
        Submitting(tools),
        GivingUp(state),
        Receiving(state, messages, accounts.gateways, leases),
        Callbacks(accounts.connecting, inbox),
        Linking(state, AnsweredMessages(lake), leases),
        Reconciling(state, Outcomes(lake)),
        batch_history,
        accounts.gateway_health,
        accounts.counting,
        StrayReports(state),
        AnsweringLate(state, AnsweredLate(lake), leases),
    )
