"""Numbers by the million: as whole numbers in arrays, packed for a column, and as a table within a statement."""

import zlib
from collections.abc import Iterable
from typing import cast as as_type

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, BigInteger, Subquery, cast, func, select
from sqlalchemy.orm import Session

# Digits of an E.164 number in ascending order, each once.
Numbers = NDArray[np.int64]


def to_number(msisdn: str) -> int:
    """Return "+491796548754" as 491796548754."""
    return int(msisdn.removeprefix("+"))


def to_msisdn(number: int) -> str:
    """Return 491796548754 as "+491796548754"."""
    return f"+{number}"


def to_numbers(msisdns: Iterable[str]) -> Numbers:
    """Return all of them, each once, in ascending order."""
    return arrange(np.fromiter(map(to_number, msisdns), np.int64))


def arrange(*numbers: NDArray[np.int64]) -> Numbers:
    """Return all of them in ascending order, each once."""
    # numpy's own unique() puts them into a table first, which takes ten times as long.
    found = np.sort(np.concatenate([np.empty(0, np.int64), *numbers]), kind="stable")
    return found[np.diff(found, prepend=np.int64(-1)) > 0]


def pack(numbers: Numbers) -> bytes:
    """Return *numbers* as `unpack` reads them: about two bytes each where they lie close together."""
    steps = np.diff(numbers, prepend=np.int64(0)).astype("<i8")
    # All lowest bytes, then all second ones: the higher are nearly always 0.
    planes = np.ascontiguousarray(steps.view(np.uint8).reshape(-1, 8).T)
    return zlib.compress(planes.tobytes(), 1)


def unpack(packed: bytes) -> Numbers:
    """Return the numbers that `pack` was given."""
    found = zlib.decompress(packed)
    planes = np.frombuffer(found, np.uint8).reshape(8, len(found) // 8)
    steps = np.ascontiguousarray(planes.T).reshape(-1).view("<i8")
    return np.cumsum(steps, dtype=np.int64)


def table_of(session: Session, numbers: Numbers) -> Subquery:
    """Return *numbers* as a table of one column, `number`: one value is bound, however many they are."""
    text = ",".join(map(str, numbers.tolist()))
    if session.get_bind().dialect.name == "postgresql":
        # Without any, the text is one that is no number.
        listed = func.string_to_array(func.nullif(text, ""), ",")
        given = func.unnest(cast(listed, ARRAY(BigInteger))).column_valued("given")
        return select(given.label("number")).subquery("given_numbers")
    each = func.json_each(f"[{text}]").table_valued("value", name="given")
    return select(cast(each.c.value, BigInteger).label("number")).subquery("given_numbers")


def parse_list(text: str) -> Numbers:
    """Return the numbers in a text that a database has put together, with commas between them, in any order."""
    return as_type("Numbers", np.sort(np.fromstring(text, dtype=np.int64, sep=",")))
