"""Turning the rows of an uploaded file into entries of a list."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.domain.imports.lists import ROW_FAULTS, RowFault
from core.domain.numbering.faults import MSISDN_FAULTS, MsisdnFault
from core.domain.words.counting import count_of
from core.errors import InvalidFile
from core.files.imports.contacts import DETAIL, FAULT, ROW_NO, SURPLUS, ContactBlocks
from core.files.tables.rejected import RejectedRows
from core.history.lake.schema import CONTACT_SCHEMA
from core.history.numbers.reading_numbers import NumberReader
from core.state.imports.lists import ImportCounts

CHUNK_ROWS = 50_000

Numbers = npt.NDArray[np.int64]


class EntryReader:
    """
    Reads a contact list once: entries come as Arrow tables, all other rows go to a CSV file for the person.

    Read rows = entries + duplicates + rejected, at every moment.
    """

    def __init__(
        self, contacts: ContactBlocks, phone_index: int, rejected_path: Path, max_rows: int, numbers: NumberReader
    ) -> None:
        """Take the open list and its phone column, where other rows go, how many are too many, who reads numbers."""
        self._contacts = contacts
        self._phone_index = phone_index
        self._numbers = numbers
        self._refused = RejectedRows(rejected_path, contacts.columns, max_rows)
        self._max_rows = max_rows
        # In order, so that the numbers of a block are looked up among them at once.
        self._seen: Numbers = np.zeros(0, np.int64)
        self._read = self._entries = self._duplicates = self._rejected = 0

    def __enter__(self) -> Self:
        """Start a fresh file of rejected rows; it exists only once there is one."""
        self._refused.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file of rejected rows."""
        self._refused.__exit__(kind, error, trace)

    def counts(self) -> ImportCounts:
        """Return the counts so far."""
        return ImportCounts(self._read, self._entries, self._duplicates, self._rejected, self._contacts.progress())

    def tables(self) -> Iterator[pa.Table]:
        """
        Yield entries in tables of at most `CHUNK_ROWS` rows with `CONTACT_SCHEMA`, in file order.

        Raises: InvalidFile: the file breaks off or holds too many rows.
        """
        for block in self._contacts.blocks:
            for start in range(0, block.num_rows, CHUNK_ROWS):
                yield self._take(block.slice(start, CHUNK_ROWS).combine_chunks())

    def _take(self, rows: pa.Table) -> pa.Table:
        """Return the entries of *rows*; the others are written down."""
        self._read += rows.num_rows
        if self._read > self._max_rows:
            raise InvalidFile(
                f"The file has more than {count_of(self._max_rows, 'row', 'rows')}.",
                hint="Split it into several lists.",
            )
        texts = rows[f"c{self._phone_index}"]
        numbers = self._numbers.read_table(pa.table({"text": texts}))
        faults = pc.if_else(pc.not_equal(numbers["fault"], ""), RowFault.INVALID_NUMBER.value, "")
        faults = pc.if_else(pc.equal(pc.utf8_trim_whitespace(texts), ""), RowFault.NO_NUMBER.value, faults)
        faults = pc.if_else(pc.equal(rows[FAULT], ""), faults, rows[FAULT])
        is_sound = pc.equal(faults, "").to_numpy()
        is_entry = is_sound.copy()
        is_entry[is_sound] = self._find_new(numbers["msisdn"].filter(pa.array(is_sound)))
        self._entries += int(np.count_nonzero(is_entry))
        self._reject(rows, faults, numbers["fault"], np.flatnonzero(~is_entry))
        kept = pa.array(is_entry)
        return self._as_entries(rows.filter(kept), numbers.filter(kept))

    def _find_new(self, msisdns: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """Return which of the numbers come for the first time; from now on they have come."""
        numbers = pc.utf8_slice_codeunits(msisdns, 1).cast(pa.int64()).to_numpy()
        own, first = np.unique(numbers, return_index=True)
        places = np.searchsorted(self._seen, own)
        is_known = places < len(self._seen)
        is_known[is_known] = self._seen[places[is_known]] == own[is_known]
        is_new = np.zeros(len(numbers), dtype=bool)
        is_new[first[~is_known]] = True
        self._seen = np.insert(self._seen, places[~is_known], own[~is_known])
        return is_new

    def _reject(self, rows: pa.Table, faults: pa.ChunkedArray, number_faults: pa.ChunkedArray, which: Numbers) -> None:
        cells = [f"c{index}" for index in range(len(self._contacts.columns))]
        refused = rows.take(which).to_pylist()
        for row, fault, number_fault in zip(
            refused, faults.take(which).to_pylist(), number_faults.take(which).to_pylist(), strict=True
        ):
            why = RowFault(fault or RowFault.DUPLICATE)
            detail = MSISDN_FAULTS[MsisdnFault(number_fault)][0] if why is RowFault.INVALID_NUMBER else row[DETAIL]
            if why is RowFault.DUPLICATE:
                self._duplicates += 1
            else:
                self._rejected += 1
            surplus = row[SURPLUS] or []
            self._refused.write(row[ROW_NO], detail or ROW_FAULTS[why], [*(row[name] for name in cells), *surplus])

    def _as_entries(self, rows: pa.Table, numbers: pa.Table) -> pa.Table:
        width = len(self._contacts.columns)
        columns = [rows[f"c{index}"] for index in range(width)]
        # Row by row what stands column by column.
        order = np.arange(width * rows.num_rows).reshape(width, rows.num_rows).T.ravel()
        cells = pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string()).take(order)
        offsets = np.arange(rows.num_rows + 1, dtype=np.int32) * width
        found = {
            "row_no": rows[ROW_NO],
            **{name: numbers[name] for name in ("msisdn", "country", "network", "mccmnc")},
            "fields": pa.ListArray.from_arrays(pa.array(offsets), cells.combine_chunks()),
        }
        return pa.table(found).cast(CONTACT_SCHEMA)
