from hypothesis import given
from hypothesis import strategies as st

from core.domain.encoding import GSM7_CHARACTERS, Encoding, choose_encoding
from core.domain.simplifying import REPLACEMENTS, list_replacements, simplify


def test_what_word_processors_put_in_is_replaced():
    text = "\u201cIt\u2019s here\u201d \u2013 5\u00a0\u00d7 today\u2026\u200b"
    assert simplify(text) == '"It\'s here" - 5 x today...'
    assert choose_encoding(simplify(text)) is Encoding.GSM7
    assert list_replacements("\u201ca\u201c\u2026") == [("\u201c", '"'), ("\u2026", "...")]


def test_what_somebody_meant_to_say_stays():
    for text in ("Łukasz", "Привет", "🎉👩\u200d🚒", "你好", "@£$€{}[]~|\\^"):
        assert simplify(text) == text


def test_replacements_are_of_the_gsm_alphabet_and_what_they_replace_is_not():
    assert GSM7_CHARACTERS.issuperset("".join(REPLACEMENTS.values()))
    assert not GSM7_CHARACTERS & REPLACEMENTS.keys()


@given(st.text())
def test_twice_is_once_and_gsm_texts_stay(text: str):
    assert simplify(simplify(text)) == simplify(text)
    if choose_encoding(text) is Encoding.GSM7:
        assert simplify(text) == text
