from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.domain.numbering.digit_ranges import Ranges, common, everything, join, put_before, without

LENGTH = 2
SETS = st.frozensets(st.integers(0, 99)).map(lambda numbers: (numbers, join((each, each + 1) for each in numbers)))


def numbers_of(ranges: Ranges) -> set[int]:
    return {number for start, end in ranges for number in range(start, end)}


def is_tidy(ranges: Ranges) -> bool:
    edges = [edge for each in ranges for edge in each]
    return all(before < behind for before, behind in pairwise(edges))


@given(SETS, SETS)
def test_ranges_are_sets_of_numbers(one, other):
    (numbers, ranges), (others, other_ranges) = one, other
    for found, expected in (
        (ranges, numbers),
        (join(ranges, other_ranges), numbers | others),
        (common(ranges, other_ranges), numbers & others),
        (without(ranges, other_ranges), numbers - others),
    ):
        assert numbers_of(found) == expected
        assert is_tidy(found)


@given(SETS, st.frozensets(st.integers(0, 9)))
def test_digits_are_put_before(one, digits):
    numbers, ranges = one
    found = put_before(sorted(digits), ranges, LENGTH)
    assert numbers_of(found) == {digit * 100 + number for digit in digits for number in numbers}
    assert is_tidy(found)


def test_everything_is_one_range():
    assert everything(3) == ((0, 1000),)
    assert put_before(range(10), everything(3), 3) == everything(4)
