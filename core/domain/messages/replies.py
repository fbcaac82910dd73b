"""
What a reply asks for: no more messages, messages again, or help.

The words are in `reply_words.csv`. A reply counts only if it is one of them and nothing else: "Please stop by tomorrow"
stops nothing. Nobody knows which language a person answers in, so all are read together, and some words are left out:

- those that are an everyday answer in another language: FINE (Italian for END), FIN (Scandinavian for "nice"), SEIS
  (Finnish for STOP, Spanish for "six"), DUR (Turkish for STOP, French for "hard");
- those that answer a question a message may ask: NO, JA, OUI, and single letters, which stand for choices. YES is the
  exception, because providers in the US take it for START. It does no harm: START only lifts what STOP has set.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

from core.domain.data_files import read_table
from core.domain.words.characters import normalize
from core.domain.words.folding import fold

WORDS = Path(__file__).with_name("reply_words.csv")
# Providers give times in whole seconds: a reply may seem to come before what it answers, by less than this.
ROUNDED = timedelta(seconds=1)
# No word comes near this, however its accents are written.
LONGEST = 100
# What nobody sees, but a keyboard or a program may put in: Unicode's Default_Ignorable_Code_Point. Besides, the stroke
# that stretches an Arabic word, and the character that stands for an object.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\u0640\ufffc]"
)
_SPACES = re.compile(r"\s+")
_GAPS = re.compile(r"[\s\-\u2010-\u2015]+")


class Keyword(StrEnum):
    """What a reply asks for."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    # Something else, for a person to read.
    NONE = "none"


def read_reply(text: str) -> Keyword:
    """
    Return what *text*, as it came, asks for.

    Capitals, accents, width and what cannot be seen make no difference, nor do a hyphen for a space and whatever is
    neither letter nor digit around the word: "Stop!", "arrêt" and "opt out" stop. "STOP PLEASE" is for a person.
    """
    bare = _SPACES.sub(" ", _trim(_UNSEEN.sub("", text)))
    # Whoever writes more writes to a person. What is short costs nothing, whatever it is made of.
    if not bare or len(bare) > LONGEST:
        return Keyword.NONE
    return _keywords().get(_key(bare), Keyword.NONE)


@cache
def _keywords() -> Mapping[str, Keyword]:
    return {_key(row["word"]): Keyword(row["keyword"]) for row in read_table(WORDS)}


def _key(text: str) -> str:
    plain = normalize("NFKC", text)
    folded = fold(plain) if _has_only_accents(plain) else plain.lower()
    return _trim(_GAPS.sub(" ", folded))


def _has_only_accents(text: str) -> bool:
    """
    Return whether the marks of *text* may be left out: accents, vowels of Arabic and Hebrew, strokes.

    Those of Indian scripts and of kana may not: they belong to the letter, and without them it is another word (Hindi
    "later" becomes "off"). Source: Unicode's canonical combining classes.
    """
    classes = {unicodedata.combining(part) for part in normalize("NFD", text) if _is_mark(part)}
    return all(number == 1 or 10 <= number <= 36 or number >= 200 for number in classes)


def _trim(text: str) -> str:
    """Return *text* from its first letter or digit to its last, with the marks on that one."""
    start = next((at for at, part in enumerate(text) if _is_letter(part)), len(text))
    end = next((at for at in range(len(text), start, -1) if _is_letter(text[at - 1]) or _is_mark(text[at - 1])), start)
    return text[start:end]


def _is_letter(character: str) -> bool:
    # A letter in a circle is a symbol, and a letter all the same.
    return character.isalnum() or (
        not character.isascii() and any(part.isalnum() for part in normalize("NFKC", character))
    )


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
