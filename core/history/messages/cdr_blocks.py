"""Reading blocks of a CDR file: what is a message, and what is wrong with the other rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from core.domain.imports.cdr import (
    CLOCK_LEEWAY,
    EARLIEST,
    MAX_CELL,
    NEEDED,
    CdrField,
    CdrMapping,
    DateFormat,
    PriceUnit,
    RowFault,
)
from core.domain.imports.cdr_guessing import NARROW_SPACE, TIMES, find_status, parse_unicode
from core.domain.imports.cdr_prices import EUR, currency_of, parse_price, to_eur_cents
from core.domain.imports.cdr_remarks import CellFault
from core.domain.numbering import find_country, list_networks
from core.domain.texts.no_values import NO_VALUES
from core.domain.times.periods import Period, list_offsets
from core.domain.words.control_characters import find_control, replace_controls
from core.history.engine.door import Cursor
from core.history.engine.results import fetch, fetch_one
from core.history.numbers.kept_ranges import KeptRanges
from core.history.numbers.reading_numbers import NumberReader
from core.history.sql.arrow_texts import find_fault
from core.history.sql.statements import load_statements

SQL = load_statements("messages/cdr_blocks.sql")

MOST_SEGMENTS = 255
_MOST_EUR_CENTS = Decimal(10_000_000)
# What programs write where there is nothing, in any case. A sender may well be called None.
_NOTHING = (*sorted(NO_VALUES), "-", "--", "na")
# Codes and counts, which pandas writes as 27.0 where the column lacks some.
_WHOLE = frozenset(CdrField) - {CdrField.SENT_DATE, CdrField.DELIVERY_DATE, CdrField.RECEIVER, CdrField.PRICE}
# An offset stands behind a time of day: without one, the -01 of a date would be taken for it.
_OFFSET = r"\d:\d{2}(?:[.,]\d{1,9})? ?(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$"

# Which of the two moments a local time means that the clock shows twice.
Reading = Literal["first", "second"]
_NEEDED = frozenset(field.name.lower() for field in NEEDED)
_PRICE = pa.decimal128(12, 4)


@dataclass(frozen=True)
class CdrSpec:
    """How a file is read: for which account, by what mapping, with which columns, and what the future is."""

    account_id: str
    mapping: CdrMapping
    columns: Sequence[str]
    now: datetime


@dataclass(frozen=True)
class BlockFaults:
    """
    What is wrong with rows of a block; each has row_no (int64), fault and cell (text), in file order.

    Rows in *rejected* are no messages, and fault is a `core.domain.imports.cdr.RowFault`. Those in *kept* are messages
    without that cell, and fault is a `CellFault`; a row may be there several times.
    """

    rejected: pa.Table
    kept: pa.Table


class BlockReader:
    """
    Reads one block after the other, on one cursor; `cdr_parsed` holds the last one.

    *currencies* are those other than EUR that prices were met in, *unrated* those of them that have no rate: their
    prices are NULL.
    """

    def __init__(self, cursor: Cursor, spec: CdrSpec, ranges: KeptRanges) -> None:
        """Take the cursor, how the file is read (the mapping was checked) and the ranges of all numbers."""
        self._cursor = cursor
        self._numbers = NumberReader(cursor, ranges)
        self._spec = spec
        self.currencies: dict[str, None] = {}
        columns = spec.mapping.columns
        self._sources = {field.name.lower(): f"c{spec.columns.index(name)}" for field, name in columns.items()}
        self._cells = ", ".join(["row_no", *(_cell_of(field, field in columns) for field in CdrField)])
        assert spec.mapping.date_format is not None
        self._sent, self._sent_offset_s = _moment("sent_date", spec.mapping.date_format)
        self._delivery, self._delivery_offset_s = _moment("delivery_date", spec.mapping.date_format)

    @property
    def unrated(self) -> tuple[str, ...]:
        """The currencies met so far that have no rate."""
        return tuple(currency for currency in self.currencies if currency not in self._spec.mapping.rates)

    def read(self, block: pa.Table) -> BlockFaults:
        """Understand a block of `core.files.imports.cdr`; its messages are in the view `cdr_understood`."""
        cursor, now = self._cursor, self._spec.now
        latest = now + CLOCK_LEEWAY
        cells = {name: pc.utf8_trim_whitespace(block[source]) for name, source in self._sources.items()}
        clean, refused, emptied = _sift(pa.table({"row_no": block["row_no"], **cells}))
        cursor.register("block", clean)
        cursor.execute(
            SQL["read_cells"].format(
                cells=self._cells,
                sent_local=self._sent,
                sent_offset_s=self._sent_offset_s,
                delivery_local=self._delivery,
                delivery_offset_s=self._delivery_offset_s,
            )
        )
        cursor.unregister("block")
        self._look_up()
        zone, values = self._zone_offsets(latest)
        bounds = {"earliest": EARLIEST, "latest": latest, "max_cell": MAX_CELL}
        sql = SQL["parse"].format(
            sent_zone=zone("sent_local", "first"),
            delivery_zone=zone("delivery_local", "first"),
            delivery_again=zone("delivery_local", "second"),
        )
        cursor.execute(sql, {**bounds, **values})
        cursor.execute(SQL["understood"])
        rejected, kept = fetch(cursor, SQL["rejected"]), fetch(cursor, SQL["kept"])
        return BlockFaults(
            pa.concat_tables([rejected, refused.cast(rejected.schema)]).sort_by("row_no"),
            pa.concat_tables([kept, _without(emptied, rejected).cast(kept.schema)]).sort_by("row_no"),
        )

    def _look_up(self) -> None:
        """Parse what few different cells stand for once for each, instead of row by row."""
        mapping = self._spec.mapping
        said = mapping.statuses
        self._register("cdr_statuses", "delivery_status", lambda cell: find_status(cell, said), pa.string())
        self._register_prices()
        self._register("cdr_segments", "segments", _segments, pa.int32())
        self._register("cdr_unicodes", "unicode", lambda cell: parse_unicode(cell) if cell else False, pa.bool_())
        self._register("cdr_countries", "country", find_country, pa.string())
        self._numbers.read("(SELECT row_no, receiver AS text FROM cdr_cells)", "cdr_receivers")
        cells = self._distinct("mccmnc")
        codes = [_mccmnc(cell) for cell in cells]
        names = [_network_names().get(code or "", "") for code in codes]
        self._cursor.register("cdr_networks", _texts({"cell": cells, "value": codes, "name": names}))
        # Some write the code where others write the name.
        cells = self._distinct("network")
        codes = [_mccmnc(cell) or None for cell in cells]
        names = [_network_names().get(code or "", "") for code in codes]
        self._cursor.register("cdr_network_codes", _texts({"cell": cells, "value": codes, "name": names}))

    def _register_prices(self) -> None:
        found = self._cursor.execute("SELECT DISTINCT price, currency FROM cdr_cells").to_arrow_table()
        mapping = self._spec.mapping
        header = mapping.columns.get(CdrField.PRICE, "")
        values: list[Decimal | None] = []
        faults: list[str | None] = []
        for row in found.to_pylist():
            amount = parse_price(row["price"])
            # What costs nothing does so in every currency.
            currency = currency_of(row["price"], row["currency"], header) if amount else EUR
            value: Decimal | None = Decimal(0)
            fault = None
            if row["price"] and amount is None:
                fault = CellFault.PRICE
            elif currency is None:
                fault = CellFault.CURRENCY
            elif amount:
                value, fault = self._eur_cents(amount, currency)
            values.append(value)
            faults.append(fault)
        found = found.append_column("value", pa.array(values, _PRICE)).append_column(
            "fault", pa.array(faults, pa.string())
        )
        self._cursor.register("cdr_prices", found)

    def _eur_cents(self, amount: Decimal, currency: str) -> tuple[Decimal | None, CellFault | None]:
        rate = Decimal(1)
        if currency != EUR:
            self.currencies[currency] = None
            if currency not in self._spec.mapping.rates:
                return None, None
            rate = self._spec.mapping.rates[currency]
        is_cents = self._spec.mapping.price_unit is PriceUnit.EUR_CENTS
        cents = to_eur_cents(amount, rate, is_cents=is_cents)
        return (cents, None) if cents < _MOST_EUR_CENTS else (Decimal(0), CellFault.PRICE)

    def _register(self, table: str, column: str, parse: Callable[[str], Any], kind: pa.DataType) -> None:
        cells = self._distinct(column)
        values = pa.array([parse(cell) for cell in cells], kind)
        self._cursor.register(table, pa.table({"cell": pa.array(cells, pa.string()), "value": values}))

    def _distinct(self, column: str) -> list[str]:
        found = self._cursor.execute(f"SELECT DISTINCT {column} FROM cdr_cells").to_arrow_table()
        return list(found[column].to_pylist())

    def _zone_offsets(self, latest: datetime) -> tuple[Callable[[str, Reading], str], Mapping[str, object]]:
        """Return what makes the offset of a column of local times, and the values that binds."""
        day = timedelta(days=1)
        first, last = fetch_one(self._cursor, SQL["local_range"], {"earliest": EARLIEST - day, "latest": latest + day})
        if first is None:
            return lambda *_: "INTERVAL 0 SECOND", {}
        period = Period(first.replace(tzinfo=UTC) - 2 * day, last.replace(tzinfo=UTC) + 2 * day)
        return local_offsets(period, self._spec.mapping.time_zone)


def _sift(block: pa.Table) -> tuple[pa.Table, pa.Table, pa.Table]:
    """
    Take control characters out of the cells that are read.

    Returns: The rows, those that need such a cell taken out, and such cells of the others made ""; the rows taken out;
    the cells made "". The latter as in `BlockFaults`.
    """
    faults: list[tuple[int, str, str]] = []
    emptied: list[tuple[int, str, str]] = []
    if find_fault(block) is None:
        return block, _faults(faults), _faults(emptied)
    rows = block.to_pylist()
    for row in rows:
        # What nobody sees is shown as a replacement character.
        bad = {
            name: replace_controls(cell)
            for name, cell in row.items()
            if name != "row_no" and find_control(cell, is_prose=True)
        }
        if cell := next((cell for name, cell in bad.items() if name in _NEEDED), None):
            faults.append((row["row_no"], RowFault.CONTROL, cell))
            continue
        emptied.extend((row["row_no"], CellFault.CONTROL, cell) for cell in bad.values())
        row.update(dict.fromkeys(bad, ""))
    refused = _faults(faults)
    clean = pa.Table.from_pylist(rows, block.schema).filter(pc.invert(pc.is_in(block["row_no"], refused["row_no"])))
    return clean, refused, _faults(emptied)


def _faults(found: Sequence[tuple[int, str, str]]) -> pa.Table:
    numbers, kinds, cells = zip(*found, strict=True) if found else ((), (), ())
    numbered = pa.table({"row_no": pa.array(numbers, pa.int64())})
    texts = _texts({"fault": map(str, kinds), "cell": cells})
    return numbered.append_column("fault", texts["fault"]).append_column("cell", texts["cell"])


def _without(found: pa.Table, rejected: pa.Table) -> pa.Table:
    """Return what was *found* about rows that are not *rejected* for something else."""
    return found.filter(pc.invert(pc.is_in(found["row_no"], rejected["row_no"])))


def local_offsets(period: Period, time_zone: str) -> tuple[Callable[[str, Reading], str], Mapping[str, object]]:
    """
    Return what makes an expression for the offset at a column of *local* times, and the values it binds.

    A time that the clock shows twice is the first or the second one, whichever is asked for. One that it skips is read
    as if it did not, as Python's zones do.
    """
    first, *changes = list_offsets(period, time_zone)
    values: dict[str, object] = {"offset_0": first.offset.total_seconds()}
    offset = first.offset
    for number, span in enumerate(changes, start=1):
        since = span.since.replace(tzinfo=None)
        values[f"first_{number}"] = since + max(offset, span.offset)
        values[f"second_{number}"] = since + span.offset
        values[f"offset_{number}"] = span.offset.total_seconds()
        offset = span.offset

    def expression(column: str, reading: Reading) -> str:
        sql = "to_seconds($offset_0)"
        for number in range(1, len(changes) + 1):
            since = f"${reading}_{number}::TIMESTAMP"
            sql = f"CASE WHEN {column} >= {since} THEN to_seconds($offset_{number}) ELSE {sql} END"
        return sql

    return expression, values


def _cell_of(field: CdrField, is_there: bool) -> str:
    """Return the expression of a field's cell, "" where the file has nothing."""
    name = field.name.lower()
    if not is_there:
        return f"'' AS {name}"
    if field is CdrField.SENDER:
        return name
    nothing = ", ".join(f"'{word}'" for word in _NOTHING)
    # Most cells are longer than the words, or are numbers, which is seen sooner.
    is_word = f"length({name}) <= {max(map(len, _NOTHING))} AND NOT {name} BETWEEN '0' AND ':'"
    empty = f"{is_word} AND lower({name}) IN ({nothing})"
    if field is CdrField.DELIVERY_DATE:
        empty += f" OR {name} = '0' OR starts_with({name}, '0000-00-00')"
    whole = ""
    if field in _WHOLE:
        number = f"ends_with({name}, '.0') AND regexp_full_match({name}, '[0-9]+[.]0')"
        whole = f"WHEN {number} THEN left({name}, length({name}) - 2)"
    return f"CASE WHEN {empty} THEN '' {whole} ELSE {name} END AS {name}"


def _moment(column: str, form: DateFormat) -> tuple[str, str]:
    """Return expressions of a time as the cell has it, and of its offset in seconds (NULL: the file's zone)."""
    times = TIMES[form]
    shaped = f"regexp_full_match({column}, '{times.shape}')"
    if form.is_universal:
        factor = 1_000_000 if form is DateFormat.EPOCH_S else 1_000
        number = f"round(try_cast({column} AS DECIMAL(28, 9)) * {factor})::BIGINT"
        return f"CASE WHEN {shaped} THEN make_timestamp({number}) END", "0.0"
    patterns = ", ".join(f"'{pattern}'" for pattern in times.patterns)
    if not form.has_offset:
        text = f"replace(replace({column}, ', ', ' '), '{NARROW_SPACE}', ' ')"
        if times.digits:
            text = f"rpad({column}, {times.digits}, '0')"
        return f"CASE WHEN {shaped} THEN try_strptime({text}, [{patterns}]) END", "NULL::DOUBLE"
    written = f"nullif(regexp_extract({column}, '{_OFFSET}', 1), '')"
    # DuckDB would read an offset and forget it.
    bare = f"rtrim(left({column}, length({column}) - coalesce(length({written}), 0)))"
    digits = f"rpad(replace(substr({written}, 2), ':', ''), 4, '0')"
    minutes = f"(substr({digits}, 1, 2)::INTEGER * 60 + substr({digits}, 3, 2)::INTEGER)"
    offset_s = f"""CASE
        WHEN {written} IN ('Z', 'UTC', 'GMT') THEN 0.0::DOUBLE
        WHEN {written} IS NOT NULL THEN CASE WHEN {written}[1] = '-' THEN -60.0 ELSE 60.0 END * {minutes} END"""
    if form is DateFormat.RFC_2822:
        # Behind the day of the week, which nobody needs.
        return f"CASE WHEN {shaped} THEN try_strptime(substr({bare}, 6), [{patterns}]) END", offset_s
    return f"CASE WHEN {shaped} THEN try_cast(replace({bare}, ',', '.') AS TIMESTAMP) END", offset_s


def _segments(cell: str) -> int | None:
    if not cell:
        return 1
    return int(cell) if cell.isascii() and cell.isdecimal() and 1 <= int(cell[:4]) <= MOST_SEGMENTS else None


def _mccmnc(cell: str) -> str | None:
    digits = cell.translate(dict.fromkeys(map(ord, " -/."), None))
    return digits if not digits or (digits.isascii() and digits.isdecimal() and len(digits) in {5, 6}) else None


@cache
def _network_names() -> dict[str, str]:
    return {network.mccmnc: network.name for network in list_networks()}


def _texts(columns: Mapping[str, Iterable[str | None]]) -> pa.Table:
    return pa.table({name: pa.array(list(cells), pa.string()) for name, cells in columns.items()})
