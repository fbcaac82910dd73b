"""What characters are called that nobody sees, so that they can be spoken of; and letters in one piece."""

import unicodedata
from collections.abc import Iterable
from typing import Literal

NormalForm = Literal["NFC", "NFD", "NFKC", "NFKD"]

# As people know them from word processors; the others are called as Unicode calls them.
NAMES = {
    "\t": "tab",
    "\n": "line break",
    "\r": "carriage return",
    " ": "space",
    "\u00a0": "no-break space",
    "\u00ad": "soft hyphen",
    "\u034f": "combining grapheme joiner",
    "\u061c": "Arabic letter mark",
    "\u115f": "Hangul filler",
    "\u1160": "Hangul filler",
    "\u180e": "Mongolian vowel separator",
    "\u2007": "figure space",
    "\u2009": "thin space",
    "\u200a": "hair space",
    "\u200b": "zero-width space",
    "\u200c": "zero-width non-joiner",
    "\u200d": "zero-width joiner",
    "\u200e": "left-to-right mark",
    "\u200f": "right-to-left mark",
    "\u2028": "line separator",
    "\u2029": "paragraph separator",
    "\u202a": "left-to-right embedding",
    "\u202b": "right-to-left embedding",
    "\u202c": "end of embedding",
    "\u202d": "left-to-right override",
    "\u202e": "right-to-left override",
    "\u202f": "narrow no-break space",
    "\u2060": "word joiner",
    "\u2800": "Braille blank",
    "\u3000": "ideographic space",
    "\u3164": "Hangul filler",
    "\ufe0e": "text variation selector",
    "\ufe0f": "emoji variation selector",
    "\ufeff": "byte order mark",
    "\uffa0": "Hangul filler",
    "\ufffc": "object replacement character",
}
# Controls, formats, surrogates, private use and unassigned; all separators; marks that have no letter to sit on.
_UNSEEN = ("C", "Z", "M")


# Of a text no longer than this, however it was made, any form is found in milliseconds.
_SHORT = 2_000
# No language has more marks on one letter; the Unicode Standard (UAX #15) parts them by this, which nobody sees.
_MOST_MARKS, _PARTS = 30, "\u034f"


def normalize(form: NormalForm, text: str) -> str:
    """
    Return *text* in the form, as `unicodedata.normalize`, in time by its length.

    That one puts the marks of a letter in order by comparing each with the others, and lets no other thread run
    meanwhile: 64 KB of marks on one letter, which a form may have, took seconds.
    """
    return unicodedata.normalize(form, text if len(text) <= _SHORT else _with_few_marks(text))


def _with_few_marks(text: str) -> str:
    pieces, marks = [], 0
    for character in text:
        is_mark = not character.isascii() and unicodedata.combining(unicodedata.normalize("NFKD", character)[0])
        marks = marks + 1 if is_mark else 0
        if marks > _MOST_MARKS:
            pieces.append(_PARTS)
            marks = 1
        pieces.append(character)
    return "".join(pieces)


def compose(text: str) -> str:
    """
    Return *text* with each letter and its accent in one piece.

    As two characters, which some keyboards and programs write, they look the same and are the same, but fit no GSM
    alphabet: one of them makes a whole message Unicode.
    """
    return text if text.isascii() else normalize("NFC", text)


def name_character(character: str) -> str:
    """Return the *character* itself where it can be seen, else what it is called."""
    if character in NAMES:
        return NAMES[character]
    if not unicodedata.category(character).startswith(_UNSEEN):
        return character
    name = unicodedata.name(character, "")
    code = f"U+{ord(character):04X}"
    return f"{name.lower()} ({code})" if name else code


def name_characters(characters: Iterable[str]) -> str:
    """Return the *characters*: those that can be seen as they are, then the others by name."""
    named = [(character, name_character(character)) for character in characters]
    seen = " ".join(character for character, name in named if name == character)
    unseen = list(dict.fromkeys(name for character, name in named if name != character))
    return ", ".join(filter(None, [seen, *unseen]))
