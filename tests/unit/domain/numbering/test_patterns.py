import random
import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata

from core.domain.numbering.digit_ranges import Ranges
from core.domain.numbering.line_types import line_types_of
from core.domain.numbering.patterns import UnknownPatternError, matching, parse_pattern, paths_of

DIGITS = st.sampled_from(["0", "7", r"\d", "[13-5]", "[89]"])
PATTERNS = st.recursive(
    DIGITS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda options: f"(?:{'|'.join(options)})"),
        inner.map(lambda item: f"({item})"),
        st.tuples(inner, st.sampled_from(["?", "{2}", "{0,2}", "{1,3}"])).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    ),
    max_leaves=5,
)
LONGEST = 5


def is_in(ranges: Ranges, number: int) -> bool:
    return any(start <= number < end for start, end in ranges)


def texts() -> list[str]:
    chance = random.Random(1)
    short = [str(number).zfill(length) for length in (1, 2) for number in range(10**length)]
    return ["", *short, *("".join(chance.choices("0134789", k=chance.randint(3, LONGEST))) for _ in range(150))]


@given(PATTERNS)
def test_the_ranges_of_a_pattern_are_what_it_matches(pattern):
    compiled, language = re.compile(pattern), matching(pattern)
    for text in texts():
        ranges = language.get(len(text), ())
        assert is_in(ranges, int(text or "0")) == bool(compiled.fullmatch(text)), text


@given(PATTERNS)
def test_the_first_path_that_fits_is_what_a_match_takes(pattern):
    compiled, paths = re.compile(pattern), paths_of(pattern)
    for text in texts():
        found = compiled.match(text)
        path = next((each for each in paths if is_in(each.starting(len(text)), int(text or "0"))), None)
        assert (path is None) == (found is None), text
        if path and found:
            assert len(path.digits) == found.end()
            held = {number for number, group in enumerate(found.groups(), start=1) if group is not None}
            assert path.groups == held


def test_a_path_may_end_the_text():
    (whole, beginning) = paths_of(r"([2-9]\d)$|1")
    assert whole.starting(2) == ((20, 100),)
    assert whole.starting(3) == ()
    assert beginning.starting(3) == ((100, 200),)


def test_every_pattern_of_the_metadata_is_read():
    chance = random.Random(2)
    regions = [PhoneMetadata.metadata_for_region(region) for region in sorted(phonenumbers.SUPPORTED_REGIONS)]
    others = [PhoneMetadata.metadata_for_nongeo_region(code) for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS]
    patterns = {
        description.national_number_pattern
        for metadata in (*regions, *others)
        for _, descriptions in [("", (metadata.general_desc,)), *line_types_of(metadata)]
        for description in descriptions
        if description and description.national_number_pattern
    }
    assert len(patterns) > 900
    for pattern in sorted(patterns):
        compiled = re.compile(pattern)
        for length, ranges in matching(pattern).items():
            # At the edges of ranges, and anywhere.
            edges = [
                edge + step for each in chance.sample(ranges, min(3, len(ranges))) for edge in each for step in (-1, 0)
            ]
            for number in [*edges, chance.randrange(10**length)]:
                if 0 <= number < 10**length:
                    assert is_in(ranges, number) == bool(compiled.fullmatch(str(number).zfill(length)))


@pytest.mark.parametrize(
    "pattern",
    [
        "1*",
        "1+",
        "a",
        ".",
        "(?=1)1",
        "(?!1)2",
        "(?P<one>1)",
        "[^1]",
        "1{2,}",
        "1??",
        "1{2}?",
        "^1",
        r"\D",
        "(1",
        "1)",
        "[5-]",
    ],
)
def test_what_is_not_known_is_refused(pattern):
    with pytest.raises(UnknownPatternError):
        parse_pattern(pattern)
