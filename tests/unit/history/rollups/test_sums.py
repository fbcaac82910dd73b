"""Adding up is exact, whatever way it takes."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.history.rollups import sums
from core.history.rollups.blocks import Delays, bin_exactly
from core.history.rollups.delays import find_places, find_quantile
from core.history.rollups.sums import Sums, combined, concatenated, in_order

amounts = st.one_of(st.integers(-5, 1000), st.integers(2**50, 2**58), st.integers(-(2**58), 0))


@given(rows=st.lists(st.tuples(st.integers(0, 6), amounts), max_size=20))
def test_amounts_beyond_floating_point_are_added_up_to_the_last_unit(rows: list[tuple[int, int]]) -> None:
    expected: Counter[int] = Counter()
    for cell, amount in rows:
        expected[cell] += amount
    cells, values = (
        (np.array(column, np.int64) for column in zip(*rows, strict=True)) if rows else (np.zeros(0, int),) * 2
    )
    assert bin_exactly(cells, values, 7).tolist() == [expected[cell] for cell in range(7)]


@given(parts=st.lists(st.dictionaries(st.integers(0, 30), st.integers(-3, 3)), max_size=4))
@pytest.mark.parametrize("most_cells", [1, 1 << 22])
def test_parts_come_together_by_key_and_what_is_nothing_is_left_out(
    parts: list[dict[int, int]], most_cells: int
) -> None:
    expected: Counter[int] = Counter()
    for part in parts:
        expected.update(part)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "_MOST_CELLS", most_cells)
        found = in_order(combined([as_sums(part) for part in parts]))
    kept = {key: sent for key, sent in sorted(expected.items()) if sent}
    assert found.keys.tolist() == list(kept)
    assert found.sums.tolist() == [list(kept.values())] * 4


def as_sums(part: dict[int, int]) -> Sums:
    sent = np.array(list(part.values()), np.int64)
    return Sums(np.array(list(part), np.int64), np.stack([sent] * 4))


def test_of_no_parts_there_is_nothing() -> None:
    assert concatenated([]).keys.tolist() == []


@given(
    histogram=st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=1, max_size=5),
    share=st.sampled_from([0.5, 0.95]),
)
def test_a_quantile_is_the_first_bucket_that_reaches_its_share(histogram: list[list[int]], share: float) -> None:
    found = find_quantile(np.array(histogram), share)
    for row, bucket in zip(histogram, found.tolist(), strict=True):
        delays = [number for number, count in enumerate(row) for _ in range(count)]
        assert bucket == (delays[max(0, -int(-len(delays) * share // 1) - 1)] if delays else -1)


@given(known=st.sets(st.integers(0, 20)), keys=st.lists(st.integers(-2, 25)))
def test_places_are_found_or_said_to_be_none(known: set[int], keys: list[int]) -> None:
    ordered = sorted(known)
    found = find_places(np.array(ordered, np.int64), np.array(keys, np.int64))
    assert found.tolist() == [ordered.index(key) if key in known else -1 for key in keys]


@given(counts=st.lists(st.integers(0, 3), min_size=1, max_size=8), data=st.data())
def test_entries_are_those_of_the_rows_asked_for(counts: list[int], data: st.DataObject) -> None:
    starts = np.concatenate([[0], np.cumsum(counts)])
    rows = data.draw(st.lists(st.integers(0, len(counts) - 1), unique=True))
    places, position = Delays(starts, np.zeros(0), np.zeros(0)).entries_of(np.array(rows, np.int64))
    expected = [(int(starts[row]) + step, at) for at, row in enumerate(rows) for step in range(counts[row])]
    assert list(zip(places.tolist(), position.tolist(), strict=True)) == expected
