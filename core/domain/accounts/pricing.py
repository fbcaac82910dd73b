"""Price lists: what one segment costs, by country and network."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

# From when a price list counts that has no date.
ALWAYS = date(2000, 1, 1)


@dataclass(frozen=True)
class Price:
    """
    Price of one segment in EUR cents, at most four decimals.

    The most specific one counts: *country* with *mccmnc*, then *country* with "", then "" with "".
    """

    country: str
    mccmnc: str
    price_eur_cents: Decimal


def find_price(prices: Iterable[Price], country: str, mccmnc: str) -> Decimal | None:
    """
    Return the price of one segment to a network, EUR cents.

    None when the list does not know the destination; 0 without any list.
    """
    known = {(price.country, price.mccmnc): price.price_eur_cents for price in prices}
    if not known:
        return Decimal(0)
    places = ((country, mccmnc), (country, ""), ("", ""))
    return next((known[place] for place in places if place in known), None)
