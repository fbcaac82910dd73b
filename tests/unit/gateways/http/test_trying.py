import pytest

from core.gateways.http.trying import read_word


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (47.79, "47.79"),
        ("-0.05", "-0.05"),
        ("active", "active"),
        ("![x](http://elsewhere.example/x.png)", ""),
        ("<b>hi</b>", ""),
        ("12\u202e.5", ""),
        ("two words", ""),
        ("root:x:0:0", ""),
        ("x" * 21, ""),
        ("9" * 4_000, ""),
        ("line\nline", ""),
        ({"value": 1}, ""),
        (None, ""),
    ],
)
def test_of_an_answer_a_number_or_a_word_is_shown_and_nothing_else(value: object, shown: str):
    assert read_word({"said": value}, "said") == shown


@pytest.mark.parametrize("found", [None, [], "text", 5, {}])
def test_what_is_no_object_says_nothing(found: object):
    assert read_word(found, "said") == ""
