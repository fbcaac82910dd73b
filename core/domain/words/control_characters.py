"""
Characters that stand for no character: controls, and halves of a surrogate pair.

Nobody sees them, no message needs them, and what reads a text after us may end it there: DuckLake 1.5.5 cuts a text
at a NUL, and takes what follows for SQL. A line break, a tab and the page break of the GSM alphabet are controls
too, but people write them: they stay in what is prose (a message, a cell), and in nothing that is looked for.
"""

import re

from core.domain.words.characters import name_character
from core.errors import InvalidInput

# What prose may hold of them.
BREAKS = "\t\n\f\r"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Half a surrogate pair is no character by itself, and cannot be stored.
_ANY = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Those that prose may not hold, as a set of a regular expression.
CONTROLS = "\x00-\x08\x0b\x0e-\x1f\x7f-\x9f"
_NOT_IN_PROSE = re.compile(f"[{CONTROLS}\ud800-\udfff]")


class Prose(str):
    """A text that may hold `BREAKS`: what somebody wrote and is sent or kept, never what is looked for."""

    __slots__ = ()


def find_control(text: str, *, is_prose: bool = False) -> re.Match[str] | None:
    """Return the first control character or half of a pair, None when there is none."""
    # What is printable holds none, and to know that takes a fraction of a search.
    if text.isprintable():
        return None
    return (_NOT_IN_PROSE if is_prose else _ANY).search(text)


def refuse_controls(text: str, what: str, *, is_prose: bool = False, field: str = "") -> None:
    """Let *text* pass. Raises: InvalidInput: it holds one; the sentence names *what*, the character and its place."""
    if found := find_control(text, is_prose=is_prose):
        raise InvalidInput(
            f"{what} has a character that cannot be used: {name_character(found[0])} at position {found.start() + 1}.",
            hint="Remove it: it is invisible, and often comes along with copied text.",
            field=field,
        )


def as_told(text: str) -> str:
    """Return why something failed, as it is kept: a reason may quote a file or a provider."""
    return replace_controls(text, is_prose=True)


def replace_controls(text: str, *, is_prose: bool = False) -> str:
    """Return *text* with a replacement character for each: for what others said, and is kept all the same."""
    if text.isprintable():
        return text
    return (_NOT_IN_PROSE if is_prose else _ANY).sub(_REPLACEMENT, text)
