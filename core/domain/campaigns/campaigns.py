"""Campaigns: their states, their drafts and their reconciliation."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from core.domain.words.characters import compose
from core.errors import InvalidTransition

# A campaign whose time passed longer ago than this, during a standstill, is not sent without asking.
OVERDUE_AFTER = timedelta(hours=1)


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
        raise InvalidTransition(
            f"A campaign that is {old} cannot become {new}.", hint="Reload the page to see its state."
        )


class Source(StrEnum):
    """Where a message came from."""

    CAMPAIGN = "campaign"
    QUICK_SEND = "quick_send"
    API = "api"
    IMPORT = "import"


@dataclass(frozen=True)
class ChosenList:
    """A distribution list of a campaign. Its name stays with the campaign when the list is deleted."""

    list_id: str
    name: str


@dataclass(frozen=True)
class CampaignDraft:
    """
    What a person fills in.

    *list_ids* are sent to in their order, but not to numbers that are in one of *left_out_ids*. *placeholders* maps a
    placeholder's name to a column of the lists, and *fallbacks* to what stands for an empty cell. *simplifies* asks
    for typographic characters to be replaced, so that the text stays GSM-7. *schedule_at* None means at once. It costs
    no more than *budget_eur_cents*, None for no end, and goes at *rate_tps* segments per second at most, None for no
    limit of its own.

    However they were typed, the letters of what is sent are in one piece, and those of the placeholders it names.
    """

    account_id: str
    name: str
    sender_id: str
    list_ids: tuple[str, ...]
    message: str
    placeholders: dict[str, str] = field(default_factory=dict)
    left_out_ids: tuple[str, ...] = ()
    fallbacks: dict[str, str] = field(default_factory=dict)
    simplifies: bool = False
    schedule_at: datetime | None = None
    budget_eur_cents: Decimal | None = None
    rate_tps: int | None = None

    def __post_init__(self) -> None:
        """Compose the letters, for all who measure, show or send it."""
        object.__setattr__(self, "message", compose(self.message))
        object.__setattr__(self, "placeholders", {compose(name): each for name, each in self.placeholders.items()})
        object.__setattr__(self, "fallbacks", {compose(name): compose(each) for name, each in self.fallbacks.items()})


@dataclass(frozen=True)
class Campaign:
    """
    A campaign as people see it; counts of an unlaunched one are 0.

    *cost_eur_cents* is the price of everything in the frozen audience that is sent, None before. *preflight* is the one
    it was launched on, as `Preflight.summary` wrote it. *fault* is why it does not go on, in one line, and in a second
    one what to do, if there is anything.
    """

    campaign_id: str
    account_id: str
    source: Source
    name: str
    sender_id: str
    lists: tuple[ChosenList, ...]
    message: str
    placeholders: dict[str, str]
    status: CampaignStatus
    fault: str
    audience_count: int
    created_at: datetime
    created_by: str
    left_out: tuple[ChosenList, ...] = ()
    fallbacks: dict[str, str] = field(default_factory=dict)
    simplifies: bool = False
    schedule_at: datetime | None = None
    launched_at: datetime | None = None
    completed_at: datetime | None = None
    cost_eur_cents: Decimal | None = None
    preflight: dict[str, Any] | None = None
    # Since when its recipients are no longer kept one by one; their counts stay.
    forgotten_at: datetime | None = None
    # A text that was made for one recipient of another campaign, sent to somebody who looks at it.
    is_test: bool = False
    # Goes to people because they have said STOP, and in spite of it.
    confirms_stop: bool = False
    # What all of it may cost, None for no end.
    budget_eur_cents: Decimal | None = None
    # How fast it goes at most, in segments per second, None for no limit of its own.
    rate_tps: int | None = None
    # By which it goes whatever the account's is: a test of that one. "" for the account's.
    gateway: str = ""
    # Grows with every change of the draft; a save with an older one is a `Conflict`.
    version: int = 1

    @property
    def list_ids(self) -> tuple[str, ...]:
        """The lists that are sent to, in order."""
        return tuple(chosen.list_id for chosen in self.lists)

    @property
    def left_out_ids(self) -> tuple[str, ...]:
        """The lists whose numbers are left out."""
        return tuple(chosen.list_id for chosen in self.left_out)

    def is_overdue(self, now: datetime) -> bool:
        """Whether its time passed so long ago, while nobody worked, that a person is asked before it is sent."""
        due = self.schedule_at
        return self.status is CampaignStatus.SCHEDULED and due is not None and due + OVERDUE_AFTER <= now


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


@dataclass(frozen=True)
class Arrivals:
    """What is known by receipts of the messages a campaign has sent so far, and how many there are in history."""

    delivered_count: int
    undelivered_count: int
    known_count: int

    def waiting_count(self, sent_count: int) -> int:
        """Return how many of those sent have no final receipt yet."""
        return sent_count - self.delivered_count - self.undelivered_count
