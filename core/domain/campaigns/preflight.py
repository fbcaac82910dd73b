"""Preflight: what a launch would send, cost and leave out, counted over every row before it happens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from core.domain.campaigns.rates import Rates


class RowKind(StrEnum):
    """Which rows of a preflight are meant; most kinds need a *subject* besides."""

    ALL = "all"
    KEPT = "kept"
    # Subject: the reason.
    EXCLUDED = "excluded"
    # Subject: the placeholder.
    EMPTY = "empty"
    # Subject: the placeholder.
    NO_VALUE = "no_value"
    # Subject: the placeholder whose value makes the message Unicode, "" for the message itself.
    WIDENED = "widened"
    # Subject: how many SMS.
    LENGTH = "length"
    FREQUENT = "frequent"
    # Subject: country, "/" and MCCMNC.
    DESTINATION = "destination"


@dataclass(frozen=True)
class DestinationTotals:
    """What goes to one network. *segment_count* is in SMS."""

    country: str
    network: str
    mccmnc: str
    recipient_count: int
    segment_count: int
    cost_eur_cents: Decimal


@dataclass(frozen=True)
class Length:
    """How many recipients need *segment_count* segments each, and what that costs."""

    segment_count: int
    recipient_count: int
    cost_eur_cents: Decimal


@dataclass(frozen=True)
class Widened:
    """
    Recipients who need more SMS because *characters* are outside the GSM alphabet.

    *name* is the placeholder they come from, "" for the message itself. Without them *plain_count* segments would do
    instead of *segment_count*, and *extra_eur_cents* would be saved.
    """

    name: str
    characters: str
    plain_count: int
    segment_count: int
    recipient_count: int
    extra_eur_cents: Decimal


@dataclass(frozen=True)
class Counted:
    """
    All rows of an audience, counted. Those not *excluded* (by reason) are sent.

    *empty* is by placeholder. *frequent_count* recipients were texted more often than the rule allows for. *no_values*,
    by placeholder and by what stands there, are cells with what programs write for nothing: it is sent.
    """

    audience_count: int
    excluded: Mapping[str, int]
    destinations: tuple[DestinationTotals, ...]
    lengths: tuple[Length, ...]
    empty: Mapping[str, int]
    widened: tuple[Widened, ...]
    frequent_count: int = 0
    no_values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def recipient_count(self) -> int:
        """Return how many are sent a message."""
        return sum(item.recipient_count for item in self.destinations)

    @property
    def segment_count(self) -> int:
        """Return how many segments that are."""
        return sum(item.segment_count for item in self.destinations)

    @property
    def cost_eur_cents(self) -> Decimal:
        """Return what they cost."""
        return sum((item.cost_eur_cents for item in self.destinations), Decimal(0))


@dataclass(frozen=True)
class Repeat:
    """A campaign of today with the same list, or the same text."""

    campaign_id: str
    name: str
    same_text: bool
    launched_at: datetime


@dataclass(frozen=True)
class Frequency:
    """Who was texted more than *most* times within *days* days is texted too often."""

    most: int
    days: int


@dataclass(frozen=True)
class Preflight:
    """
    What is known of a campaign before its launch.

    *refused* says how many rows of each list, by name, were no numbers when it was imported. *stray* is what stands in
    braces but is no placeholder, *doubled* the placeholders in more than their own braces with what is sent around the
    value. *missed_at* is the schedule's time where it has passed. *budget_left_eur_cents* is what the account's
    has, None without one; *own_budget_eur_cents* is the campaign's.
    *fingerprint* changes with anything the counts rest on.
    """

    campaign_id: str
    fingerprint: str
    counted: Counted
    rates: Rates
    starts_at: datetime
    frequency: Frequency
    refused: Mapping[str, int] = field(default_factory=dict)
    stray: tuple[str, ...] = ()
    doubled: tuple[tuple[str, str], ...] = ()
    missed_at: datetime | None = None
    repeats: tuple[Repeat, ...] = ()
    budget_left_eur_cents: Decimal | None = None
    own_budget_eur_cents: Decimal | None = None

    @property
    def duration(self) -> timedelta:
        """How long sending takes when nothing else uses the rate that is in force."""
        return timedelta(seconds=self.counted.segment_count / max(1, self.rates.least_tps))

    @property
    def ends_at(self) -> datetime:
        """When the last message is handed over, in that case."""
        return self.starts_at + self.duration

    @property
    def is_beyond_budget(self) -> bool:
        """Whether it costs more than is left of the account's."""
        left = self.budget_left_eur_cents
        return left is not None and self.counted.cost_eur_cents > left

    @property
    def is_beyond_own_budget(self) -> bool:
        """Whether it costs more than the campaign may."""
        own = self.own_budget_eur_cents
        return own is not None and self.counted.cost_eur_cents > own

    @property
    def is_free_despite_budget(self) -> bool:
        """Whether there is a budget, and what is sent costs nothing, so that no budget would ever stop it."""
        has_budget = self.budget_left_eur_cents is not None or self.own_budget_eur_cents is not None
        return has_budget and self.counted.recipient_count > 0 and not self.counted.cost_eur_cents

    def summary(self, checked_at: datetime) -> dict[str, Any]:
        """Return what is kept with the campaign, as JSON has it; money as text."""
        counted = self.counted
        return {
            "checked_at": checked_at.isoformat(),
            "fingerprint": self.fingerprint,
            "audience_count": counted.audience_count,
            "recipient_count": counted.recipient_count,
            "segment_count": counted.segment_count,
            "cost_eur_cents": str(counted.cost_eur_cents),
            "excluded": dict(counted.excluded),
        }


@dataclass(frozen=True)
class Wanted:
    """Which rows: a kind, and what it is about."""

    kind: RowKind
    subject: str = ""
