import pytest

from core.domain.texts.simplifying import REPLACEMENTS
from core.domain.words.characters import NAMES, compose, name_character, name_characters


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\u00a0", "no-break space"),
        ("\t", "tab"),
        ("\u200f", "right-to-left mark"),
        ("\u200b", "zero-width space"),
        ("\u0301", "combining acute accent (U+0301)"),
        ("\u0007", "U+0007"),
        ("\ue000", "U+E000"),
        ("Ł", "Ł"),
        ("\u201c", "\u201c"),
    ],
)
def test_what_nobody_sees_is_called_by_name(character: str, name: str):
    assert name_character(character) == name


def test_what_can_be_seen_comes_first():
    assert name_characters("\u200fŁ\tń") == "Ł ń, right-to-left mark, tab"
    assert name_characters("") == ""


def test_every_replaced_blank_has_a_name_of_its_own():
    unseen = [old for old in REPLACEMENTS if old.isspace() or not old.isprintable()]
    assert all(name_character(old) != old for old in unseen)
    assert all(name.strip() for name in NAMES.values())


@pytest.mark.parametrize(
    ("typed", "composed"), [("Cafe\u0301", "Caf\u00e9"), ("a\u030a", "\u00e5"), ("\u0301", "\u0301"), ("A", "A")]
)
def test_letters_are_put_in_one_piece(typed: str, composed: str):
    assert compose(typed) == composed
