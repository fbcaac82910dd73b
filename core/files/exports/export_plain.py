"""Writing CSV and Parquet files of any length."""

from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from core.files.exports.export_columns import Column, Kind, Layout, chosen, wall_clock
from core.files.tables.rejected import SIGNS

# Spreadsheets take a text that begins so for a formula, whatever a CSV file means by it; the sign before it stops them
# (OWASP, CSV Injection). A number with its sign is none.
_FORMULA = f"^([{SIGNS}])"
_NUMBER = r"^[+-]?[0-9]+([.][0-9]+)?$"
_PARQUET_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.COUNT: pa.int64(),
    Kind.YEAR: pa.int64(),
    Kind.CENTS: pa.decimal128(38, 4),
    Kind.EUROS: pa.decimal128(38, 6),
    Kind.RATE: pa.float64(),
    Kind.SECONDS: pa.float64(),
    Kind.DAY: pa.date32(),
    Kind.MONTH: pa.date32(),
    Kind.FLAG: pa.bool_(),
}


class CsvFile:
    """UTF-8 with a byte order mark, as Excel wants it; commas and quotes (RFC 4180), times as clocks show them."""

    def __init__(self, path: Path, layout: Layout) -> None:
        """Open the file and write the header."""
        self._layout = layout
        self._file = path.open("wb")
        self._schema = pa.schema([(column.label, pa.string()) for column in layout.columns])
        self._options = csv.WriteOptions(include_header=False, quoting_style="needed")

    def __enter__(self) -> Self:
        """Write the header."""
        self._file.write("\ufeff".encode())
        header = pa.table({name: [name] for name in self._schema.names}, schema=self._schema)
        csv.write_csv(header, self._file, self._options)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def write(self, rows: pa.Table) -> None:
        """Append *rows*; see `Writer`."""
        columns = self._layout.columns
        texts = [_as_text(values, column) for values, column in zip(chosen(rows, columns), columns, strict=True)]
        csv.write_csv(pa.table(texts, schema=self._schema), self._file, self._options)


def _as_text(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    match column.kind:
        case Kind.TEXT:
            is_harmless = pc.match_substring_regex(values, _NUMBER)
            return pc.if_else(is_harmless, values, pc.replace_substring_regex(values, _FORMULA, r"'\1"))
        case Kind.FLAG:
            return pc.if_else(values, "Yes", "No")
        case Kind.MOMENT:
            clock = pc.floor_temporal(wall_clock(values), unit="millisecond")
            return pc.strftime(clock.cast(pa.timestamp("ms")), "%Y-%m-%d %H:%M:%S")
        case Kind.MONTH:
            return pc.strftime(values, "%Y-%m")
        case _:
            return values.cast(pa.string())


class ParquetFile:
    """Typed columns, compressed; moments keep their zone. The notes are in the file's metadata."""

    def __init__(self, path: Path, layout: Layout) -> None:
        """Open the file; its schema is known with the first rows."""
        self._path = path
        self._layout = layout
        self._writer: parquet.ParquetWriter | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the file; without rows it still has its columns."""
        if kind is None and self._writer is None:
            empty = pa.schema([(column.source, _type_of(column, None)) for column in self._layout.columns])
            self.write(empty.empty_table())
        if self._writer:
            self._writer.close()

    def write(self, rows: pa.Table) -> None:
        """Append *rows*; see `Writer`."""
        columns = self._layout.columns
        values = chosen(rows, columns)
        if self._writer is None:
            fields = [
                (column.label, _type_of(column, found.type)) for column, found in zip(columns, values, strict=True)
            ]
            schema = pa.schema(fields, metadata=dict(self._layout.notes))
            self._writer = parquet.ParquetWriter(self._path, schema, compression="zstd")
        self._writer.write_table(pa.table(values, names=[column.label for column in columns]).cast(self._writer.schema))


def _type_of(column: Column, found: pa.DataType | None) -> pa.DataType:
    if column.kind is Kind.MOMENT:
        return pa.timestamp("us", tz=found.tz if found else "UTC")
    return _PARQUET_TYPES[column.kind]
