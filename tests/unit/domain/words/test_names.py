import pytest

from core.domain.words.names import check_name
from core.errors import InvalidInput


def test_spaces_are_tidied():
    assert check_name("  Spring \t guests ", "list") == "Spring guests"


@pytest.mark.parametrize("name", ["abc", "x" * 50, "Žluťoučký kůň", "名前です"])
def test_three_to_fifty_characters_of_any_script_are_fine(name: str):
    assert check_name(name, "list") == name


@pytest.mark.parametrize("name", ["", "ab", " a ", "x" * 51, "nul\x00nul", "bell\x07", "zero\u200bwidth"])
def test_other_names_are_refused_with_what_to_do(name: str):
    with pytest.raises(InvalidInput) as caught:
        check_name(name, "campaign")
    assert "campaign name" in caught.value.message
    assert "3 to 50" in caught.value.hint
    assert caught.value.field == "name"
