"""
All numbers there can be, as ranges: where each lies, or why it is none.

Made of phonenumbers' metadata, and giving its answers (`tests/unit/domain/numbering/test_ranges.py`,
`python -m benchmarks numbers`). It takes a second or two: whoever needs the ranges keeps them (`core.history.numbers`).
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from heapq import merge
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeVar

import phonenumbers
from phonenumbers import PhoneMetadata
from phonenumbers.carrierdata import CARRIER_DATA
from phonenumbers.phonemetadata import PhoneNumberDesc

from core.domain.numbering.digit_ranges import NOTHING, Ranges, common, everything, join, without
from core.domain.numbering.faults import MsisdnFault
from core.domain.numbering.line_types import CARRIED, LineType, general_of, line_types_of, pattern_of
from core.domain.numbering.patterns import matching, paths_of
from core.domain.numbering.plans import MAX_DIGITS, NO_COUNTRY, find_calling_code, find_length_fault
from core.domain.numbering.prefixes import cuts_abroad, writing_of

# What the ranges are made by, besides phonenumbers: the modules of this folder whose source decides what comes out.
_MADE_BY = ("digit_ranges", "line_types", "patterns", "plans", "prefixes", "ranges")

# BIGINT has room for all numbers of so many digits.
MOST_DIGITS = 18

T = TypeVar("T")


class Place(NamedTuple):
    """
    What the numbers of a range have in common.

    *calling_code* is "" where there is none. *country* is ISO 3166-1 alpha-2, "" for numbers of no country; *line_type*
    is a `LineType`; *carrier* is phonenumbers' name, "" where it has none. *fault*, a `MsisdnFault`, says why there are
    no such numbers, and is "" where there are.
    """

    calling_code: str
    country: str = ""
    line_type: str = ""
    carrier: str = ""
    fault: str = ""


class Step(NamedTuple):
    """
    From *start* on, up to the next step, numbers lie at *place* once there is nothing to leave out.

    Where *cut* is not 0, so many digits behind the calling code are to be left out first, or `ASK`.
    """

    start: int
    cut: int
    place: Place


def compiled_by() -> str:
    """Return the version of phonenumbers, and a digest of our own modules: ranges of another one are made anew."""
    return f"phonenumbers {phonenumbers.__version__}, {_digest()}"


@cache
def _digest() -> str:
    digest = sha256()
    for name in _MADE_BY:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()


def compile_steps() -> list[Step]:
    """Return the steps from 0 to the last number of `MOST_DIGITS` digits, calling code first, without `+`."""
    carriers = _carriers_by_calling_code()
    steps = []
    nowhere = Place("", fault=MsisdnFault.NO_COUNTRY)
    end = 0
    for start, before, found in sorted(_blocks(carriers), key=lambda block: block[0]):
        if start > end:
            steps.append(Step(end, 0, nowhere))
        steps += found
        end = before
    steps.append(Step(end, 0, nowhere))
    first, *others = steps
    return [first, *(step for last, step in pairwise(steps) if step[1:] != last[1:])] if others else [first]


def _blocks(carriers: dict[str, dict[str, str]]) -> Iterator[tuple[int, int, list[Step]]]:
    """Yield the numbers of each calling code and length: where they begin and end, and their steps."""
    for calling_code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        code = str(calling_code)
        for national in range(MOST_DIGITS - len(code) + 1):
            start, before = calling_code * 10**national, (calling_code + 1) * 10**national
            fault = find_length_fault(calling_code, national)
            places = [(start, Place(code, fault=fault))]
            if len(code) + national <= MAX_DIGITS:
                found = _numbers(calling_code, national, carriers.get(code, {}))
                places = _fill(start, before, found, Place(code, fault=fault))
            cuts = [
                (start + first, start + last, cut)
                for cut, strings in cuts_abroad(calling_code, national).items()
                for first, last in strings
            ]
            yield start, before, _overlay(_fill(start, before, sorted(cuts), 0), places)


def _numbers(calling_code: int, length: int, carriers: dict[str, str]) -> list[tuple[int, int, Place]]:
    """Return the ranges of valid numbers with *length* digits behind the calling code, and their places, in order."""
    code, base = str(calling_code), calling_code * 10**length
    found = []
    names: list[tuple[int, str]] | None = None
    for region, line_type, ranges in _typed(calling_code, length):
        country = "" if region == NO_COUNTRY else region
        place = Place(code, country, line_type)
        for start, end in ranges:
            if line_type not in CARRIED:
                found.append((base + start, base + end, place))
                continue
            if names is None:
                names = _name_steps(carriers, len(code) + length)
            found += (
                (first, last, place._replace(carrier=name))
                for first, last, name in _named(base + start, base + end, names)
            )
    return sorted(found)


def _typed(calling_code: int, length: int) -> Iterator[tuple[str, LineType, Ranges]]:
    """Yield the national numbers of each region and line type; regions that share the code come in their order."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[calling_code]
    left = everything(length)
    for region in regions:
        metadata = writing_of(region, calling_code).metadata
        own, leading = left, metadata.leading_digits
        if leading and len(regions) > 1:
            # As phonenumbers has it, whatever begins with a region's leading digits is that region's, valid or not.
            own = common(left, join(*(path.starting(length) for path in paths_of(leading))))
            left = without(left, own)
        for line_type, ranges in _typed_of(metadata, own, length):
            yield region, line_type, ranges
            left = without(left, ranges)


def _typed_of(metadata: PhoneMetadata, own: Ranges, length: int) -> Iterator[tuple[LineType, Ranges]]:
    left = common(own, _fitting(general_of(metadata), length))
    for line_type, descriptions in line_types_of(metadata):
        found = left
        for description in descriptions:
            found = common(found, _fitting(description, length))
        if found:
            yield line_type, found
            left = without(left, found)


def _fitting(description: PhoneNumberDesc | None, length: int) -> Ranges:
    pattern = pattern_of(description, length)
    return matching(pattern).get(length, NOTHING) if pattern else NOTHING


def _carriers_by_calling_code() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for prefix, names in CARRIER_DATA.items():
        if "en" in names:
            found.setdefault(find_calling_code(prefix), {})[prefix] = names["en"]
    return found


def _name_steps(carriers: dict[str, str], digits: int) -> list[tuple[int, str]]:
    """Return from which numbers of so many *digits* on which name holds; the longest prefix decides."""
    steps: list[tuple[int, str]] = [(0, "")]
    # What holds again once a prefix ends, the innermost last.
    around: list[tuple[int, str]] = []
    ends = [(prefix, 10 ** (digits - len(prefix))) for prefix in sorted(carriers) if len(prefix) <= digits]
    for prefix, width in ends:
        start = int(prefix) * width
        _close(around, start, steps)
        steps.append((start, carriers[prefix]))
        around.append((start + width, carriers[prefix]))
    _close(around, 10**digits, steps)
    return steps


def _close(around: list[tuple[int, str]], start: int, steps: list[tuple[int, str]]) -> None:
    while around and around[-1][0] <= start:
        end, _ = around.pop()
        steps.append((end, around[-1][1] if around else ""))


def _named(start: int, end: int, names: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int, str]]:
    """Yield the parts of a range that have one name each."""
    index = bisect_right(names, start, key=lambda step: step[0]) - 1
    while start < end:
        following = names[index + 1][0] if index + 1 < len(names) else end
        if following > start:
            yield start, min(end, following), names[index][1]
            start = following
        index += 1


def _fill(start: int, before: int, found: Sequence[tuple[int, int, T]], gap: T) -> list[tuple[int, T]]:
    """Return steps from *start* to *before*: the ranges *found*, and the *gap* between them."""
    steps = []
    at = start
    for first, last, value in found:
        if first > at:
            steps.append((at, gap))
        steps.append((first, value))
        at = last
    if at < before:
        steps.append((at, gap))
    return steps


def _overlay(cuts: Sequence[tuple[int, int]], places: Sequence[tuple[int, Place]]) -> list[Step]:
    """Return the steps at which either changes; both begin with the same number."""
    steps: list[Step] = []
    cut, place = cuts[0][1], places[0][1]
    changes = merge(
        ((start, cut, None) for start, cut in cuts),
        ((start, None, place) for start, place in places),
        key=lambda change: change[0],
    )
    for start, new_cut, new_place in changes:
        cut = cut if new_cut is None else new_cut
        place = new_place or place
        if steps and steps[-1].start == start:
            steps.pop()
        steps.append(Step(start, cut, place))
    return steps
