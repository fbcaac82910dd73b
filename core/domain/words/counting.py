"""Numbers with their words: one of a thing is said otherwise than several; and amounts of money."""

from decimal import Decimal

# Groups of digits are kept apart by a narrow no-break space (ISO 80000-1), a value and its unit by a no-break space.
THIN, FIXED = "\u202f", "\u00a0"


def agree(count: int, one: str, several: str) -> str:
    """Return the word that goes with *count*: "has" with 1, "have" with 0 and 2."""
    return one if count == 1 else several


def grouped(value: float | Decimal, decimals: int = 0) -> str:
    """Return the number with so many *decimals*, its digits in groups of three: 12345 -> "12 345"."""
    return f"{value:,.{decimals}f}".replace(",", THIN)


def count_of(count: int, one: str, several: str) -> str:
    """Return the number with its noun: "1 row", "2 000 rows"."""
    return f"{grouped(count)} {agree(count, one, several)}"


def in_euros(cents: Decimal) -> str:
    """Return an amount of EUR cents with two decimals, and more only where they carry something: "€ 1 234.50"."""
    whole, _, fraction = grouped(cents / 100, 6).partition(".")
    return f"€{FIXED}{whole}.{fraction.rstrip('0').ljust(2, '0')}"
