import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.domain.texts.encoding import GSM7_CHARACTERS, Encoding, choose_encoding
from core.domain.texts.segments import measure
from core.domain.texts.simplifying import REPLACEMENTS, group_replacements, list_replacements, simplify
from tests.support.cases.simplify_vectors import KEPT, REPLACED, Vector, load_vectors, random_texts

ELLIPSIS = "\u2026"
TEXTS = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from(REPLACED), st.sampled_from(KEPT + ELLIPSIS + "aя€🎉"))
)


def count(text: str) -> int:
    return measure(text).segment_count


@pytest.mark.parametrize("vector", load_vectors(), ids=lambda vector: vector.name)
def test_vectors(vector: Vector):
    assert simplify(vector.text) == vector.simplified
    found = measure(vector.simplified)
    assert (found.encoding, found.segment_count) == (vector.encoding, vector.segments)


def test_the_vectors_hold_every_replacement_alone_and_no_other():
    alone = {vector.text: vector.simplified for vector in load_vectors() if len(vector.text) == 1}
    assert {old: new for old, new in alone.items() if old != new} == REPLACEMENTS


def test_what_word_processors_put_in_is_replaced():
    text = "\u201cIt\u2019s here\u201d \u2013 5\u00a0\u00d7 today\u2026\u200b"
    assert simplify(text) == '"It\'s here" - 5 x today...'
    assert choose_encoding(simplify(text)) is Encoding.GSM7
    assert list_replacements("\u201ca\u201c\u2026") == [("\u201c", '"'), ("\u2026", "...")]


def test_what_somebody_meant_to_say_stays():
    for text in ("Łukasz", "Привет", "🎉👩\u200d🚒", "你好", "@£$€{}[]~|\\^", KEPT):
        assert simplify(text) == text


def test_replacements_are_of_the_gsm_alphabet_and_what_they_replace_is_not():
    assert GSM7_CHARACTERS.issuperset("".join(REPLACEMENTS.values()))
    assert not GSM7_CHARACTERS & REPLACEMENTS.keys()


@given(TEXTS)
def test_twice_is_once_and_gsm_texts_stay(text: str):
    assert simplify(simplify(text)) == simplify(text)
    if choose_encoding(text) is Encoding.GSM7:
        assert simplify(text) == text


def test_the_groups_hold_every_replacement_once():
    groups = group_replacements()
    assert {character: new for new, olds in groups.items() for character in olds} == REPLACEMENTS
    assert sum(len(olds) for olds in groups.values()) == len(REPLACEMENTS)
    assert "\u201c" in groups['"']


@given(st.text(st.sampled_from(sorted(GSM7_CHARACTERS)), max_size=400))
def test_a_text_of_gsm_characters_stays(text: str):
    assert simplify(text) == text
    assert not list_replacements(text)


@given(TEXTS, TEXTS)
def test_parts_can_be_simplified_one_by_one(first: str, second: str):
    # The browser and the lake do so with what stands around placeholders, and with their values.
    assert simplify(first + second) == simplify(first) + simplify(second)


@given(TEXTS)
def test_a_text_changes_when_there_are_replacements_to_list(text: str):
    found = dict(list_replacements(text))
    assert (simplify(text) != text) == bool(found)
    assert found.keys() == set(text) & REPLACEMENTS.keys()
    assert set(simplify(text)).isdisjoint(REPLACEMENTS)
    expected = text
    for old, new in found.items():
        expected = expected.replace(old, new)
    assert simplify(text) == expected


def test_an_ellipsis_may_cost_an_sms():
    # Hence no promise that simplifying never makes more: one character becomes three, in either encoding.
    assert (count(ELLIPSIS * 60), count(simplify(ELLIPSIS * 60))) == (1, 2)
    assert (count("я" + ELLIPSIS * 60), count(simplify("я" + ELLIPSIS * 60))) == (1, 3)


@given(TEXTS)
@example(ELLIPSIS * 60)
@example("\u2018" * 35 + "€" * 35)
def test_but_for_ellipses_a_simplified_text_never_needs_more_sms(text: str):
    assert count(simplify(text)) <= count(text.replace(ELLIPSIS, "..."))


def test_but_for_ellipses_long_texts_never_need_more_sms():
    texts = [text.replace(ELLIPSIS, "...") for text in random_texts(3_000, seed=3)]
    pairs = [(count(text), count(simplify(text))) for text in texts]
    assert all(after <= before for before, after in pairs)
    assert sum(after < before for before, after in pairs) > 300
