"""Searching as people type, without capitals and accents. The stores do the same in SQL; tests compare them."""

import unicodedata
from collections.abc import Mapping

from core.domain.words.characters import normalize

# Letters that Unicode does not take apart, as people without them on their keyboard write them. A sigma at the end of a
# word is one to Python's small letters, and none to those of the stores.
STROKED: Mapping[str, str] = {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "\u0131": "i", "\u03c2": "\u03c3"}
LIGATURES: Mapping[str, str] = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
_LETTERS = str.maketrans({**STROKED, **LIGATURES})
_MARKS = ("Mn", "Me", "Mc")


def fold(text: str) -> str:
    """Return *text* in small letters and without accents: "Élise Ødegård" becomes "elise odegard"."""
    if text.isascii():
        return text.lower()
    parts = normalize("NFD", text.lower())
    bare = "".join(part for part in parts if unicodedata.category(part) not in _MARKS)
    # Syllables that are no letter with an accent, as those of Korean, are put together again.
    return normalize("NFC", bare).translate(_LETTERS)


def fold_in_sql(stripped: str) -> str:
    """Return the SQL of `fold`, given the SQL of its first step: small letters without the marks of accents."""
    sql = f"translate({stripped}, '{''.join(STROKED)}', '{''.join(STROKED.values())}')"
    for letter, letters in LIGATURES.items():
        sql = f"replace({sql}, '{letter}', '{letters}')"
    return sql
