"""Distribution lists: a file of contacts, on its way to being usable."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PHONE_COLUMN = "PhoneNumber"
MAX_COLUMNS = 64


class ListStatus(StrEnum):
    """The guide's three words, read as states of the import."""

    IN_PROGRESS = "In Progress"
    READY = "Ready"
    FAULTED = "Faulted"


class HiddenRows(StrEnum):
    """What becomes of rows that a workbook hides, by a filter or by hand. Who uploads it says so; nobody guesses."""

    ASK = "ask"
    LEAVE_OUT = "leave_out"
    IMPORT = "import"


class RowFault(StrEnum):
    """Why a row of the file is not an entry of the list."""

    NO_NUMBER = "no_number"
    INVALID_NUMBER = "invalid_number"
    DUPLICATE = "duplicate"
    FORMULA = "formula"
    TOO_MANY_CELLS = "too_many_cells"
    CONTROL = "control"
    HIDDEN = "hidden"


ROW_FAULTS: dict[RowFault, str] = {
    RowFault.NO_NUMBER: "The PhoneNumber cell is empty.",
    RowFault.INVALID_NUMBER: "Not a subscriber number.",
    RowFault.DUPLICATE: "The number is already in an earlier row.",
    RowFault.FORMULA: "A cell holds a formula; paste its value instead.",
    RowFault.TOO_MANY_CELLS: "The row has more cells than the header.",
    RowFault.CONTROL: "A cell holds a control character, which no message can contain.",
    RowFault.HIDDEN: "The row is hidden in the workbook, and hidden rows were to be left out.",
}


def is_phone_column(name: str) -> bool:
    """Tell whether *name* is PhoneNumber; capitals, spaces and underscores do not matter."""
    return "".join(name.split()).replace("_", "").casefold() == PHONE_COLUMN.casefold()


@dataclass(frozen=True)
class DistributionList:
    """
    A list as people see it.

    *columns* are the file's headers in file order, PhoneNumber included. Read rows =
    *entry_count* + *duplicate_count* + *rejected_count* once the list is Ready.
    *progress* is 0..1. *fault* and *hint* say what is wrong with a Faulted list, else "". *hidden_rows* says what
    becomes of the rows its workbook hides.
    """

    list_id: str
    account_id: str
    name: str
    status: ListStatus
    file_name: str
    columns: tuple[str, ...]
    read_count: int
    entry_count: int
    duplicate_count: int
    rejected_count: int
    progress: float
    fault: str
    hint: str
    created_at: datetime
    created_by: str
    hidden_rows: HiddenRows = HiddenRows.ASK
