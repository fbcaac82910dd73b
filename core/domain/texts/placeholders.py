"""
Placeholders: `{Name}` in a message stands for a value of each receiver's row.

Only a name that is defined for the campaign makes a placeholder; any other brace is text. Values are put in as they
are: a value that looks like a placeholder stays as it is.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from core.domain.words.characters import compose
from core.errors import InvalidInput

NAME_MAX = 30
# A cell of nothing but these is empty, and its placeholder's fallback stands for it.
BLANKS = " \t\n\r\f\v\u00a0\u2007\u202f\u200b\ufeff"

_NAME = re.compile(r"\w(?:[\w .-]*\w)?")


@dataclass(frozen=True)
class Literal:
    """Text that is the same for everybody; never empty."""

    text: str


@dataclass(frozen=True)
class Placeholder:
    """A place for the value of *name*."""

    name: str


Part: TypeAlias = Literal | Placeholder


def check_placeholder_name(name: str) -> None:
    """
    Raise `InvalidInput` unless *name* can stand between braces.

    A name has 1 to `NAME_MAX` characters: letters and digits of any script, `_`, and within it spaces, `.` and `-`.
    """
    if not name:
        raise InvalidInput("The placeholder has no name.", hint="Type a name, such as FirstName.", field="placeholders")
    if len(name) > NAME_MAX:
        raise InvalidInput(
            f"The placeholder name has {len(name)} characters.",
            hint=f"Use at most {NAME_MAX} characters.",
            field="placeholders",
        )
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot be the name of a placeholder.",
            hint="Use letters, digits and _, with spaces, dots and hyphens only between them.",
            field="placeholders",
        )


def parse_template(message: str, names: Collection[str]) -> tuple[Part, ...]:
    """
    Cut *message* at the placeholders among *names* (compared with case).

    Returns: Parts in order, literals never empty nor next to each other; () for an empty message.
    """
    if not names:
        return (Literal(message),) if message else ()
    # Splitting by a group yields text and name in turns, text first and last.
    pieces = re.split(rf"\{{({'|'.join(map(re.escape, names))})\}}", message)
    parts: list[Part] = []
    for index, piece in enumerate(pieces):
        if index % 2:
            parts.append(Placeholder(piece))
        elif piece:
            parts.append(Literal(piece))
    return tuple(parts)


def is_blank(text: str) -> bool:
    """Return whether nobody would see anything of *text*."""
    return all(character.isspace() or character in BLANKS for character in text)


def fill_cells(cells: Mapping[str, str], fallbacks: Mapping[str, str]) -> dict[str, str]:
    """Return what each placeholder holds: its cell, composed, or where that is empty its fallback ("" without one)."""
    return {name: compose(cell) if cell.strip(BLANKS) else fallbacks.get(name, "") for name, cell in cells.items()}


def list_stray_braces(message: str, names: Collection[str]) -> list[str]:
    """Return what stands in braces but is no placeholder of *names*, each once: it is sent as it is."""
    found = re.findall(r"\{[^{}]{1,40}\}", message)
    return [text for text in dict.fromkeys(found) if text[1:-1] not in names]


def list_doubled_braces(message: str, names: Collection[str]) -> list[tuple[str, str]]:
    """
    Return where a placeholder of *names* stands in more than its own braces, as `{{Name}}` does, each once.

    With each comes what is left around the value, such as `{…}`: those braces are sent.
    """
    if not names:
        return []
    found = re.findall(rf"(?<!\{{)(\{{*)\{{({'|'.join(map(re.escape, names))})\}}(\}}*)", message)
    doubled = [(f"{before}{{{name}}}{after}", f"{before}…{after}") for before, name, after in found if before or after]
    return list(dict.fromkeys(doubled))


def fold_name(name: str) -> str:
    """Return *name* as it is compared with those of columns: without case, blanks, `_` and `-`."""
    return re.sub(r"[\s_-]+", "", name).casefold()


def find_column(name: str, columns: Sequence[str]) -> str | None:
    """
    Return which of *columns* the placeholder *name* surely means, None when none does or several do.

    The one that is called so, else the only one that is but for case, else the only one that is but for case, blanks,
    `_` and `-`.
    """
    folds: tuple[Callable[[str], str], ...] = (str, str.casefold, fold_name)
    for fold in folds:
        same = [column for column in columns if fold(column) == fold(name)]
        if same:
            return same[0] if len(same) == 1 else None
    return None


def render(parts: Iterable[Part], values: Mapping[str, str]) -> str:
    """
    Return the text with each placeholder's value in its place.

    Raises: InvalidInput: a placeholder has no entry in *values* (an empty value is fine).
    """
    return "".join(part.text if isinstance(part, Literal) else _find_value(part.name, values) for part in parts)


def _find_value(name: str, values: Mapping[str, str]) -> str:
    if name not in values:
        raise InvalidInput(
            f"The placeholder {{{name}}} has no value.",
            hint="Map it to a column of the distribution list.",
            field="placeholders",
        )
    return values[name]
