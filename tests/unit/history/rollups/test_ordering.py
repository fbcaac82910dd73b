"""A page of groups is the one that sorting all of them would give."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.history.rollups.ordering import first_of

# Few different values, so that many groups are equal.
groups = st.lists(st.integers(0, 4), max_size=200).flatmap(
    lambda values: st.tuples(st.just(values), st.permutations(range(len(values))))
)


@given(drawn=groups, start=st.integers(0, 50), size=st.integers(1, 15), descending=st.booleans(), by_keys=st.booleans())
def test_the_first_are_those_of_the_whole_order(
    drawn: tuple[list[int], list[int]], start: int, size: int, descending: bool, by_keys: bool
) -> None:
    values, keys = drawn
    sign = -1 if descending else 1
    if by_keys:
        expected = sorted(range(len(keys)), key=lambda place: sign * keys[place])
    else:
        expected = sorted(range(len(keys)), key=lambda place: (sign * values[place], keys[place]))
    given_values = None if by_keys else np.array(values, np.int64)
    found = first_of(given_values, np.array(keys, np.int64), start, start + size, descending=descending)
    assert found.tolist() == expected[start : start + size]
