import pytest
from hypothesis import given

from core.domain.reports.addresses import check_address
from core.domain.words.control_characters import find_control
from core.errors import InvalidInput
from tests.support.cases.nasty import fuzz, texts

FINE = [
    ("id", "01a223c9-0e8d-726e-96c4-4071c9f8d648"),
    ("campaign", "nope"),
    ("country", "DE"),
    ("country", "de"),
    ("delivery_status", "Delivered"),
    ("mccmnc", "262 01"),
    ("period", "Last 10 minutes"),
    ("from", "2026-01-31"),
    ("group", "Year,Network Code"),
    ("sort", "-delivery_rate"),
    ("price", "7.5000"),
    ("where", "Network|Contains|O'Neill & Söhne -- ; $$ {}"),
    ("receiver", "+49 (179) 654-87.54"),
    ("message_history_page", "12"),
    ("campaigns_search", "Frühling"),
    ("_", "period=Today&where=a|b|c"),
    ("outcome", "sent"),
    ("reason", "no price"),
]


@pytest.mark.parametrize(("name", "value"), FINE)
def test_what_pages_write_passes(name: str, value: str):
    check_address([(name, value), (name, "")])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "' OR 1=1"),
        ("campaign", "a;b"),
        ("country", "XX"),
        ("country", "DE'"),
        ("delivery_status", "Gone"),
        ("mccmnc", "a"),
        ("message_history_page", "9" * 400),
        ("message_history_size", "-1"),
        ("receiver", "1" * 201),
        ("period", "Today\x00"),
        ("error_code", "0\x00"),
        ("anything", "\ud800"),
        ("any\nthing", "x"),
        ("anything", "x" * 5_000),
    ],
)
def test_what_it_cannot_be_is_refused(name: str, value: str):
    with pytest.raises(InvalidInput):
        check_address([("period", "Today"), (name, value)])


def test_an_address_says_so_much_and_no_more():
    with pytest.raises(InvalidInput):
        check_address([("where", "a")] * 101)


@fuzz
@given(texts, texts)
def test_whatever_it_says_it_passes_clean_or_is_refused_in_words(name: str, value: str):
    for pair in ((name, value), *((known, value) for known, _ in FINE)):
        try:
            check_address([pair])
        except InvalidInput as error:
            error.message.encode()
            continue
        assert find_control("".join(pair)) is None
