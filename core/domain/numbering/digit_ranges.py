"""
Sets of digit strings of one length, as ranges of whole numbers.

A set is a tuple of half-open ranges (from, before), in order, none touching the next; the strings' length is known to
whoever has the set, so that "007" and "7" differ though both are 7.
"""

from collections.abc import Iterable
from itertools import chain

Ranges = tuple[tuple[int, int], ...]

NOTHING: Ranges = ()


def everything(length: int) -> Ranges:
    """Return the set of all strings of *length* digits."""
    return ((0, 10**length),)


def join(*sets: Iterable[tuple[int, int]]) -> Ranges:
    """Return what is in any of the *sets*, whose ranges may come in any order and overlap."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(chain(*sets)):
        if joined and start <= joined[-1][1]:
            if end > joined[-1][1]:
                joined[-1] = (joined[-1][0], end)
        elif start < end:
            joined.append((start, end))
    return tuple(joined)


def common(one: Ranges, other: Ranges) -> Ranges:
    """Return what is in both sets."""
    found: list[tuple[int, int]] = []
    index = place = 0
    while index < len(one) and place < len(other):
        start, end = max(one[index][0], other[place][0]), min(one[index][1], other[place][1])
        if start < end:
            found.append((start, end))
        if one[index][1] < other[place][1]:
            index += 1
        else:
            place += 1
    return tuple(found)


def without(one: Ranges, other: Ranges) -> Ranges:
    """Return what is in *one* and not in *other*."""
    if not other or not one:
        return one
    # What lies between the ranges of the other, from before the first to behind the last of the one.
    edges = [one[0][0], *chain(*other), one[-1][1]]
    gaps = tuple((start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end)
    return common(one, gaps)


def put_before(digits: Iterable[int], rest: Ranges, length: int) -> Ranges:
    """Return the strings that are one of *digits*, and then one of *rest*, whose strings have *length* digits."""
    base = 10**length
    return join((digit * base + start, digit * base + end) for digit in digits for start, end in rest)
