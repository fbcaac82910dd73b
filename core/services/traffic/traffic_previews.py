"""What a person sees of a CDR file before it is imported, and in which words rows are explained."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from core.domain.imports.cdr import ROW_FAULTS, RowFault
from core.domain.imports.cdr_remarks import CELL_FAULTS, CellFault
from core.domain.numbering import country_name
from core.domain.numbering.msisdn import mask_msisdn
from core.files.imports.cdr import ROW_NO
from core.files.imports.cdr_sample import CdrSample
from core.history.messages.cdr_blocks import BlockFaults
from core.history.messages.outside_traffic import Beginning

_SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class TrafficPreview:
    """
    The beginning of a file as it would be understood.

    *table* has Row, Sent Date (timestamp[us, tz=UTC]), Receiver, Sender, Country, Network, MCCMNC, Delivery Status,
    Delivery Date, Error Code, Price [EUR c], Segments, Unicode and Message ID. *refused* has row numbers and reasons,
    *remarks* how many rows would be kept without a cell. *unknown_words* are statuses nobody said the meaning of.
    *currencies* are those of prices other than EUR, *unrated* those of them without a rate: nothing is imported then.
    *doubtful_ids* stand for different moments, and are no ids. All are of the first *row_count* rows.
    """

    table: pa.Table
    refused: tuple[tuple[int, str], ...]
    remarks: Mapping[CellFault, int]
    unknown_words: tuple[str, ...]
    currencies: tuple[str, ...]
    unrated: tuple[str, ...]
    doubtful_ids: tuple[str, ...]
    row_count: int


def preview_of(beginning: Beginning, sample: CdrSample, *, masked: bool) -> TrafficPreview:
    """Return *beginning*, which is how *sample* is understood, for a person; numbers *masked* for who may not see."""
    rejected, kept = beginning.faults.rejected, beginning.faults.kept
    faults = zip(rejected["fault"].to_pylist(), rejected["cell"].to_pylist(), strict=True)
    rejected_nos = set(rejected[ROW_NO].to_pylist())
    refused = {row_no: reason for row_no, reason in explain_rows(beginning.faults).items() if row_no in rejected_nos}
    for cells, row_nos in sample.bad_rows.items():
        refused |= dict.fromkeys(row_nos, explain_cells(cells))
    return TrafficPreview(
        table=_readable_rows(beginning.table, beginning.doubtful_ids, masked=masked),
        refused=tuple(sorted(refused.items())),
        remarks=Counter(map(CellFault, kept["fault"].to_pylist())),
        unknown_words=tuple(dict.fromkeys(cell for fault, cell in faults if fault == RowFault.STATUS)),
        currencies=beginning.currencies,
        unrated=beginning.unrated,
        doubtful_ids=beginning.doubtful_ids,
        row_count=(sample.block.num_rows if sample.block is not None else 0) + sum(map(len, sample.bad_rows.values())),
    )


def explain_cells(cells: str) -> str:
    """Return what is wrong with a row that has so many *cells* (`BadRow`)."""
    return ROW_FAULTS[RowFault.CELLS].format(cell=cells)


def explain_rows(faults: BlockFaults) -> dict[int, str]:
    """Return what is wrong with each row that has anything, in file order; rows that are messages begin with Kept."""
    found = _sentences(faults.rejected, ROW_FAULTS)
    found.update((row_no, f"Kept: {reason}") for row_no, reason in _sentences(faults.kept, CELL_FAULTS).items())
    return dict(sorted(found.items()))


def _sentences(found: pa.Table, sentences: Mapping[Any, str]) -> dict[int, str]:
    """Return all that was *found* about a row, by its number."""
    reasons: dict[int, str] = {}
    for row_no, fault, cell in zip(*(found[name].to_pylist() for name in (ROW_NO, "fault", "cell")), strict=True):
        shown = cell if len(cell) <= _SHOWN_CHARACTERS else f"{cell[:_SHOWN_CHARACTERS]}…"
        sentence = sentences[fault].format(cell=f"“{shown}”")
        reasons[row_no] = f"{reasons[row_no]} {sentence}" if row_no in reasons else sentence
    return reasons


def _readable_rows(understood: pa.Table, doubtful_ids: Collection[str], *, masked: bool) -> pa.Table:
    """Return rows of a file as a person reads them; *doubtful_ids* are left out, for they are none."""
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
            "Message ID": pa.array(
                ["" if each in doubtful_ids else each for each in understood["gateway_message_id"].to_pylist()],
                pa.string(),
            ),
        }
    )
