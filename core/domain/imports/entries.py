"""Looking for entries of a distribution list: what a person types, and the order of what is found."""

import re
from dataclasses import dataclass
from enum import StrEnum

from core.domain.numbering import country_name, list_countries
from core.domain.words.characters import compose

# Nobody looks for more, and each character is compared with every cell.
MAX_SEARCH_CHARACTERS = 100
_NUMBER = re.compile(r"[+\d\s().\-/]*\d[+\d\s().\-/]*")


class EntryOrder(StrEnum):
    """What entries are in the order of, besides the columns of the file."""

    ROW = "row_no"
    NUMBER = "msisdn"
    COUNTRY = "country"
    NETWORK = "network"
    MCCMNC = "mccmnc"


@dataclass(frozen=True)
class EntryQuery:
    """
    Which entries: those with *search* in any cell, "" for all; in the order of *sort*, entries alike in the file's.

    *sort* is an order, or the 0-based column of the file whose cells are compared without case.
    """

    search: str = ""
    sort: EntryOrder | int = EntryOrder.ROW
    descending: bool = False

    @property
    def term(self) -> str:
        """The search as it is compared with cells: without case, letters composed."""
        return compose(self.search.strip()[:MAX_SEARCH_CHARACTERS]).lower()

    @property
    def digits(self) -> str:
        """The digits looked for in numbers, however they are grouped; "" where the search is no part of a number."""
        if not _NUMBER.fullmatch(self.term):
            return ""
        return re.sub("[^0-9]", "", self.term).removeprefix("00")

    @property
    def countries(self) -> tuple[str, ...]:
        """The codes of the countries whose names have the search in them: people see names."""
        if not self.term:
            return ()
        return tuple(code for code in list_countries() if self.term in country_name(code).lower())


# In the order of the file.
ALL_ENTRIES = EntryQuery()
