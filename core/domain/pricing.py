"""Price lists: what one segment costs, by country and network."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Price:
    """
    Price of one segment in EUR cents, at most four decimals.

    The most specific one counts: *country* with *mccmnc*, then *country* with "", then "" with "".
    """

    country: str
    mccmnc: str
    price_eur_cents: Decimal
