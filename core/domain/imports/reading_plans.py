"""How a file of contacts is read: what was found in it, or what a person has chosen instead."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from core.domain.imports.lists import HiddenRows
from core.errors import InvalidInput


class TextEncoding(StrEnum):
    """How the characters of a text file are written."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    WINDOWS = "windows-1252"


@dataclass(frozen=True)
class ReadingPlan:
    """
    How to read a file of contacts.

    *phone_column* is the 0-based column the numbers are in; *default_country* (ISO 3166-1 alpha-2) is the one of
    numbers without a calling code, "" where there are none. *sheet* is a workbook's, *encoding* and *delimiter* a text
    file's. Without *has_header* the first row is a contact. *left_out_types* are the line types that are not wanted.
    """

    phone_column: int
    default_country: str = ""
    sheet: str = ""
    encoding: TextEncoding = TextEncoding.UTF8
    delimiter: str = ","
    has_header: bool = True
    hidden_rows: HiddenRows = HiddenRows.ASK
    left_out_types: tuple[str, ...] = ()

    def dump(self) -> str:
        """Return the plan as text for `load`."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def load(cls, text: str) -> "ReadingPlan":
        """Return the plan that `dump` wrote."""
        found = json.loads(text)
        return cls(
            **found
            | {
                "encoding": TextEncoding(found["encoding"]),
                "hidden_rows": HiddenRows(found["hidden_rows"]),
                "left_out_types": tuple(found["left_out_types"]),
            }
        )

    def check(self, column_count: int) -> None:
        """Let the plan pass for a file of so many columns. Raises: InvalidInput: the phone column is none of them."""
        if not 0 <= self.phone_column < column_count:
            raise InvalidInput(
                "No column is chosen for the phone numbers.", hint="Choose the one they are in.", field="phone_column"
            )
