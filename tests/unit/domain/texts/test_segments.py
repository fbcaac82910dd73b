from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.texts.encoding import GSM7_CHARACTERS, Encoding, choose_encoding
from core.domain.texts.segments import (
    CAPACITIES,
    CAPACITIES_WIDE_REFERENCE,
    TextMeasure,
    _pack,
    measure,
    split_into_segments,
)
from core.errors import UnencodableText
from tests.support.cases.segment_vectors import ASTRAL, BASIC, BMP, EXTENDED, Vector, load_vectors, random_texts

LEAD = "\ud800"
TEXTS = st.one_of(
    st.text(),
    st.lists(st.sampled_from([*BASIC, *EXTENDED]), max_size=500).map("".join),
    st.lists(st.sampled_from([*BMP, *ASTRAL]), max_size=300).map("".join),
)


def fewest_pieces(costs: list[int], capacity: int) -> int:
    """Return the fewest pieces by trying every cut: the reference that knows nothing of packing greedily."""
    best = [0]
    for end in range(1, len(costs) + 1):
        starts = (start for start in range(end) if sum(costs[start:end]) <= capacity)
        best.append(1 + min(best[start] for start in starts))
    return best[-1]


@pytest.mark.parametrize("vector", load_vectors(), ids=lambda vector: vector.name)
def test_vectors(vector: Vector):
    expected = TextMeasure(Encoding(vector.encoding), vector.characters, vector.units, vector.segments)
    assert measure(vector.text) == expected
    assert len(split_into_segments(vector.text, Encoding(vector.encoding))) == vector.segments


@given(TEXTS)
def test_segments_join_to_the_text_and_each_fits(text: str):
    encoding = choose_encoding(text)
    segments = split_into_segments(text, encoding)
    capacity = CAPACITIES[encoding].alone if len(segments) == 1 else CAPACITIES[encoding].joined
    assert "".join(segment.text for segment in segments) == text
    assert all(0 < segment.unit_count <= capacity for segment in segments)
    assert sum(segment.unit_count for segment in segments) == measure(text).unit_count
    assert len(segments) == measure(text).segment_count


def test_each_segment_holds_whole_characters_and_the_next_did_not_fit():
    for text in random_texts(300, seed=20_38):
        encoding = choose_encoding(text)
        segments = split_into_segments(text, encoding)
        # Measured one by one: half a pair could not be measured, or would cost a unit less.
        assert [measure_in(segment.text, encoding) for segment in segments] == [s.unit_count for s in segments], text
        for segment, following in pairwise(segments):
            assert segment.unit_count + measure_in(following.text[0], encoding) > CAPACITIES[encoding].joined, text


def measure_in(text: str, encoding: Encoding) -> int:
    if encoding is Encoding.UCS2:
        return len(text.encode("utf-16-le")) // 2
    return sum(2 if character in EXTENDED else 1 for character in text)


@given(st.lists(st.sampled_from([1, 2]), max_size=14), st.integers(2, 7))
def test_no_other_cut_needs_fewer_pieces(costs: list[int], capacity: int):
    units = "".join(LEAD * (cost - 1) + "x" for cost in costs)
    pieces = _pack(units, capacity)
    assert "".join(pieces) == units
    assert all(len(piece) <= capacity and not piece.endswith(LEAD) for piece in pieces)
    assert len(pieces) == fewest_pieces(costs, capacity)


def test_an_escape_pair_starts_the_next_segment_when_it_would_be_split():
    segments = split_into_segments("a" * 152 + "€b" + "c" * 20, Encoding.GSM7)
    assert [(segment.text[-1], segment.unit_count) for segment in segments] == [("a", 152), ("c", 23)]
    assert segments[1].text.startswith("€b")


def test_a_gsm7_text_may_be_sent_as_ucs2():
    assert len(split_into_segments("a" * 71, Encoding.UCS2)) == 2
    assert len(split_into_segments("€" * 70, Encoding.UCS2)) == 1


def test_a_text_outside_the_encoding_is_refused():
    with pytest.raises(UnencodableText):
        split_into_segments("я", Encoding.GSM7)
    with pytest.raises(UnencodableText):
        measure("\udc00")


@given(st.text(st.sampled_from(sorted(GSM7_CHARACTERS)), min_size=1), st.sampled_from("яŁ🎉ç"))
def test_one_foreign_character_turns_the_whole_text_to_ucs2(text: str, foreign: str):
    assert measure(text).encoding is Encoding.GSM7
    assert measure(text + foreign).encoding is Encoding.UCS2


@given(TEXTS)
def test_a_wide_reference_leaves_a_unit_less_in_each_segment(text: str):
    encoding = choose_encoding(text)
    segments = split_into_segments(text, encoding, CAPACITIES_WIDE_REFERENCE)
    assert "".join(segment.text for segment in segments) == text
    joined = CAPACITIES[encoding].joined - 1
    assert len(segments) < 2 or all(segment.unit_count <= joined for segment in segments)
    assert len(segments) >= measure(text).segment_count
