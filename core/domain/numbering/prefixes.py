"""
What is written before a national number and is no part of it: trunk prefixes, exit codes, the own calling code.

phonenumbers takes them off one number after the other (`_maybe_strip_national_prefix_carrier_code`,
`_maybe_extract_country_code` and `parse` in its `phonenumberutil`). Here the same rules say of all strings of a length
at once how many digits to leave out at their beginning. Where a rule makes another number in any other way than by
leaving digits out, each has to be looked at by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata

from core.domain.numbering.digit_ranges import NOTHING, Ranges, common, everything, join, without
from core.domain.numbering.line_types import general_of
from core.domain.numbering.patterns import Path, matching, paths_of

# Of these strings phonenumbers itself has to be asked.
ASK = -1

# How many digits to leave out of which strings; those that are in none of the sets are as they should be.
Cuts = Mapping[int, Ranges]


class Stripped(NamedTuple):
    """
    A way of writing something before a number.

    *strings* begin along *path*, whose *cut* digits are left out, or *cut* is `ASK`. Of those, *viable* ones are then a
    number as the general pattern has it.
    """

    path: Path
    cut: int
    strings: Ranges
    viable: Ranges


@dataclass(frozen=True)
class Writing:
    """How a region writes its numbers; *metadata* is phonenumbers'."""

    metadata: PhoneMetadata

    def general(self, length: int) -> Ranges:
        """Return the strings of *length* digits that the region's general pattern matches."""
        return matching(general_of(self.metadata).national_number_pattern or "").get(length, NOTHING)

    def is_too_long(self, length: int) -> bool:
        """Tell whether no number of the region has so many digits."""
        return length > max(general_of(self.metadata).possible_length)

    def strip(self, length: int) -> list[Stripped]:
        """Return what is before a national number in strings of *length* digits, without looking at what remains."""
        pattern = self.metadata.national_prefix_for_parsing
        if not pattern or not length:
            return []
        general = self.general(length)
        found = []
        taken: Ranges = NOTHING
        for path, starting in self._ways(pattern, length):
            strings, taken = without(starting, taken), join(taken, starting)
            if path is None:
                found.append(Stripped(Path(), ASK, strings, NOTHING))
            elif cut := len(path.digits):
                viable = path.before(self.general(length - cut), length - cut)
                # Nothing is left out of a number that would then be none.
                strings = without(strings, without(common(strings, general), viable))
                found.append(Stripped(path, cut, strings, common(strings, viable)))
        return [each for each in found if each.strings]

    def _ways(self, pattern: str, length: int) -> Iterator[tuple[Path | None, Ranges]]:
        """Yield the ways through *pattern* with strings that may take them; None: those that have to be asked about."""
        for is_transformed, paths in groupby(paths_of(pattern), self._is_transformed):
            if is_transformed:
                yield None, join(*(path.starting(length) for path in paths))
            else:
                yield from ((path, path.starting(length)) for path in paths)

    def strip_fully(self, length: int) -> list[Stripped]:
        """Return what is left out of national numbers of *length* digits: enough digits have to remain."""
        possible = general_of(self.metadata).possible_length
        found = self.strip(length)
        return [each for each in found if each.cut == ASK or self._remains(length - each.cut, possible)]

    def _remains(self, length: int, possible: tuple[int, ...]) -> bool:
        # One of those complete within a town only is not long enough.
        local = general_of(self.metadata).possible_length_local_only
        return length not in local and (length in possible or length > max(possible))

    def _is_transformed(self, path: Path) -> bool:
        """Tell whether the metadata's rule makes another number of what was captured along *path*."""
        pattern = self.metadata.national_prefix_for_parsing
        return bool(self.metadata.national_prefix_transform_rule) and _last_group(pattern) in path.groups


@cache
def writing_of(region: str, calling_code: int) -> Writing:
    """Return how *region* ("001": of no country), which has *calling_code*, writes its numbers."""
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region)
    assert metadata is not None
    return Writing(metadata)


@cache
def main_writing(calling_code: int) -> Writing:
    """Return how the main country of *calling_code* writes its numbers."""
    return writing_of(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[calling_code][0], calling_code)


def cuts_abroad(calling_code: int, length: int) -> Cuts:
    """Return what is left out of *length* digits behind *calling_code*, as the zero of +49 0179… is."""
    return _gather((each.cut, each.strings) for each in main_writing(calling_code).strip_fully(length))


def cuts_at_home(region: str, length: int) -> Cuts:
    """
    Return what is left out of *length* digits that somebody in *region* writes, before the calling code is put there.

    The calling code may be there already, and is then left out, too.
    """
    calling_code = phonenumbers.country_code_for_valid_region(region)
    writing = writing_of(region, calling_code)
    exits = join(*(path.starting(length) for path in _exit_paths(writing)))
    with_code = list(_with_calling_code(writing, calling_code, length))
    coded = join(*(strings for _, strings in with_code))
    national = [(each.cut, each.strings) for each in writing.strip_fully(length)]
    cuts = _gather([*with_code, *((cut, without(strings, coded)) for cut, strings in national)])
    return {ASK: join(exits, cuts.get(ASK, NOTHING))} | {
        cut: without(strings, exits) for cut, strings in cuts.items() if cut != ASK
    }


def _with_calling_code(writing: Writing, calling_code: int, length: int) -> Iterator[tuple[int, Ranges]]:
    """Yield cuts of strings that begin with their own calling code."""
    code = Path(tuple((int(digit),) for digit in str(calling_code)))
    behind = length - len(code.digits)
    if behind < 1:
        return
    is_too_long = writing.is_too_long(length)
    # What could be a number as it stands is left alone.
    left_alone = NOTHING if is_too_long else writing.general(length)
    stripped = writing.strip(behind)
    untouched = without(everything(behind), join(*(each.strings for each in stripped)))
    plain = Stripped(Path(), 0, untouched, common(untouched, writing.general(behind)))
    for each in (plain, *stripped):
        # What has to be asked about may or may not be one.
        fitting = each.strings if is_too_long or each.cut == ASK else each.viable
        coded = without(code.before(fitting, behind), left_alone)
        if each.cut == ASK:
            yield ASK, coded
            continue
        yield from _again(coded, each, code, calling_code, behind - each.cut)


def _again(
    coded: Ranges, first: Stripped, code: Path, calling_code: int, remaining: int
) -> Iterator[tuple[int, Ranges]]:
    """Yield cuts of *coded* strings: once the calling code is off, a national prefix is looked for a second time."""
    cut = len(code.digits) + first.cut
    rest = coded
    for second in main_writing(calling_code).strip_fully(remaining):
        again = second.strings
        strings = code.before(first.path.before(again, remaining), remaining + first.cut)
        found = common(coded, strings)
        rest = without(rest, found)
        yield (ASK if second.cut == ASK else cut + second.cut), found
    yield cut, rest


@cache
def _last_group(pattern: str) -> int:
    return max((number for path in paths_of(pattern) for number in path.groups), default=0)


def _gather(cuts: Iterator[tuple[int, Ranges]] | list[tuple[int, Ranges]]) -> Cuts:
    gathered: dict[int, Ranges] = {}
    for cut, strings in cuts:
        if strings:
            gathered[cut] = join(gathered.get(cut, NOTHING), strings)
    return gathered


def _exit_paths(writing: Writing) -> tuple[Path, ...]:
    pattern = writing.metadata.international_prefix
    return paths_of(pattern) if pattern else ()
