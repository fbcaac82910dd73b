import pytest

from core.domain.texts.no_values import MOST_CHARACTERS, NO_VALUES, is_no_value


@pytest.mark.parametrize(
    "cell", ["#N/A", "NULL", "nan", "None", "n/a", " #NV\u00a0", "(null)", "NaN", "\\N", "#DIV/0!", "-Infinity"]
)
def test_what_programs_write_for_nothing_is_no_value(cell: str):
    assert is_no_value(cell)


@pytest.mark.parametrize("cell", ["", "  ", "Nana", "Noneill", "No", "-", "0", "Null Island", "Na", "Inf."])
def test_what_somebody_may_have_meant_is_a_value(cell: str):
    assert not is_no_value(cell)


def test_the_table_is_written_as_it_is_compared():
    assert all(word == word.strip().lower() for word in NO_VALUES)
    assert max(map(len, NO_VALUES)) == MOST_CHARACTERS
