"""Prices as providers write them: with signs, currencies, points and commas; and what they are in EUR."""

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

from core.errors import InvalidInput

EUR = "EUR"
# No currency is worth more than some euros; the weakest ones are a hundred-thousandth of one.
MOST_EUR = Decimal(1_000)
MOST_RATE_PLACES = 12
_LONGEST_PRICE = 40
# More digits than a price and a rate have together, so that their product is exact.
_EXACT = Context(prec=100)
# What the history keeps of an EUR cent.
_KEPT = Decimal("0.0001")

# What providers charge in.
CURRENCIES: tuple[str, ...] = tuple(
    re.findall(
        "[A-Z]{3}",
        "EUR USD GBP CHF SEK NOK DKK PLN CZK HUF RON BGN TRY AUD CAD NZD SGD HKD JPY CNY INR ZAR BRL MXN AED ILS",
    )
)
# As people and browsers write them. Source: Unicode CLDR, English, and usual shorter ones.
_SIGNS = {
    "US$": "USD",
    "CA$": "CAD",
    "AU$": "AUD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "SG$": "SGD",
    "MX$": "MXN",
    "CN¥": "CNY",
    "A$": "AUD",
    "C$": "CAD",
    "S$": "SGD",
    "R$": "BRL",
    "€": "EUR",
    "$": "USD",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
}
# One or two letters of their own make another sign of it, which may be one that is not known here.
_A_SIGN = re.compile("(?<![A-Za-z])[A-Z]{1,2}[$¥]|[$€£¥₹]")
# Signs that stand for another currency where the file says so.
_SHARED = {"$": frozenset(["USD", "AUD", "CAD", "NZD", "SGD", "HKD", "MXN"]), "¥": frozenset(["JPY", "CNY"])}
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
    if len(text) > _LONGEST_PRICE:
        return None
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
    return named or _SIGNS.get(_find_sign(text), "")


def _find_sign(text: str) -> str:
    found = _A_SIGN.search(text)
    return found[0] if found else ""


def currency_of(price: str, said: str, header: str) -> str | None:
    """
    Return the currency of a *price*: of its own sign or code, else what the row *said*, else what the *header* names.

    *said* is the cell of the file's column of currencies; any three letters are one. EUR where nothing names another;
    None when *said* is no currency, or price and row name two.
    """
    word = said.strip()
    named = find_currency(word) or (word.upper() if re.fullmatch("[A-Za-z]{3}", word) else "")
    if word and not named:
        return None
    named = named or find_currency(header)
    own = find_currency(price)
    if not own or own == named:
        return named or EUR
    if named in _SHARED.get(_find_sign(price), ()):
        return named
    # A header is about all rows, and this one knows better.
    return None if word else own


def to_eur_cents(amount: Decimal, rate: Decimal, *, is_cents: bool) -> Decimal:
    """
    Return *amount* of a currency in EUR cents, *rate* being what one unit of it is in EUR.

    The product is exact and rounded once, to a ten-thousandth of an EUR cent, half to even. *is_cents* when the amount
    counts hundredths of the unit.
    """
    product = _EXACT.multiply(amount, rate)
    return (product if is_cents else _EXACT.multiply(product, Decimal(100))).quantize(_KEPT, ROUND_HALF_EVEN, _EXACT)


def parse_rate(text: str, currency: str) -> Decimal:
    """Return what one unit of *currency* is in EUR. Raises: InvalidInput: it is none, or out of bounds."""
    written = text.strip().replace(",", ".")
    if len(written) > _LONGEST_PRICE or not re.fullmatch(r"\d+(?:\.\d*)?|\.\d+", written, re.ASCII):
        raise InvalidInput(
            f"{text[:_LONGEST_PRICE]!r} is not a rate for {currency}.",
            hint=f"Write what 1 {currency} is in EUR, such as 0.92.",
            field="rates",
        )
    rate = Decimal(written)
    check_rate(currency, rate)
    return rate


def check_rate(currency: str, rate: Decimal) -> None:
    """Refuse a rate that cannot be. Raises: InvalidInput."""
    exponent = rate.as_tuple().exponent
    if not 0 < rate <= MOST_EUR or not isinstance(exponent, int) or -exponent > MOST_RATE_PLACES:
        raise InvalidInput(
            f"1 {currency} cannot be {rate:f} EUR.",
            hint=f"A rate is more than 0, at most {MOST_EUR}, and has up to {MOST_RATE_PLACES} decimal places.",
            field="rates",
        )


def check_rates(rates: Mapping[str, Decimal]) -> None:
    """Refuse rates that cannot be used. Raises: InvalidInput."""
    for currency, rate in rates.items():
        if not re.fullmatch("[A-Z]{3}", currency) or currency == EUR:
            raise InvalidInput(
                f"There is no rate for {currency!r}.",
                hint="Rates are for currencies other than EUR, by their three letters.",
                field="rates",
            )
        check_rate(currency, rate)


def say_rates(rates: Mapping[str, Decimal]) -> str:
    """Return the rates as a person reads them; "" for none."""
    return ", ".join(f"1 {currency} = {rate:f} EUR" for currency, rate in rates.items())


def ask_rates(currencies: Sequence[str], *, is_begun: bool = False) -> InvalidInput:
    """Return the refusal of prices in *currencies* that have no rate; of a file whose import *is_begun*, far down."""
    begin = "Upload the file again with “Show me the columns first” and say" if is_begun else "Say"
    return InvalidInput(
        f"There are prices in {', '.join(currencies)}, but no rates for them.",
        hint=f"{begin} what 1 {currencies[0]} is in EUR; until then, nothing is imported.",
        field="rates",
    )


def _without_sign(text: str) -> str:
    """Return *text* without currency, sign and brackets, in whichever order they stand; one of each."""
    text = _SIGN.sub("", _CURRENCY.sub("", text))
    if text.startswith("(") and text.endswith(")"):
        text = _SIGN.sub("", _CURRENCY.sub("", text[1:-1]))
    return _CURRENCY.sub("", text)
