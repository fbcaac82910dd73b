"""Statistics: what messages can be grouped by, filtered by and sorted by, in the guide's words."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from core.domain.words.folding import fold


class GroupBy(StrEnum):
    """What messages can be grouped by, in the order of the columns."""

    YEAR = "Year"
    MONTH = "Month"
    DAY = "Day"
    ACCOUNT = "Account"
    COUNTRY = "Country"
    NETWORK = "Network"
    NETWORK_CODE = "Network Code"
    PRICE = "Price"


# The groups of time, coarsest first, and those that have names, which is what can be filtered by.
TIMES = (GroupBy.YEAR, GroupBy.MONTH, GroupBy.DAY)
NAMED = (GroupBy.ACCOUNT, GroupBy.COUNTRY, GroupBy.NETWORK, GroupBy.NETWORK_CODE)


class Measure(StrEnum):
    """What groups can be sorted by besides their names, by column."""

    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    TRANSMITTED = "transmitted"
    DELIVERY_RATE = "delivery_rate"
    COST = "cost_eur_cents"


class Operator(StrEnum):
    """How a name is compared with the term a person typed."""

    EQUAL = "Equal"
    NOT_EQUAL = "Not equal"
    STARTS_WITH = "Starts with"
    ENDS_WITH = "Ends with"
    CONTAINS = "Contains"
    DOES_NOT_CONTAIN = "Does not contain"


_COMPARE: dict[Operator, Callable[[str, str], bool]] = {
    Operator.EQUAL: lambda name, term: name == term,
    Operator.NOT_EQUAL: lambda name, term: name != term,
    Operator.STARTS_WITH: lambda name, term: name.startswith(term),
    Operator.ENDS_WITH: lambda name, term: name.endswith(term),
    Operator.CONTAINS: lambda name, term: term in name,
    Operator.DOES_NOT_CONTAIN: lambda name, term: term not in name,
}

_DENYING = frozenset({Operator.NOT_EQUAL, Operator.DOES_NOT_CONTAIN})


@dataclass(frozen=True)
class NameFilter:
    """
    A condition on a name: *field* is one of `NAMED`, whatever its case and accents.

    What is unknown has the name "".
    What has several names fulfils it with any of them, and what a name must not be, none of them may be.
    """

    field: GroupBy
    operator: Operator
    term: str

    def matches(self, name: str, *others: str) -> bool:
        """Return whether *name*, as people see it, fulfils the condition; *others* are further names of the same."""
        found = (_COMPARE[self.operator](fold(each), fold(self.term)) for each in (name, *others))
        return all(found) if self.operator in _DENYING else any(found)


@dataclass(frozen=True)
class Sorting:
    """By what the groups are sorted: a measure, or a group that is among them; None is the order of the groups."""

    by: Measure | GroupBy | None = None
    descending: bool = False
