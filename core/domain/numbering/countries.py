"""Countries by ISO 3166-1 alpha-2 code."""

from functools import cache

from core.domain.numbering.tables import read_table


def country_name(iso2: str) -> str:
    """Return the English name of the country with code *iso2*; an unknown code is its own name, "" stays ""."""
    return list_countries().get(iso2, iso2)


@cache
def list_countries() -> dict[str, str]:
    """Return every country's English name by its code."""
    return {row["code"]: row["name"] for row in read_table("countries.csv")}
