"""Drawing the demo company's contacts: numbers, where they lead, and what a list says of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.demo.company import CITIES, FIRST_NAMES, RANGES, NumberRange
from core.domain.numbering import Destination, get_destination
from core.domain.pricing import Price
from core.history.schema import CONTACT_SCHEMA

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Drawn:
    """Numbers drawn together: for each the msisdn and the index of its range in `RANGES`."""

    msisdns: list[str]
    ranges: Ints


@cache
def destinations() -> tuple[Destination, ...]:
    """Return where each range leads, by the numbers engine itself."""
    return tuple(get_destination("+" + area.prefix.ljust(area.digits, "3")) for area in RANGES)


def prices() -> tuple[Price, ...]:
    """Return the company's price list: one price per network it writes to, one for everywhere else."""
    found = {
        (place.country, place.mccmnc): Price(place.country, place.mccmnc, area.price_eur_cents)
        for area, place in zip(RANGES, destinations(), strict=True)
    }
    return (*found.values(), Price("", "", Decimal("9.0000")))


def draw_numbers(generator: np.random.Generator, count: int, *, unique: bool) -> Drawn:
    """Draw *count* subscriber numbers, the ranges by their weight; *unique* ones never repeat."""
    weights = np.array([area.weight for area in RANGES])
    ranges = generator.choice(len(RANGES), size=count, p=weights / weights.sum())
    if unique:
        # Counting up from a random start with a step that shares no factor with ten never meets itself.
        positions = np.arange(count) * 7_919 + generator.integers(0, 10_000)
    else:
        positions = generator.integers(0, 10_000_000, size=count)
    msisdns = [_number(RANGES[area], int(position)) for area, position in zip(ranges, positions, strict=True)]
    return Drawn(msisdns, ranges)


def contact_table(generator: np.random.Generator, drawn: Drawn) -> pa.Table:
    """Return the numbers as a list's entries with first name, city and reference (`CONTACT_SCHEMA`)."""
    count = len(drawn.msisdns)
    names = generator.integers(0, len(FIRST_NAMES), size=count)
    cities = generator.integers(0, len(CITIES), size=count)
    fields = [
        [msisdn.removeprefix("+"), FIRST_NAMES[name], CITIES[city], f"MT-{100_000 + row}"]
        for row, (msisdn, name, city) in enumerate(zip(drawn.msisdns, names, cities, strict=True))
    ]
    places = place_columns(drawn.ranges)
    columns = {"row_no": range(2, count + 2), "msisdn": drawn.msisdns, **places, "fields": fields}
    return pa.table(columns, schema=CONTACT_SCHEMA)


def place_columns(ranges: Ints) -> dict[str, list[str]]:
    """Return country, network and mccmnc of each number by its range."""
    found: Sequence[Destination] = destinations()
    chosen = [found[area] for area in ranges]
    return {
        "country": [place.country for place in chosen],
        "network": [place.network for place in chosen],
        "mccmnc": [place.mccmnc for place in chosen],
    }


def _number(area: NumberRange, position: int) -> str:
    width = area.digits - len(area.prefix)
    return f"+{area.prefix}{position % 10**width:0{width}d}"
