"""
Budgets: how much of one is spent, and what is said of it.

An account's is of a calendar month of UTC, whatever zone a person is in; a campaign's is of the whole campaign.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from core.domain.words.counting import in_euros

# From this share of a budget on, people are told.
WARN_RATE = Decimal("0.8")
# What stands for the month of a budget that is of none.
NO_MONTH = date(2000, 1, 1)
# What to do where a campaign's own budget, or its account's, keeps it from going on.
RAISE_OWN = "Raise it with Change limits on the campaign's page, then resume the campaign, or cancel it."
RAISE_ACCOUNTS = "An administrator can raise it on Traffic Accounts. Then resume the campaign, or cancel it."


class Threshold(StrEnum):
    """What people are told of a budget, once for each amount and month."""

    WARNED = "warned"
    STOPPED = "stopped"


def month_of(moment: datetime) -> date:
    """Return the first day of the month of UTC in which *moment* is."""
    return moment.astimezone(UTC).date().replace(day=1)


@dataclass(frozen=True)
class Budget:
    """
    How much may be spent, and is, in EUR cents. *subject_id* is the campaign or account whose budget it is.

    *name* is what people call that. *month* is `NO_MONTH` for a campaign's.
    """

    subject_id: str
    name: str
    month: date
    eur_cents: Decimal
    spent_eur_cents: Decimal

    @property
    def left_eur_cents(self) -> Decimal:
        """What may still be spent; 0 where more was spent than a lowered budget allows."""
        return max(Decimal(0), self.eur_cents - self.spent_eur_cents)

    @property
    def is_warned_of(self) -> bool:
        """Whether so much is spent that people should know."""
        return 0 < self.eur_cents * WARN_RATE <= self.spent_eur_cents

    @property
    def whose(self) -> str:
        """Whose it is, in words, to go on after "budget of"."""
        if self.month == NO_MONTH:
            return f"the campaign {self.name}"
        return f"the account {self.name} for {self.month:%B %Y} (UTC)"

    def in_words(self) -> str:
        """Return how much of it is spent."""
        return f"{in_euros(self.spent_eur_cents)} of {in_euros(self.eur_cents)} is spent"

    def refusal(self, what: str, cost_eur_cents: Decimal, reserved: Decimal = Decimal(0)) -> str:
        """
        Return why *what*, such as "the next message", is not sent.

        *reserved* is what other campaigns under way have still to send.
        """
        where = "the campaign's budget" if self.month == NO_MONTH else f"the budget of {self.whose}"
        begins = what[0].upper() + what[1:]
        others = f", and {in_euros(reserved)} is for other campaigns under way" if reserved > 0 else ""
        return f"{begins} costs {in_euros(cost_eur_cents)}, more than is left of {where}: {self.in_words()}{others}."

    @property
    def remedy(self) -> str:
        """What to do then."""
        if self.month == NO_MONTH:
            return RAISE_OWN
        return f"{RAISE_ACCOUNTS} On 1 {_next_month(self.month):%B} (UTC) a new budget begins."

    def told(self, threshold: Threshold) -> str:
        """Return what people are told."""
        if threshold is Threshold.WARNED:
            return f"{WARN_RATE * 100:.0f} % of the budget of {self.whose} is reached: {self.in_words()}."
        rest = ", and the rest does not pay for the next message" if self.left_eur_cents else ""
        paused = "The campaign is paused." if self.month == NO_MONTH else "Its campaigns pause."
        return f"The budget of {self.whose} is used up: {self.in_words()}{rest}. {paused} {self.remedy}"


def _next_month(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def count_affordable(prices: Sequence[Decimal], left_eur_cents: Decimal) -> int:
    """Return how many of the first *prices* together cost no more than what is left."""
    for count, price in enumerate(prices):
        left_eur_cents -= price
        if left_eur_cents < 0:
            return count
    return len(prices)
