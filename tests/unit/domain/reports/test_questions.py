from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.domain.reports.questions import refuse_odd_question
from core.errors import InvalidInput


@dataclass(frozen=True)
class Inner:
    term: str = "fine"


@dataclass(frozen=True)
class Question:
    sender: str = "fine"
    ids: frozenset[str] = frozenset({"a"})
    inner: tuple[Inner, ...] = (Inner(),)
    names: tuple[tuple[str, str], ...] = ()
    at: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    price: Decimal | None = None
    content: bytes = b"\x00"


def test_what_can_be_meant_passes():
    refuse_odd_question(Question("'; DROP TABLE x; -- $$ {0} é", inner=()))
    refuse_odd_question({"a": ["b", {"c": "d"}], "e": None})


@pytest.mark.parametrize("odd", ["\x00", "a\nb", "\x7f", "\ud800", "x\udfff"])
@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda odd: Question(sender=odd), "sender"),
        (lambda odd: Question(ids=frozenset({"a", odd})), "ids"),
        (lambda odd: Question(inner=(Inner(), Inner(odd))), "term"),
        (lambda odd: Question(names=(("a", odd),)), "names"),
        (lambda odd: {odd: "x"}, "question"),
        (lambda odd: {"x": odd}, "question"),
    ],
)
def test_an_odd_text_is_found_wherever_it_is_and_named(make, field: str, odd: str):
    with pytest.raises(InvalidInput) as caught:
        refuse_odd_question(make(odd))
    assert caught.value.field == field
    caught.value.message.encode()
