"""One run of an import of outside traffic: from the stored file to the history."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from core.domain.imports.cdr import TrafficCounts
from core.domain.imports.cdr_remarks import CellFault
from core.domain.words.counting import count_of
from core.errors import InvalidFile
from core.files.imports.cdr import ROW_NO, CdrFile, open_cdr
from core.files.tables.rejected import RejectedRows
from core.history.messages.cdr_blocks import BlockFaults, CdrSpec
from core.history.messages.outside_traffic import Merged, OutsideTraffic, Staged
from core.services.traffic.traffic_previews import explain_cells, explain_rows

# Nobody corrects more rows than this by hand; the reasons of the first ones tell enough.
MOST_KEPT = 100_000
# So that rows with remarks leave room for those that were not taken at all.
MOST_REMARKED = MOST_KEPT // 2
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class RunFiles:
    """The stored upload and where its rejected rows go."""

    upload: Path
    rejected: Path
    max_rows: int


class TrafficRun:
    """
    Reads the file to its end, then merges it chunk by chunk.

    The counts become whole step by step: rows first, then what became of the messages. *remarks* says how many rows
    were kept with something missing.
    """

    def __init__(
        self, traffic: OutsideTraffic, spec: CdrSpec, files: RunFiles, record: Callable[[TrafficCounts, float], None]
    ) -> None:
        """Take the lake, how the file is read, where it is, and who is told how far it is (0..1)."""
        self._traffic = traffic
        self._spec = spec
        self._files = files
        self._record = record
        self._read_count = self._rejected_count = self._remarked_count = 0
        self.remarks: Counter[CellFault] = Counter()

    def run(self, import_id: str) -> TrafficCounts:
        """
        Import the file.

        Raises: InvalidFile: it cannot be read to its end; then nothing of it is imported. StorageError.
        """
        with (
            open_cdr(self._files.upload) as file,
            RejectedRows(self._files.rejected, self._spec.columns, MOST_KEPT) as rejected,
        ):

            def note(block: pa.Table, faults: BlockFaults) -> None:
                self._note(block, faults, rejected)

            with self._traffic.staged(self._spec, self._blocks(file, rejected), note) as staged:
                if staged.doubtful_count:
                    self.remarks[CellFault.MESSAGE_ID] = staged.doubtful_count
                return self._merge(import_id, staged)

    def _blocks(self, file: CdrFile, rejected: RejectedRows) -> Iterator[pa.Table]:
        for block in file.blocks:
            self._read_count += block.num_rows
            self._take_bad_rows(file, rejected)
            if self._read_count > self._files.max_rows:
                raise InvalidFile(
                    f"The file has more than {count_of(self._files.max_rows, 'row', 'rows')}.", hint="Split it."
                )
            yield block
            # Half of the way is reading.
            self._record(TrafficCounts(read=self._read_count, rejected=self._rejected_count), file.read_share() / 2)
        self._take_bad_rows(file, rejected)

    def _take_bad_rows(self, file: CdrFile, rejected: RejectedRows) -> None:
        for row in file.take_bad_rows():
            self._read_count += 1
            self._rejected_count += 1
            rejected.write(row.row_no, explain_cells(row.cells), [row.text])

    def _note(self, block: pa.Table, faults: BlockFaults, rejected: RejectedRows) -> None:
        """Count what is wrong with rows of *block*, and write down the first ones."""
        self._rejected_count += faults.rejected.num_rows
        self.remarks.update(map(CellFault, faults.kept["fault"].to_pylist()))
        reasons = explain_rows(faults)
        kept = set(faults.kept[ROW_NO].to_pylist())
        rows = block.filter(pc.is_in(block[ROW_NO], pa.array(reasons, pa.int64())))
        cells = zip(*(column.to_pylist() for column in rows.columns), strict=True)
        for row_no, *row in cells:
            if row_no in kept:
                self._remarked_count += 1
                if self._remarked_count > MOST_REMARKED:
                    continue
            rejected.write(row_no, reasons[row_no], row)

    def _merge(self, import_id: str, staged: Staged) -> TrafficCounts:
        merged = Merged()
        counts = self._counts(staged, merged)
        for chunk_no in range(staged.chunk_count):
            self._record(counts, 0.5 + chunk_no / staged.chunk_count / 2)
            merged += self._traffic.merge_chunk(staged, import_id, chunk_no)
            counts = self._counts(staged, merged)
        return counts

    def _counts(self, staged: Staged, merged: Merged) -> TrafficCounts:
        return TrafficCounts(
            read=self._read_count,
            added=merged.added,
            updated=merged.updated,
            unchanged=merged.unchanged,
            repeated=staged.row_count - staged.message_count,
            rejected=self._rejected_count,
        )
