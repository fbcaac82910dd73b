"""
Which column of a file holds the phone numbers, proposed from what it is called and from what stands in it.

Both may mislead: a column "Number" counts houses, and one without a name holds nothing but mobiles. So both count, and
a person sees the proposal before anything is imported.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.domain.data_files import read_table
from core.domain.imports.lists import is_phone_column
from core.domain.numbering import get_destination
from core.domain.numbering.msisdn import parse_msisdn
from core.domain.words.characters import normalize
from core.errors import InvalidMsisdn

_RANKS = {"mobile": 2, "phone": 1, "other": -1}
_HERE = Path(__file__).parent
# Shares of a column's cells: how far what is called so, or looks so, outweighs the other.
_WEIGHTS = {3: 1.5, 2: 1.2, 1: 1.0, 0: 0.0}
_NATIONAL = re.compile(r"\(?0[\d\s()./-]{6,17}\d")
_NATIONAL_SHARE = 0.7


@dataclass(frozen=True)
class PhoneColumn:
    """
    A column, judged.

    *score* is 0 for one that has nothing of phone numbers about it. *valid_share* and *national_share* are the shares
    (0..1) of its cells that are whole numbers, or numbers without a calling code. *country* is that of most numbers.
    """

    score: float
    valid_share: float
    national_share: float
    country: str


def fold(name: str) -> str:
    """Return the name of a column as it is compared: no capitals, accents, blanks or signs."""
    # The only letter of these languages that has its stroke in one piece with it.
    parts = normalize("NFKD", name.casefold().replace("đ", "d"))
    return "".join(part for part in parts if part.isalnum())


@cache
def _words() -> dict[str, int]:
    """Return words that people head columns with, folded: 2 for mobiles, to which texts go, 1 for phones, -1 others."""
    ranks: dict[str, int] = {}
    for row in read_table(_HERE / "phone_columns.csv"):
        for word in map(fold, row["words"].split()):
            ranks[word] = max(ranks.get(word, -1), _RANKS[row["means"]])
    return ranks


def header_key(columns: Sequence[str]) -> str:
    """Return what files with the same header have in common."""
    return hashlib.sha256("\0".join(map(fold, columns)).encode()).hexdigest()[:32]


def rank_name(name: str) -> int:
    """Return how much *name* says that phone numbers stand below it: 3 the guide's own, 2 mobiles, 1 phones, 0."""
    if is_phone_column(name):
        return 3
    whole = fold(name)
    words = {whole, whole.rstrip("0123456789"), *map(fold, re.split(r"[\W_\d]+", name))}
    found = [_words()[word] for word in words if word in _words()]
    return max(0, *found) if found and min(found) >= 0 else 0


def judge_column(name: str, cells: Sequence[str]) -> PhoneColumn:
    """Return what *name* and a sample of *cells* say of a column; empty cells say nothing."""
    filled = [cell for cell in cells if cell.strip()]
    valid = national = 0
    countries: Counter[str] = Counter()
    for cell in filled:
        try:
            countries[get_destination(parse_msisdn(cell)).country] += 1
            valid += 1
        except InvalidMsisdn:
            national += _NATIONAL.fullmatch(cell.strip()) is not None
    count = len(filled) or 1
    share, missing = valid / count, national / count
    country = countries.most_common(1)[0][0] if countries else ""
    score = _WEIGHTS[rank_name(name)] + 2 * (share + _NATIONAL_SHARE * missing)
    return PhoneColumn(score, share, missing, country)


def choose_column(columns: Sequence[PhoneColumn]) -> int:
    """Return the 0-based column that probably holds the numbers, the first of equals; -1 when none looks like it."""
    best = max(range(len(columns)), key=lambda index: columns[index].score, default=-1)
    return best if best >= 0 and columns[best].score >= 1 else -1
