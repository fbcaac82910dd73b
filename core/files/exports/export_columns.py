"""What the columns of an exported file hold, whatever the file's format."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Protocol, Self

import pyarrow as pa
import pyarrow.compute as pc


class Kind(Enum):
    """What a column's values are, and the Arrow type they come as."""

    TEXT = auto()  # string
    COUNT = auto()  # int64
    YEAR = auto()  # int64, without a sign between thousands
    CENTS = auto()  # decimal, EUR cents
    EUROS = auto()  # decimal, EUR
    RATE = auto()  # double, 0..1
    SECONDS = auto()  # double
    MOMENT = auto()  # timestamp with a zone: shown in it
    DAY = auto()  # date32
    MONTH = auto()  # date32, its first day
    FLAG = auto()  # bool


@dataclass(frozen=True)
class Column:
    """A column: its heading, its name in the table that is written, what it holds and how wide it is (characters)."""

    label: str
    source: str
    kind: Kind
    width: int = 14


@dataclass(frozen=True)
class Layout:
    """A file's columns, the name of its sheet, and what is to be known about it: pairs of name and text."""

    title: str
    columns: tuple[Column, ...]
    notes: tuple[tuple[str, str], ...]


class Writer(Protocol):
    """Writes a file table by table. Leaving the block completes it; an error leaves a file that is good for nothing."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def write(self, rows: pa.Table) -> None:
        """Append *rows*, which have the layout's sources among their columns. Raises: OSError: no room."""


def wall_clock(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return aware moments as clocks in their zone show them: timestamp[us] without a zone."""
    return pc.local_timestamp(moments.cast(pa.timestamp("us", tz=moments.type.tz)))


def chosen(rows: pa.Table, columns: Sequence[Column]) -> list[pa.ChunkedArray]:
    """Return the columns' values in order."""
    return [rows[column.source] for column in columns]
