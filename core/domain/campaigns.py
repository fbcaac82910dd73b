"""Campaigns: their states, their drafts and their reconciliation."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.errors import InvalidTransition

PLACEHOLDERS_MAX = 2


class CampaignStatus(StrEnum):
    """The guide's words, and Completed, which the guide implies."""

    INACTIVE = "Inactive"
    SCHEDULED = "Scheduled"
    PROCESSING = "Processing"
    ACTIVE = "Active"
    PAUSED = "Paused"
    CANCELED = "Canceled"
    COMPLETED = "Completed"


MOVES: dict[CampaignStatus, frozenset[CampaignStatus]] = {
    CampaignStatus.INACTIVE: frozenset({CampaignStatus.SCHEDULED, CampaignStatus.PROCESSING}),
    CampaignStatus.SCHEDULED: frozenset({CampaignStatus.PROCESSING, CampaignStatus.CANCELED, CampaignStatus.INACTIVE}),
    # Back to Inactive when the audience cannot be frozen, with the fault on the campaign.
    CampaignStatus.PROCESSING: frozenset(
        {CampaignStatus.ACTIVE, CampaignStatus.COMPLETED, CampaignStatus.INACTIVE, CampaignStatus.CANCELED}
    ),
    CampaignStatus.ACTIVE: frozenset({CampaignStatus.PAUSED, CampaignStatus.CANCELED, CampaignStatus.COMPLETED}),
    CampaignStatus.PAUSED: frozenset({CampaignStatus.ACTIVE, CampaignStatus.CANCELED}),
    CampaignStatus.CANCELED: frozenset(),
    CampaignStatus.COMPLETED: frozenset(),
}


def check_move(old: CampaignStatus, new: CampaignStatus) -> None:
    """Raise `InvalidTransition` unless a campaign may go from *old* to *new*."""
    if new not in MOVES[old]:
        raise InvalidTransition(f"A campaign that is {old} cannot become {new}.", hint="Reload to see its state.")


class Source(StrEnum):
    """Where a message came from."""

    CAMPAIGN = "campaign"
    QUICK_SEND = "quick_send"
    API = "api"
    IMPORT = "import"


@dataclass(frozen=True)
class CampaignDraft:
    """What a person fills in. *placeholders* maps a placeholder's name to a column of the list."""

    account_id: str
    name: str
    sender_id: str
    list_id: str
    message: str
    placeholders: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Campaign:
    """A campaign as people see it; counts of an unlaunched one are 0."""

    campaign_id: str
    account_id: str
    source: Source
    name: str
    sender_id: str
    list_id: str
    list_name: str
    message: str
    placeholders: dict[str, str]
    status: CampaignStatus
    fault: str
    audience_count: int
    created_at: datetime
    created_by: str
    schedule_at: datetime | None = None
    launched_at: datetime | None = None
    completed_at: datetime | None = None
    # Grows with every change of the draft; a save with an older one is a `Conflict`.
    version: int = 1


@dataclass(frozen=True)
class Reconciliation:
    """
    What became of every row of a frozen audience, in messages.

    *pending_count* is counted from the batches and the ledger, never derived from the rest,
    so that `balances` can be wrong: it is the proof that nobody was lost.
    """

    audience_count: int
    sent_count: int
    excluded: dict[str, int]
    failed: dict[str, int]
    unknown_count: int
    pending_count: int

    @property
    def excluded_count(self) -> int:
        """Kept out before sending, all reasons together."""
        return sum(self.excluded.values())

    @property
    def failed_count(self) -> int:
        """Refused by the gateway, all reasons together."""
        return sum(self.failed.values())

    @property
    def balances(self) -> bool:
        """Whether audience = sent + excluded + failed + unknown + pending."""
        parts = self.sent_count + self.excluded_count + self.failed_count + self.unknown_count + self.pending_count
        return parts == self.audience_count

    @property
    def done_pct(self) -> float:
        """Share of the audience that is no longer pending, 0..100."""
        return 100.0 * (1 - self.pending_count / self.audience_count) if self.audience_count else 100.0
