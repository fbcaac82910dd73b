"""One of a thing is said otherwise than several."""

import pytest

from core.domain.words.counting import agree, count_of


@pytest.mark.parametrize(("count", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (2000, "2\u202f000 rows")])
def test_a_number_with_its_noun(count: int, text: str) -> None:
    assert count_of(count, "row", "rows") == text


def test_a_verb_goes_with_its_number() -> None:
    assert [agree(count, "has", "have") for count in (0, 1, 2)] == ["have", "has", "have"]
