"""How far the rollups reach in a snapshot of the lake, and what their numbers mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.history.engine.door import Cursor
from core.history.engine.results import fetch
from core.history.sql.statements import load_statements

_SQL = load_statements("rollups/reach.sql")

# Whole numbers, of whatever width; of floating point where a measure is one.
Ints = npt.NDArray[Any]
# What a route is told apart by, besides its number.
ROUTE_COLUMNS = ("account", "country", "network", "mccmnc")

# What the reach is read from: routes and series change with these only.
REACH_TABLES = frozenset({"rollup_months", "rollup_patches"})


@dataclass(frozen=True)
class Version:
    """
    A month of a rollup as it stands: the number of its building, and of the last patch of each day patched since.

    They are numbers of snapshots: another catalog, which is another instance, may come to the same.
    """

    instance_no: int
    built: int
    patches: Mapping[date, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Routes:
    """
    Accounts, countries, networks and their codes by the route's number.

    *values* has each column's different values, *codes* for each route the place of its own among them; a number
    without a route has code -1.
    """

    values: Mapping[str, Sequence[str]]
    codes: Mapping[str, Ints]

    @classmethod
    def of(cls, table: pa.Table) -> "Routes":
        """Return the routes of a table of route_id (int32) and `ROUTE_COLUMNS` (text)."""
        numbers = table["route_id"].to_numpy()
        values, codes = {}, {}
        for column in ROUTE_COLUMNS:
            encoded = table[column].combine_chunks().dictionary_encode()
            values[column] = encoded.dictionary.to_pylist()
            codes[column] = np.full(numbers.max(initial=0) + 1, -1, np.int64)
            codes[column][numbers] = encoded.indices.to_numpy()
        return cls(values, codes)


@dataclass(frozen=True)
class Series:
    """Route and price (ten thousandths of an EUR cent) by the series' number; a number without a series has route 0."""

    route: Ints
    price: Ints


@dataclass(frozen=True)
class Numbers:
    """What the numbers of routes and series mean; *table* has the routes as they are read."""

    table: pa.Table
    routes: Routes
    series: Series


@dataclass(frozen=True)
class Reach:
    """The months that are there, by calendar, and what their numbers mean."""

    built: Mapping[str, Mapping[date, Version]]
    numbers: Numbers


def read_reach(cursor: Cursor, known: Reach | None) -> Reach:
    """Return how far the rollups reach in the cursor's snapshot; *known* is what was read before, of any."""
    built = _read_versions(cursor)
    if known is not None and known.built == built:
        # Routes and series come with what is built or patched; what else there may be belongs to no rollup yet.
        return known
    routes = fetch(cursor, _SQL["list_routes"])
    return Reach(built, Numbers(routes, Routes.of(routes), _read_series(cursor)))


def _read_versions(cursor: Cursor) -> Mapping[str, Mapping[date, Version]]:
    numbers: dict[str, dict[date, int]] = {}
    patches: dict[tuple[str, date], dict[date, int]] = {}
    for calendar, month, day, version in cursor.execute(_SQL["list_versions"]).fetchall():
        if day is None:
            numbers.setdefault(calendar, {})[month] = version
        else:
            patches.setdefault((calendar, month), {})[day] = version
    return {
        calendar: {
            month: Version(cursor.instance_no, built, patches.get((calendar, month), {}))
            for month, built in months.items()
        }
        for calendar, months in numbers.items()
    }


def _read_series(cursor: Cursor) -> Series:
    columns = cursor.execute(_SQL["list_series"]).fetchnumpy()
    numbers = columns["series_id"]
    route = np.zeros(numbers.max(initial=0) + 1, np.int64)
    price = np.zeros_like(route)
    route[numbers], price[numbers] = columns["route_id"], columns["price"]
    return Series(route, price)
