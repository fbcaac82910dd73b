"""What is said of a whole column is what is said of each of its cells."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.texts.no_values import MOST_CHARACTERS, NO_VALUES, is_no_value
from core.domain.texts.placeholders import BLANKS
from core.domain.words.characters import compose
from core.domain.words.control_characters import find_control
from core.files.tables import cells
from core.files.tables.rejected import SIGNS, harmless, original
from core.files.tables.rows import unwrap

LETTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.text(LETTERS, max_size=12)
WORDS = st.builds(
    lambda before, word, after: before + word + after,
    st.text(st.sampled_from(BLANKS), max_size=2),
    st.sampled_from(sorted(NO_VALUES)).flatmap(lambda word: st.sampled_from([word, word.upper(), word.title()])),
    st.text(st.sampled_from(BLANKS + "x"), max_size=2),
)
WRAPPED = st.builds('="{}"'.format, st.text(st.sampled_from('a1"=\n'), max_size=4))
FORMULAS = st.text(st.sampled_from(SIGNS.replace("\\", "") + "'1a"), max_size=4)
ACCENTED = st.text(st.sampled_from("aeiou\u0308\u0301\u0327Aé\u1100\u1161\u11a8\u1ad1"), max_size=8)
COLUMNS = st.lists(st.one_of(TEXTS, WORDS, WRAPPED, FORMULAS, ACCENTED), min_size=1, max_size=20)


def column_of(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.string())


@settings(max_examples=200)
@given(COLUMNS)
def test_a_column_is_taken_as_its_cells_are(texts: list[str]):
    column = column_of(texts)
    assert cells.unwrapped(column).to_pylist() == list(map(unwrap, texts))
    assert cells.originals(column).to_pylist() == list(map(original, texts))
    assert cells.composed(column).to_pylist() == list(map(compose, texts))
    assert cells.find_controls(column).to_pylist() == [find_control(text, is_prose=True) is not None for text in texts]


@settings(max_examples=200)
@given(COLUMNS)
def test_no_values_of_a_column_are_those_of_its_cells(texts: list[str]):
    expected = ["" if len(text) <= MOST_CHARACTERS and is_no_value(text) else text for text in texts]
    found = cells.without_no_values(column_of(texts), is_ascii=all(map(str.isascii, texts)))
    assert found.to_pylist() == expected


def test_capitals_that_only_some_take_for_latin_ones():
    # The sign for kelvin is a k to both; the dotted capital I is an i only to who does not count its dot.
    texts = ["\u212a.a.", "n\u0130l", "NIL", "\u00a0n/a\u00a0"]
    assert cells.without_no_values(column_of(texts), is_ascii=False).to_pylist() == ["", "n\u0130l", "", ""]


@given(COLUMNS)
def test_what_is_made_harmless_comes_back(texts: list[str]):
    assert cells.originals(column_of(list(map(harmless, texts)))).to_pylist() == [
        original(harmless(text)) for text in texts
    ]


def test_a_row_has_content_where_any_cell_has():
    columns = [column_of(["1", " ", "", "\u00a0"]), column_of(["", "x", "\t", "\u3000"])]
    assert cells.find_content(columns).to_pylist() == [True, True, False, False]
