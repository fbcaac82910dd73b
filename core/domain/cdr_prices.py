"""Prices as providers write them: with signs, currencies, points and commas."""

import re
from decimal import Decimal, InvalidOperation

# What providers charge in.
CURRENCIES: tuple[str, ...] = tuple(
    re.findall(
        "[A-Z]{3}",
        "EUR USD GBP CHF SEK NOK DKK PLN CZK HUF RON BGN TRY AUD CAD NZD SGD HKD JPY CNY INR ZAR BRL MXN AED ILS",
    )
)
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR"}
_NAMES = "|".join([*CURRENCIES, *map(re.escape, _SIGNS)])
_CURRENCY = re.compile(rf"^(?:{_NAMES})|(?:{_NAMES})$", re.IGNORECASE)
# Hyphen, plus, and the minus that typographers use.
_SIGN = re.compile("^[-+\u2212]")


def parse_price(cell: str) -> Decimal | None:
    """
    Return the amount in *cell*, with a decimal point or comma; None when it is none.

    What a message costs has no sign: providers book it as a charge (-0.0079, or (0.0079) as accountants write it). A
    currency's sign or code beside it is passed over: `find_currency` knows it.
    """
    text = _without_sign(re.sub(r"\s", "", cell))
    if "," in text:
        # The last of two different signs is the decimal one.
        text = text.replace(".", "").replace(",", ".") if text.rfind(",") > text.rfind(".") else text.replace(",", "")
    if not re.fullmatch(r"(?:\d{1,7}(?:\.\d*)?|\.\d+)(?:[eE]-\d{1,2})?", text, re.ASCII):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def find_currency(text: str) -> str:
    """Return the ISO 4217 code of the currency that a price, or a currency's cell or header, names; "" for none."""
    # Headers such as PriceInUSD have no break before it.
    for code in CURRENCIES:
        if re.search(rf"(?:^|[^A-Z]|[a-z]){code}(?:$|[^A-Za-z])", text) or text.strip().upper() == code:
            return code
    words = re.split(r"[\W_\d]+", text.upper())
    named = next((code for code in CURRENCIES if code in words), "")
    return named or next((code for sign, code in _SIGNS.items() if sign in text), "")


def _without_sign(text: str) -> str:
    """Return *text* without currency, sign and brackets, in whichever order they stand; one of each."""
    text = _SIGN.sub("", _CURRENCY.sub("", text))
    if text.startswith("(") and text.endswith(")"):
        text = _SIGN.sub("", _CURRENCY.sub("", text[1:-1]))
    return _CURRENCY.sub("", text)
