"""The beginning of a CDR file: enough to guess its columns and to show how they are understood."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from core.errors import InvalidFile
from core.files.imports.cdr import ROW_NO, BadRow, CdrKind, open_cdr

SAMPLE_BYTES = 1 << 20
# A Parquet file of some kilobytes can unpack to rows of gigabytes: these many bytes of them are handed on.
MOST_BYTES = 8 * SAMPLE_BYTES


@dataclass(frozen=True)
class CdrSample:
    """
    *block* is the first of `CdrFile.blocks`, or its beginning; None when no row has as many cells as the header.

    *bad_rows* are the numbers of rows among those of *block* that have not, by how many cells they have (`BadRow`).
    """

    columns: tuple[str, ...]
    kind: CdrKind
    block: pa.Table | None
    bad_rows: Mapping[str, Sequence[int]]

    def dump(self) -> bytes:
        """Return the sample as bytes, for `load`."""
        about = json.dumps([self.columns, self.kind, self.bad_rows])
        block = pa.table({}) if self.block is None else self.block
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, block.schema.with_metadata({"about": about})) as writer:
            writer.write_table(block)
        return bytes(sink.getvalue().to_pybytes())

    @classmethod
    def load(cls, dumped: bytes) -> "CdrSample":
        """Return the sample that `dump` wrote."""
        block = pa.ipc.open_stream(dumped).read_all()
        columns, kind, bad_rows = json.loads(block.schema.metadata[b"about"])
        block = block.replace_schema_metadata(None) if block.num_columns else None
        return cls(tuple(columns), CdrKind(kind), block, bad_rows)


def take(path: Path) -> CdrSample:
    """Return the beginning of the CDR file at *path*. Raises: InvalidFile: as `open_cdr`, or a row is too long."""
    with open_cdr(path, SAMPLE_BYTES) as file:
        block = next(file.blocks, None)
        shown = None if block is None else _cut(block)
        bad_rows = file.take_bad_rows()
        if block is not None and shown is not None and shown.num_rows < block.num_rows:
            last = shown[ROW_NO][-1].as_py()
            bad_rows = [row for row in bad_rows if row.row_no <= last]
        return CdrSample(file.columns, file.kind, shown, _by_cells(bad_rows))


def write(path: str) -> bytes:
    """Return what `take` does as bytes: a task of `core.files.apart`."""
    return take(Path(path)).dump()


def _by_cells(rows: Iterable[BadRow]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row.cells, []).append(row.row_no)
    return found


def _cut(block: pa.Table) -> pa.Table:
    """Return the first rows of *block* that have room in `MOST_BYTES`."""
    while block.nbytes > MOST_BYTES:
        if block.num_rows == 1:
            raise InvalidFile(
                f"Row 2 is longer than {MOST_BYTES >> 20} MiB.", hint="Export the records again.", field="file"
            )
        block = block.slice(0, max(1, min(block.num_rows // 2, block.num_rows * MOST_BYTES // block.nbytes)))
    return block
