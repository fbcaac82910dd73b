"""
Campaigns, from the first draft to what becomes of one under way.

A launch, in the order in which it is read: `composing` saves the draft; `preflighting` reads it once, with what
`addressing` makes its audience from, and counts every row; `launching` decides on what was looked at, with
`deciding` for who may send, and a worker freezes it there. `controlling` is for afterwards, `quick_sending` for a few
numbers without a draft.
"""

from dataclasses import dataclass

from core.config import Settings
from core.domain.campaigns.preflight import Frequency
from core.history.audience.audience_store import AudienceStore
from core.history.audience.contacts import ContactStore
from core.history.audience.preflight import PreflightStore
from core.history.lake.connection import Lake
from core.services.accounts import Accounts
from core.services.campaigns.composing import Composing
from core.services.campaigns.confirming_stops import ConfirmingStops
from core.services.campaigns.controlling import Controlling, ControllingTools
from core.services.campaigns.launching import Launching, LaunchingTools
from core.services.campaigns.limiting import Limiting
from core.services.campaigns.placing import Placing
from core.services.campaigns.preflighting import Preflighting
from core.services.campaigns.quick_sending import QuickSending
from core.services.campaigns.suppressing import Suppressing
from core.services.leases import Leases
from core.services.sending.batch_history import BatchHistory
from core.services.suppressions.suppressed_numbers import SuppressedNumbers
from core.state.engine.store import State


@dataclass(frozen=True)
class Campaigns:
    """What people do with campaigns."""

    composing: Composing
    preflighting: Preflighting
    launching: Launching
    controlling: Controlling
    quick_sending: QuickSending
    limiting: Limiting
    confirming: ConfirmingStops


def build(  # noqa: PLR0913, PLR0917 - a campaign has to do with all of these rooms
    settings: Settings,
    state: State,
    lake: Lake,
    accounts: Accounts,
    batch_history: BatchHistory,
    suppressed: SuppressedNumbers,
    leases: Leases,
) -> Campaigns:
    """Return the services of campaigns; a canceled one is settled by *batch_history*."""
    audience, contacts = AudienceStore(lake), ContactStore(lake)
    most, budgeting = settings.placeholders_max, accounts.budgeting
    placing = Placing(state, contacts)
    composing = Composing(state, contacts, placeholders_max=most)
    suppressing = Suppressing(state, contacts, suppressed)
    frequency = Frequency(settings.frequent_most, settings.frequent_days)
    preflighting = Preflighting(state, PreflightStore(lake), suppressing, budgeting, frequency, most)
    launching = LaunchingTools(
        state, audience, contacts, suppressing, preflighting, budgeting, leases, settings.batch_size
    )
    controlling = ControllingTools(state, audience, contacts, budgeting, batch_history)
    return Campaigns(
        composing,
        preflighting,
        Launching(launching),
        Controlling(controlling, leases),
        QuickSending(state, placing, composing, budgeting, settings.quick_send_max),
        Limiting(state, accounts.counting),
        ConfirmingStops(state, placing, leases),
    )
