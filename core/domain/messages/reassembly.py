"""
Long replies, put together again from the parts they came in.

A phone cuts a long text into messages of their own, which come in any order, repeated, or not at all. They are kept
until all are there or their time is over. What is kept has a bound: beyond it the oldest leave as they are.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeAlias, TypeVar

# Of what a part holds it is only asked whether it is the same as another's.
Content = TypeVar("Content")

# Parts follow each other within seconds; a phone that loses its network between two of them finds it again in minutes.
PATIENCE = timedelta(minutes=10)
MOST_PARTS = 10_000


@dataclass(frozen=True)
class Part(Generic[Content]):
    """
    One part of a long text.

    *reference* is the phone's own number of the text, soon used again; *number* counts from 1 to *total*. *token* is
    what the part is called where it came from, so that it can be acknowledged there.
    """

    source: str
    destination: str
    reference: int
    number: int
    total: int
    content: Content
    token: str


@dataclass(frozen=True)
class Joined(Generic[Content]):
    """
    What leaves: the parts of one text by their numbers, and those that came again.

    *is_whole* says whether all are there. Without *parts*, the text they belong to has left before.
    """

    parts: tuple[Part[Content], ...]
    repeats: tuple[Part[Content], ...]
    is_whole: bool


_Key: TypeAlias = tuple[str, str, int, int]


@dataclass
class _Text(Generic[Content]):
    begun_at: datetime
    parts: dict[int, Part[Content]] = field(default_factory=dict)
    repeats: list[Part[Content]] = field(default_factory=list)
    has_left: bool = False

    def __len__(self) -> int:
        return len(self.parts) + len(self.repeats)

    def leave(self) -> Joined[Content]:
        parts = tuple(self.parts[number] for number in sorted(self.parts))
        joined = Joined(parts, tuple(self.repeats), len(parts) == parts[0].total)
        # Its parts stay, to know them again when the SMSC sends one twice.
        self.repeats, self.has_left = [], True
        return joined


class Reassembler(Generic[Content]):
    """
    The parts that wait for others.

    A reference that is used for another text before the first is whole lets the first leave as it is. Not for several
    threads at once.
    """

    def __init__(self, patience: timedelta = PATIENCE, most_parts: int = MOST_PARTS) -> None:
        """
        Take how long the first part of a text waits at most, and how many parts are kept.

        Whoever keeps parts nowhere else, and acknowledges them when they leave, needs less patience than the SMSC has.
        """
        self._patience = patience
        self._most_parts = most_parts
        # By when they were begun.
        self._texts: OrderedDict[_Key, _Text[Content]] = OrderedDict()
        self._part_count = 0

    def __len__(self) -> int:
        """Return how many parts are kept, of texts that left as well."""
        return self._part_count

    def add(self, part: Part[Content], now: datetime) -> list[Joined[Content]]:
        """Take *part*; return what leaves because of it, oldest first, often nothing."""
        key = (part.source, part.destination, part.reference, part.total)
        text = self._texts.get(key)
        if text and part.number in text.parts and text.parts[part.number].content == part.content:
            if text.has_left:
                return [Joined((), (part,), is_whole=False)]
            text.repeats.append(part)
            self._part_count += 1
            return self._make_room()
        leaving = []
        if text and part.number in text.parts:
            leaving = self._remove(key)
            text = None
        if text is None:
            text = self._texts[key] = _Text(now)
        text.parts[part.number] = part
        self._part_count += 1
        if len(text.parts) == part.total:
            self._part_count -= len(text.repeats)
            leaving.append(text.leave())
        return leaving + self._make_room()

    def expire(self, now: datetime) -> list[Joined[Content]]:
        """Return the texts that waited too long, as they are, oldest first; forget those that left as long ago."""
        leaving = []
        for key, text in list(self._texts.items()):
            # After the clock was set back nothing waits for the old time.
            text.begun_at = min(text.begun_at, now)
            if now - text.begun_at >= self._patience:
                leaving += self._remove(key)
        return leaving

    def _make_room(self) -> list[Joined[Content]]:
        leaving = []
        while self._part_count > self._most_parts:
            leaving += self._remove(next(iter(self._texts)))
        return leaving

    def _remove(self, key: _Key) -> list[Joined[Content]]:
        text = self._texts.pop(key)
        self._part_count -= len(text)
        return [] if text.has_left else [text.leave()]
