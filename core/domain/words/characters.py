"""What characters are called that nobody sees, so that they can be spoken of; and letters in one piece."""

import unicodedata
from collections.abc import Iterable

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


def compose(text: str) -> str:
    """
    Return *text* with each letter and its accent in one piece.

    As two characters, which some keyboards and programs write, they look the same and are the same, but fit no GSM
    alphabet: one of them makes a whole message Unicode.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


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
