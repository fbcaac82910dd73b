from decimal import Decimal

import pytest

from core.domain.imports.cdr_prices import currency_of, parse_price


@pytest.mark.parametrize(
    ("price", "said", "header", "currency"),
    [
        ("0.01", "", "Price", "EUR"),
        ("0.01", "", "Price USD", "USD"),
        ("0.01", "USD", "Price EUR", "USD"),
        # Any three letters are a currency of the row's.
        ("0.01", "xof", "", "XOF"),
        # A sign that several have is the one of the row.
        ("$0.01", "CAD", "", "CAD"),
        ("$0.01", "", "Price CAD", "CAD"),
        # A header is about all rows, and a price of its own currency knows better.
        ("$0.01", "", "Price EUR", "USD"),
        ("0.01 GBP", "", "", "GBP"),
        ("CA$0.01", "", "", "CAD"),
        ("0.01", "R$", "", "BRL"),
        ("0.01", "HK$", "", "HKD"),
        ("0.01", "", "PRICE$", "USD"),
        # The sign of a currency that is not known here is no other one's.
        ("0.01", "NT$", "", None),
        # Two of them, or none that is known: it is not taken for EUR.
        ("$0.01", "EUR", "", None),
        ("£0.01", "CAD", "", None),
        ("0.01", "coins", "", None),
    ],
)
def test_a_price_is_of_what_it_the_row_or_the_header_names(price: str, said: str, header: str, currency: str | None):
    assert currency_of(price, said, header) == currency


@pytest.mark.parametrize("price", ["CA$0.05", "-CA$0.05", "0,05 R$", "CN¥0.05", "US$ 0.05", "A$0.05"])
def test_a_price_is_read_without_its_sign(price: str):
    assert parse_price(price) == Decimal("0.05")
