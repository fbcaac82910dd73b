"""Countries by ISO 3166-1 alpha-2 code."""

from functools import cache
from pathlib import Path

from core.domain.data_files import read_table

# What people write for a code or a name that the table has otherwise.
_ALIASES = {"UK": "GB", "USA": "US", "EL": "GR", "UNITED KINGDOM": "GB", "UNITED STATES OF AMERICA": "US"}


def country_name(iso2: str) -> str:
    """Return the English name of the country with code *iso2*; an unknown code is its own name, "" stays ""."""
    return list_countries().get(iso2, iso2)


@cache
def list_countries() -> dict[str, str]:
    """Return every country's English name by its code."""
    return {row["code"]: row["name"] for row in read_table(Path(__file__).with_name("countries.csv"))}


def find_country(text: str) -> str | None:
    """Return the code of the country whose code or English name *text* is, in any case; None when it is neither."""
    upper = text.upper()
    code = _ALIASES.get(upper, upper)
    return code if code in list_countries() else _codes_by_name().get(text.casefold())


@cache
def _codes_by_name() -> dict[str, str]:
    return {name.casefold(): code for code, name in list_countries().items()}
