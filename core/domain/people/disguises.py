"""What others know of a person, found again in a password however it is written."""

import re
import unicodedata
from collections.abc import Collection

from core.domain.words.characters import normalize

# What is left of a password besides the person's own words and common ones: letters that nobody has to guess.
_FEW = 3
# Shorter pieces of a name are in every other word.
_SHORTEST = 3
# One letter stands for all that look like it. "1" is read as i and as l, so these two are one letter as well.
_LOOK_ALIKES = str.maketrans("@4310!|$57+869", "aaelollssttbbg")
_ONE_LETTER = str.maketrans("i", "l")
# Letters that no decomposition turns into A to Z, as people write them where a keyboard lacks them.
_SPELLED = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa"})


def words_about(*texts: str) -> frozenset[str]:
    """Return the words of names and emails, each also run together with its neighbors, forwards and backwards."""
    found = set()
    for text in texts:
        for spelled in _spellings(text):
            # Of an email, what stands before the @ is a name of its own.
            for whole in (spelled, spelled.partition("@")[0]):
                pieces = re.findall(r"[^\W_]+", whole)
                found |= {*pieces, "".join(pieces)}
    letters = {form for word in found for form in (_letters(word), _letters(word.translate(_LOOK_ALIKES)))}
    long = {word.translate(_ONE_LETTER) for word in letters if len(word) >= _SHORTEST}
    return frozenset(long | {word[::-1] for word in long})


def is_about(password: str, about: Collection[str], common: Collection[str]) -> bool:
    """Return whether next to nothing is left of *password* without the words *about* the person and *common* ones."""
    most_first = sorted(about, key=len, reverse=True)
    plain = {word.translate(_ONE_LETTER) for word in common}
    return any(_is_left_with_few(core, most_first, plain) for core in _cores(password))


def _is_left_with_few(core: str, about: Collection[str], common: Collection[str]) -> bool:
    left = core
    for word in about:
        left = left.replace(word, " ")
    return left != core and sum(len(piece) for piece in left.split() if piece not in common) <= _FEW


def _cores(password: str) -> set[str]:
    """Return the letters of *password*: as they stand, and with look-alikes read as letters, at its ends too or not."""
    found = set()
    for text in _spellings(password):
        ends = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)
        found |= {_letters(text), _letters(text.translate(_LOOK_ALIKES)), _letters(ends.translate(_LOOK_ALIKES))}
    return {core.translate(_ONE_LETTER) for core in found}


def _spellings(text: str) -> set[str]:
    """Return *text* without case and accents: Müller as muller and as mueller."""
    folded = normalize("NFKC", text).casefold()
    return {_unaccented(folded), _unaccented(folded.translate(_UMLAUTS))}


def _unaccented(text: str) -> str:
    decomposed = normalize("NFKD", text.translate(_SPELLED))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalpha())
