"""Drawing the demo company's contacts: numbers, where they lead, and what a list says of each."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.demo.company import CITIES, COLUMNS, FIRST_NAMES, RANGES, NumberRange
from core.domain.accounts.pricing import Price
from core.domain.imports.lists import ROW_FAULTS, RowFault
from core.domain.numbering import Destination, get_destination
from core.history.lake.schema import CONTACT_SCHEMA

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_HEADER_ROWS = 1


@dataclass(frozen=True)
class People:
    """People drawn together: for each the msisdn, and indexes into `RANGES`, `FIRST_NAMES` and `CITIES`."""

    msisdns: list[str]
    ranges: Ints
    names: Ints
    cities: Ints

    def where(self, chosen: Flags) -> "People":
        """Return the chosen ones."""
        msisdns = [self.msisdns[index] for index in np.flatnonzero(chosen)]
        return People(msisdns, self.ranges[chosen], self.names[chosen], self.cities[chosen])

    def fields(self, index: int) -> list[str]:
        """Return one person's cells of a list's file, in the order of `COLUMNS`."""
        name, city = FIRST_NAMES[self.names[index]], CITIES[self.cities[index]]
        return [self.msisdns[index].removeprefix("+"), name, city, f"MT-{100_000 + index}"]


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


def draw_people(generator: np.random.Generator, count: int, *, unique: bool) -> People:
    """Draw *count* people, the ranges of their numbers by weight; the numbers of *unique* ones never repeat."""
    weights = np.array([area.weight for area in RANGES])
    ranges = generator.choice(len(RANGES), size=count, p=weights / weights.sum())
    if unique:
        # Counting up from a random start with a step that shares no factor with ten never meets itself.
        positions = np.arange(count) * 7_919 + generator.integers(0, 10_000)
    else:
        positions = generator.integers(0, 10_000_000, size=count)
    msisdns = [_number(RANGES[area], int(position)) for area, position in zip(ranges, positions, strict=True)]
    names = generator.integers(0, len(FIRST_NAMES), size=count)
    return People(msisdns, ranges, names, generator.integers(0, len(CITIES), size=count))


def contact_table(people: People) -> pa.Table:
    """Return the people as a list's entries (`CONTACT_SCHEMA`)."""
    count = len(people.msisdns)
    columns = {
        "row_no": range(_HEADER_ROWS + 1, count + _HEADER_ROWS + 1),
        "msisdn": people.msisdns,
        **place_columns(people.ranges),
        "fields": [people.fields(index) for index in range(count)],
    }
    return pa.table(columns, schema=CONTACT_SCHEMA)


def write_duplicates(path: Path, people: People, duplicate_count: int) -> None:
    """Write the file of left out rows, as an import does: the first people again, after everybody."""
    if not duplicate_count:
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    first = len(people.msisdns) + _HEADER_ROWS + 1
    with path.open("w", newline="", encoding="utf-8-sig") as target:
        writer = csv.writer(target)
        writer.writerow(["Row", "Reason", *COLUMNS])
        for index in range(duplicate_count):
            writer.writerow([first + index, ROW_FAULTS[RowFault.DUPLICATE], *people.fields(index)])


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
