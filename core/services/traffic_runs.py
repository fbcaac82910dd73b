"""One run of an import of outside traffic: from the stored file to the history."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from core.domain.cdr import ROW_FAULTS, RowFault, TrafficCounts
from core.domain.msisdn import mask_msisdn
from core.domain.numbering import country_name
from core.errors import InvalidFile
from core.files.cdr import ROW_NO, CdrFile, open_cdr
from core.files.rejected import RejectedRows
from core.history.cdr_blocks import CdrSpec
from core.history.outside_traffic import Merged, Staged

# Nobody corrects more rows than this by hand; the reasons of the first ones tell enough.
MOST_KEPT = 100_000
_SHOWN_CHARACTERS = 60


class Traffic(Protocol):
    """What importing needs of the lake."""

    def preview(self, spec: CdrSpec, block: pa.Table) -> tuple[pa.Table, pa.Table]: ...  # noqa: D102
    def staged(  # noqa: D102
        self, spec: CdrSpec, blocks: Iterable[pa.Table], reject: Callable[[pa.Table, pa.Table], None]
    ) -> AbstractContextManager[Staged]: ...
    def merge_chunk(self, staged: Staged, import_id: str, chunk_no: int) -> Merged: ...  # noqa: D102


@dataclass(frozen=True)
class RunFiles:
    """The stored upload and where its rejected rows go."""

    upload: Path
    rejected: Path
    max_rows: int


class TrafficRun:
    """
    Reads the file to its end, then merges it chunk by chunk.

    The counts become whole step by step: rows first, then what became of the messages.
    """

    def __init__(
        self, traffic: Traffic, spec: CdrSpec, files: RunFiles, record: Callable[[TrafficCounts, float], None]
    ) -> None:
        """Take the lake, how the file is read, where it is, and who is told how far it is (0..1)."""
        self._traffic = traffic
        self._spec = spec
        self._files = files
        self._record = record
        self._read_count = 0

    def run(self, import_id: str) -> TrafficCounts:
        """
        Import the file.

        Raises: InvalidFile: it cannot be read to its end; then nothing of it is imported. StorageError.
        """
        with (
            open_cdr(self._files.upload) as file,
            RejectedRows(self._files.rejected, self._spec.columns, MOST_KEPT) as rejected,
        ):

            def reject(block: pa.Table, found: pa.Table) -> None:
                for row_no, reason, cells in _refused(block, found):
                    rejected.write(row_no, reason, cells)

            with self._traffic.staged(self._spec, self._blocks(file, rejected), reject) as staged:
                return self._merge(import_id, staged, rejected.count)

    def _blocks(self, file: CdrFile, rejected: RejectedRows) -> Iterator[pa.Table]:
        for block in file.blocks:
            self._read_count += block.num_rows
            self._take_bad_rows(file, rejected)
            if self._read_count > self._files.max_rows:
                raise InvalidFile(f"The file has more than {self._files.max_rows:,} rows.", hint="Split it.")
            yield block
            # Half of the way is reading.
            self._record(TrafficCounts(read=self._read_count, rejected=rejected.count), file.read_share() / 2)
        self._take_bad_rows(file, rejected)

    def _take_bad_rows(self, file: CdrFile, rejected: RejectedRows) -> None:
        for row in file.take_bad_rows():
            self._read_count += 1
            rejected.write(row.row_no, ROW_FAULTS[RowFault.CELLS].format(cell=row.cells), [row.text])

    def _merge(self, import_id: str, staged: Staged, rejected_count: int) -> TrafficCounts:
        merged = Merged()
        counts = self._counts(staged, merged, rejected_count)
        for chunk_no in range(staged.chunk_count):
            self._record(counts, 0.5 + chunk_no / staged.chunk_count / 2)
            merged += self._traffic.merge_chunk(staged, import_id, chunk_no)
            counts = self._counts(staged, merged, rejected_count)
        return counts

    def _counts(self, staged: Staged, merged: Merged, rejected_count: int) -> TrafficCounts:
        return TrafficCounts(
            read=self._read_count,
            added=merged.added,
            updated=merged.updated,
            unchanged=merged.unchanged,
            repeated=staged.row_count - staged.message_count,
            rejected=rejected_count,
        )


def readable_rows(understood: pa.Table, *, masked: bool) -> pa.Table:
    """Return rows of a file as a person reads them, numbers *masked* for who may not see them."""
    receivers = understood["receiver"].to_pylist()
    return pa.table(
        {
            "Row": understood["row_no"],
            "Sent Date": understood["sent_at"],
            "Receiver": pa.array([mask_msisdn(each) for each in receivers] if masked else receivers, pa.string()),
            "Sender": understood["sender"],
            "Country": pa.array([country_name(code) for code in understood["country"].to_pylist()], pa.string()),
            "Network": understood["network"],
            "MCCMNC": understood["mccmnc"],
            "Delivery Status": understood["delivery_status"],
            "Delivery Date": understood["delivered_at"],
            "Error Code": understood["error_code"],
            "Price [EUR c]": understood["price_eur_cents"],
            "Segments": understood["segment_count"],
            "Unicode": understood["unicode"],
            "Message ID": understood["gateway_message_id"],
        }
    )


def explain_row(fault: str, cell: str) -> str:
    """Return the sentence about a row that is no message."""
    shown = cell if len(cell) <= _SHOWN_CHARACTERS else f"{cell[:_SHOWN_CHARACTERS]}…"
    return ROW_FAULTS[RowFault(fault)].format(cell=f"“{shown}”")


def _refused(block: pa.Table, found: pa.Table) -> Iterator[tuple[int, str, list[str]]]:
    """Yield number, reason and cells of the rows of *block* that *found* speaks of; both are in file order."""
    rows = block.filter(pc.is_in(block[ROW_NO], found[ROW_NO]))
    cells = zip(*(column.to_pylist() for column in rows.drop_columns([ROW_NO]).columns), strict=True)
    faults = zip(*(found[name].to_pylist() for name in (ROW_NO, "fault", "cell")), strict=True)
    for (row_no, fault, cell), row in zip(faults, cells, strict=True):
        yield row_no, explain_row(fault, cell), list(row)
