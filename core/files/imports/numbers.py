"""Whether a row of a contact list has a number that can be used, or why not."""

from core.domain.imports.lists import RowFault
from core.domain.numbering.faults import MSISDN_FAULTS, MsisdnFault
from core.domain.numbering.read_numbers import ReadNumber
from core.domain.words.characters import name_character
from core.domain.words.control_characters import find_control
from core.files.imports.reading import SheetRow


class RowRefused(Exception):
    """A row that is not taken: *fault*, and maybe a *detail*, one sentence."""

    def __init__(self, fault: RowFault, detail: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.detail = detail


def check_row(row: SheetRow, phone_index: int, number: ReadNumber) -> None:
    """Let a row pass whose cell *phone_index* was read as *number*. Raises: RowRefused."""
    if row.fault is not None:
        raise RowRefused(row.fault, row.detail)
    for cell in row.cells:
        if found := find_control(cell, is_prose=True):
            detail = f"A cell holds a control character: {name_character(found[0])}."
            raise RowRefused(RowFault.CONTROL, detail)
    if not row.cells[phone_index].strip():
        raise RowRefused(RowFault.NO_NUMBER)
    if number.fault:
        message, _ = MSISDN_FAULTS[MsisdnFault(number.fault)]
        raise RowRefused(RowFault.INVALID_NUMBER, message)
