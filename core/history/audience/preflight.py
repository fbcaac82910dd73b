"""Counting an audience before it is frozen, and showing the rows behind each count."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from core.domain.campaigns.preflight import Counted, DestinationTotals, Length, RowKind, Wanted, Widened
from core.domain.texts.encoding import Encoding, choose_encoding
from core.domain.texts.placeholders import BLANKS, Literal
from core.domain.texts.simplifying import simplify
from core.errors import StorageError
from core.history.audience.recipients import RecipientSpec, judge
from core.history.engine.door import Cursor
from core.history.engine.results import fetch, fetch_one
from core.history.lake.connection import Lake
from core.history.sql import text_measure
from core.history.sql.statements import load_statements
from core.turns import held as lock_held

_SQL = load_statements("audience/preflight.sql")
# How many audiences a process keeps counted, for their rows to be looked at: some dozen MiB for a million rows.
KEPT = 3
# So many characters are named as the cause of Unicode.
MOST_CHARACTERS = 8


@dataclass(frozen=True)
class Often:
    """Texted often means: more than *most* messages of *account* since *since*."""

    account: str
    since: datetime
    most: int


@dataclass(frozen=True)
class _Held:
    spec: RecipientSpec
    scratch: str
    frequent: str
    counted: Counted


class PreflightStore:
    """
    Counts audiences, and holds the last few, with their counts and for their rows.

    What is held is this process's and may go at any time: the rows are made again when they have.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._lock = threading.Lock()
        self._held: OrderedDict[str, _Held] = OrderedDict()

    def find(self, key: str) -> Counted | None:
        """Return what was counted under this *key*, None when it is not held."""
        held = self._held.get(key)
        return held.counted if held else None

    def count(self, key: str, spec: RecipientSpec, often: Often) -> Counted:
        """Count every row. *key* names this very spec. Raises: InvalidInput: as `judge`. StorageError: as the lake."""
        return self._hold(key, spec, often).counted

    def rows(
        self, key: str, spec: RecipientSpec, often: Often, wanted: Wanted, limit: int, offset: int
    ) -> tuple[pa.Table, int]:
        """
        Return up to *limit* of the wanted rows after the first *offset*, by list and row, and how many there are.

        Columns: list_no, row_no, msisdn, country, network, mccmnc, encoding, segment_count, price_eur_cents, reason,
        and fields (list of text), the row's cells.
        """
        held = self._hold(key, spec, often)
        found = self._find_rows(held, wanted, limit, offset)
        if found is None:
            # They went when the lake had to be opened anew.
            self._forget(key)
            found = self._find_rows(self._hold(key, spec, often), wanted, limit, offset)
        if found is None:
            raise StorageError("The rows are no longer there.", hint="Try again in a moment.")
        return found

    def _find_rows(self, held: _Held, wanted: Wanted, limit: int, offset: int) -> tuple[pa.Table, int] | None:
        """Return the rows, and how many in all; None when the tables they are in are gone."""
        where, values = _condition(held, wanted)
        sql = _SQL["rows"].format(scratch=held.scratch, where=where)
        with self._lake.read() as cursor:
            if not fetch_one(cursor, _SQL["is_there"], {"name": held.frequent.rpartition(".")[2]})[0]:
                return None
            found = fetch(cursor, sql, {**values, "limit": limit, "offset": offset})
            total = fetch_one(cursor, _SQL["count_rows"].format(scratch=held.scratch, where=where), values)[0]
            return found.append_column("fields", _fields(cursor, held.spec, found)), int(total)

    def _hold(self, key: str, spec: RecipientSpec, often: Often) -> _Held:
        # One at a time: two counts of a million rows side by side would only take each other's memory.
        with lock_held(self._lock):
            held = self._held.pop(key, None) or self._count_anew(spec, often)
            self._held[key] = held
            while len(self._held) > KEPT:
                self._drop(self._held.popitem(last=False)[1])
            return held

    def _forget(self, key: str) -> None:
        with lock_held(self._lock):
            if (held := self._held.pop(key, None)) is not None:
                self._drop(held)

    def _drop(self, held: _Held) -> None:
        self._lake.drop_scratch(held.scratch)
        self._lake.drop_scratch(held.frequent)

    def _count_anew(self, spec: RecipientSpec, often: Often) -> _Held:
        values = {"account": often.account, "since": often.since, "most": often.most}
        scratch = self._lake.keep_scratch(lambda cursor, name: judge(cursor, spec, name, with_text=False))
        frequent = ""

        def fill(cursor: Cursor, name: str) -> None:
            cursor.execute(_SQL["texted_often"].format(scratch=scratch, frequent=name), values)

        try:
            frequent = self._lake.keep_scratch(fill)
            with self._lake.read() as cursor:
                return _Held(spec, scratch, frequent, _add_up(cursor, spec, scratch, frequent))
        except BaseException:
            for name in filter(None, (scratch, frequent)):
                self._lake.drop_scratch(name)
            raise


def _add_up(cursor: Cursor, spec: RecipientSpec, scratch: str, frequent: str) -> Counted:
    names = spec.names
    by = "".join(f", empty_{n}, no_value_{n}, odd_{n} IS NOT NULL AS is_odd_{n}" for n in range(len(names)))
    groups = fetch(cursor, _SQL["count"].format(scratch=scratch, by=by), {}).to_pylist()
    excluded: Counter[str] = Counter()
    empty: Counter[str] = Counter()
    no_values: dict[str, Counter[str]] = {}
    for group in groups:
        if group["reason"]:
            excluded[group["reason"]] += group["recipients"]
            continue
        for number, name in enumerate(names):
            empty[name] += group["recipients"] * group[f"empty_{number}"]
            if (cell := group[f"no_value_{number}"]) is not None:
                no_values.setdefault(name, Counter())[cell.strip(BLANKS)] += group["recipients"]
    kept = [group for group in groups if not group["reason"]]
    frequent_count = int(fetch_one(cursor, _SQL["count_frequent"].format(frequent=frequent), {})[0])
    return Counted(
        audience_count=sum(group["recipients"] for group in groups),
        excluded=dict(excluded),
        destinations=_destinations(kept),
        lengths=_lengths(kept),
        empty={name: count for name, count in empty.items() if count},
        widened=tuple(_widened(cursor, spec, scratch, kept)),
        frequent_count=frequent_count,
        no_values=no_values,
    )


def _destinations(kept: list[dict[str, Any]]) -> tuple[DestinationTotals, ...]:
    sums: dict[tuple[str, str, str], list[Any]] = {}
    for group in kept:
        entry = sums.setdefault((group["country"], group["network"], group["mccmnc"]), [0, 0, Decimal(0)])
        entry[0] += group["recipients"]
        entry[1] += group["recipients"] * group["segment_count"]
        entry[2] += group["cost"]
    found = [DestinationTotals(*place, *counts) for place, counts in sums.items()]
    return tuple(sorted(found, key=lambda item: (-item.cost_eur_cents, -item.recipient_count, item.mccmnc)))


def _lengths(kept: list[dict[str, Any]]) -> tuple[Length, ...]:
    sums: dict[int, list[Any]] = {}
    for group in kept:
        entry = sums.setdefault(group["segment_count"], [0, Decimal(0)])
        entry[0] += group["recipients"]
        entry[1] += group["cost"]
    return tuple(Length(count, *sums[count]) for count in sorted(sums))


def _widened(cursor: Cursor, spec: RecipientSpec, scratch: str, kept: list[dict[str, Any]]) -> Iterator[Widened]:
    """Yield what Unicode costs, by where it comes from: the message itself, or the first placeholder that needs it."""
    outside = _outside_gsm7(spec)
    sums: dict[tuple[int, int, int], list[Any]] = {}
    for group in kept:
        if group["segment_count"] <= group["plain_count"]:
            continue
        odd = (number for number in range(len(spec.names)) if group[f"is_odd_{number}"])
        number = -1 if outside else next(odd, -1)
        entry = sums.setdefault((number, group["plain_count"], group["segment_count"]), [0, Decimal(0)])
        entry[0] += group["recipients"]
        entry[1] += group["extra"]
    characters = {-1: outside} | {
        number: _odd_characters(cursor, scratch, number) for number in {key[0] for key in sums} if number >= 0
    }
    for number, plain, segments in sorted(sums):
        name = spec.names[number] if number >= 0 else ""
        yield Widened(name, characters[number], plain, segments, *sums[number, plain, segments])


def _outside_gsm7(spec: RecipientSpec) -> str:
    """Return the first characters of the message itself that are outside the GSM alphabet."""
    text = "".join(part.text for part in spec.parts if isinstance(part, Literal))
    text = simplify(text) if spec.simplifies else text
    odd = [character for character in dict.fromkeys(text) if choose_encoding(character) is Encoding.UCS2]
    return "".join(odd[:MOST_CHARACTERS])


def _odd_characters(cursor: Cursor, scratch: str, number: int) -> str:
    sql = _SQL["odd_characters"].format(scratch=scratch, odd=f"odd_{number}", pattern=text_measure.ODD)
    return "".join(character for (character,) in cursor.execute(sql, {"most": MOST_CHARACTERS}).fetchall())


def _condition(held: _Held, wanted: Wanted) -> tuple[str, Mapping[str, object]]:
    names, subject = held.spec.names, wanted.subject
    number = names.index(subject) if subject in names else -1
    country, _, mccmnc = subject.partition("/")
    # As they are counted: by the message itself, else by the first placeholder.
    odd = f"odd_{number} IS NOT NULL" + "".join(f" AND odd_{n} IS NULL" for n in range(number))
    conditions: dict[RowKind, tuple[str, Mapping[str, object]]] = {
        RowKind.ALL: ("true", {}),
        RowKind.KEPT: ("reason = ''", {}),
        RowKind.EXCLUDED: ("reason = $reason AND reason <> ''", {"reason": subject}),
        RowKind.EMPTY: (f"reason = '' AND {f'empty_{number}' if number >= 0 else 'false'}", {}),
        RowKind.NO_VALUE: (f"reason = '' AND {f'no_value_{number} IS NOT NULL' if number >= 0 else 'false'}", {}),
        RowKind.WIDENED: (f"reason = '' AND segment_count > plain_count AND {odd if number >= 0 else 'true'}", {}),
        RowKind.LENGTH: ("reason = '' AND segment_count = try_cast($count AS INTEGER)", {"count": subject}),
        RowKind.FREQUENT: (f"msisdn IN (SELECT msisdn FROM {held.frequent})", {}),
        RowKind.DESTINATION: (
            "reason = '' AND country = $country AND mccmnc = $mccmnc",
            {"country": country, "mccmnc": mccmnc},
        ),
    }
    return conditions[wanted.kind]


def _fields(cursor: Cursor, spec: RecipientSpec, found: pa.Table) -> pa.Array:
    """Return the cells of each row, which lie in the lists."""
    places = list(zip(found["list_no"].to_pylist(), found["row_no"].to_pylist(), strict=True))
    cells: dict[tuple[int, int], list[str]] = {}
    for list_no in dict.fromkeys(list_no for list_no, _ in places):
        row_nos = [row_no for number, row_no in places if number == list_no]
        values = {"list_id": spec.lists[list_no].list_id, "row_nos": row_nos}
        # The bounds are what keeps files out whose rows are none of these.
        bounds = {"least": min(row_nos), "most": max(row_nos)}
        for row_no, fields in cursor.execute(_SQL["fields"], values | bounds).fetchall():
            cells[list_no, row_no] = list(fields)
    return pa.array([cells.get(place, []) for place in places], pa.list_(pa.string()))
