import time
import unicodedata
from pathlib import Path

import pytest

from core.domain.texts.simplifying import REPLACEMENTS
from core.domain.words.characters import NAMES, NormalForm, compose, name_character, name_characters, normalize


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


FORMS: tuple[NormalForm, ...] = ("NFC", "NFD", "NFKC", "NFKD")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("marks", ["\u0345\u0301", "\u0f73\u0301", "\uff9e\u0345\u0301"])
def test_marks_without_end_on_one_letter_take_no_time(form: NormalForm, marks: str):
    # A stranger's form holds so many, and while one thread puts them in order no other one runs.
    hostile = "a" + marks * (60_000 // len(marks))
    began = time.process_time()
    normalize(form, hostile)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "text", ["a\u0345\u0301" * 5_000, "e" + "\u0301" * 30, "\u1112\u1161\u11ab" * 2_000, "x" * 5_000]
)
def test_all_that_people_write_is_normalized_as_the_standard_has_it(form: NormalForm, text: str):
    assert normalize(form, text) == unicodedata.normalize(form, text)


def test_nobody_normalizes_a_text_in_another_way():
    root = Path(__file__).parents[4]
    files = [path for folder in ("core", "pages", "jobs") for path in (root / folder).rglob("*.py")]
    assert [path.name for path in files if "unicodedata.normalize" in path.read_text()] == ["characters.py"]
