r"""
Patterns of digits, as phonenumbers' metadata has them, and the ranges of whole numbers that match.

Read are digits, \d, classes of digits, groups, alternatives, `?`, `{n}` and `{n,m}`, all of them greedy, and `$`. There
is no other way to say something about digits in the metadata; whatever else turns up there some day is refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, reduce
from itertools import chain

from core.domain.numbering.digit_ranges import NOTHING, Ranges, everything, join, put_before

# What matches, by length.
Language = Mapping[int, Ranges]

_SYMBOL = re.compile(r"\\d|\[[0-9-]+\]|[0-9]|\(\?:|\(|\)|\||\?|\{[0-9]+(?:,[0-9]+)?\}|\$")
_QUANTIFIER = re.compile(r"\?|\{([0-9]+)(?:,([0-9]+))?\}")
_CLASS_PART = re.compile("([0-9])(?:-([0-9]))?")


class UnknownPatternError(ValueError):
    """A pattern says something that this module does not know."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit out of *choice*, which is in order."""

    choice: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class End:
    """The end of the text."""


@dataclass(frozen=True, slots=True)
class Row:
    """One after the other."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """The first of several that fits."""

    options: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same several times, as often as it fits."""

    item: "Node"
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Group:
    """What a capturing group holds; the first is number 1."""

    number: int
    item: "Node"


Node = Digit | End | Row | Either | Repeat | Group


@dataclass(frozen=True, slots=True)
class Path:
    """One way through a pattern: the digits to choose from, whether the text ends there, and the groups passed."""

    digits: tuple[tuple[int, ...], ...] = ()
    is_end: bool = False
    groups: frozenset[int] = frozenset()

    def before(self, rest: Ranges, length: int) -> Ranges:
        """Return the strings of this path's digits and then one of *rest*, whose strings have *length* digits."""
        for further, choice in enumerate(reversed(self.digits)):
            rest = put_before(choice, rest, length + further)
        return rest

    def starting(self, length: int) -> Ranges:
        """Return the strings of *length* digits that begin along this path."""
        further = length - len(self.digits)
        if further < 0 or (self.is_end and further):
            return NOTHING
        return self.before(everything(further), further)


@cache
def parse_pattern(pattern: str) -> Node:
    """Return what *pattern* says. Raises: UnknownPatternError."""
    return _Parser(pattern).parse()


@cache
def matching(pattern: str) -> Language:
    """Return the strings that match *pattern* from end to end. Raises: UnknownPatternError."""
    return _before(parse_pattern(pattern), {0: everything(0)})


@cache
def paths_of(pattern: str) -> tuple[Path, ...]:
    """
    Return the ways through *pattern* in the order in which they are tried.

    `re.match` takes the first that fits, whatever follows. Raises: UnknownPatternError.
    """
    return tuple(_paths(parse_pattern(pattern), Path()))


def _before(node: Node, rest: Language) -> Language:
    """Return what matches *node* and is followed by *rest*."""
    match node:
        case Digit(choice):
            return {length + 1: put_before(choice, ranges, length) for length, ranges in rest.items()}
        case End():
            return {0: rest[0]} if 0 in rest else {}
        case Row(items):
            return reduce(lambda found, item: _before(item, found), reversed(items), rest)
        case Either(options):
            return _union(*(_before(option, rest) for option in options))
        case Repeat(item, least, most):
            for _ in range(most - least):
                rest = _union(rest, _before(item, rest))
            for _ in range(least):
                rest = _before(item, rest)
            return rest
        case Group(_, item):
            return _before(item, rest)


def _union(*languages: Language) -> Language:
    lengths = set(chain(*languages))
    return {length: join(*(language.get(length, NOTHING) for language in languages)) for length in lengths}


def _paths(node: Node, path: Path) -> Iterator[Path]:
    """Yield the ways to go on from *path* through *node*."""
    match node:
        case End():
            yield replace(path, is_end=True)
        case Digit(choice) if not path.is_end:
            yield replace(path, digits=(*path.digits, choice))
        case Row(items):
            yield from _along(items, path)
        case Either(options):
            yield from chain.from_iterable(_paths(option, path) for option in options)
        case Repeat(item, least, most):
            yield from chain.from_iterable(_along((item,) * times, path) for times in range(most, least - 1, -1))
        case Group(number, item):
            yield from (replace(found, groups=found.groups | {number}) for found in _paths(item, path))


def _along(items: tuple[Node, ...], path: Path) -> Iterator[Path]:
    if not items:
        yield path
        return
    for found in _paths(items[0], path):
        yield from _along(items[1:], found)


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._symbols: list[str] = []
        position = 0
        while position < len(pattern):
            symbol = _SYMBOL.match(pattern, position)
            if symbol is None:
                raise self._unknown(position)
            self._symbols.append(symbol[0])
            position = symbol.end()
        self._at = 0
        self._groups = 0

    def parse(self) -> Node:
        node = self._either()
        if self._at < len(self._symbols):
            raise self._unknown(self._at)
        return node

    def _either(self) -> Node:
        options = [self._row()]
        while self._next() == "|":
            self._at += 1
            options.append(self._row())
        return Either(tuple(options)) if len(options) > 1 else options[0]

    def _row(self) -> Node:
        items = []
        while self._next() not in ("", "|", ")"):
            items.append(self._repeated(self._item()))
        return Row(tuple(items))

    def _item(self) -> Node:
        symbol = self._take()
        if symbol.startswith("("):
            number = self._groups = self._groups + (symbol == "(")
            item = self._either()
            if self._take() != ")":
                raise self._unknown(self._at)
            return item if symbol == "(?:" else Group(number, item)
        if symbol == "$":
            return End()
        if symbol.isdecimal():
            return Digit((int(symbol),))
        if symbol == r"\d":
            return Digit(tuple(range(10)))
        if symbol.startswith("["):
            return Digit(self._choice(symbol[1:-1]))
        raise self._unknown(self._at)

    def _repeated(self, item: Node) -> Node:
        times = _QUANTIFIER.fullmatch(self._next())
        if times is None:
            return item
        self._at += 1
        if _QUANTIFIER.fullmatch(self._next()):
            # Not as often as it fits, but as seldom.
            raise self._unknown(self._at)
        least = int(times[1] or 0)
        most = int(times[2] or times[1] or 1)
        if most < least or isinstance(item, End):
            raise self._unknown(self._at)
        return Repeat(item, least, most)

    def _choice(self, text: str) -> tuple[int, ...]:
        parts = [part.groups() for part in _CLASS_PART.finditer(text)]
        if "".join(first + (f"-{last}" if last else "") for first, last in parts) != text:
            raise self._unknown(self._at)
        digits = {digit for first, last in parts for digit in range(int(first), int(last or first) + 1)}
        return tuple(sorted(digits))

    def _next(self) -> str:
        return self._symbols[self._at] if self._at < len(self._symbols) else ""

    def _take(self) -> str:
        symbol = self._next()
        self._at += 1
        return symbol

    def _unknown(self, position: int) -> UnknownPatternError:
        return UnknownPatternError(f"{self._pattern!r} cannot be read at {position}")
