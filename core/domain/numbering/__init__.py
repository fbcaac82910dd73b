"""
Where a number leads: country and network.

The network is the one its number range was given to. Subscribers may have taken the number elsewhere since (number
portability), which only a lookup or a delivery receipt can tell; the latter overrules what is found here.
How the tables were made: docs/decisions/0005-networks-data.md.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from phonenumbers.carrierdata import CARRIER_DATA

from core.domain.data_files import read_table
from core.domain.numbering.countries import country_name, find_country, list_countries
from core.domain.numbering.plans import find_number

__all__ = [
    "Destination",
    "Network",
    "country_name",
    "find_country",
    "get_destination",
    "list_countries",
    "list_networks",
]

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Destination:
    """
    Where a message to *msisdn* goes.

    *country* is ISO 3166-1 alpha-2, "" for numbers of no country (satellite phones). *network* is the brand name and
    *mccmnc* its five or six digits, each "" when not known.
    """

    msisdn: str
    country: str
    network: str
    mccmnc: str


@dataclass(frozen=True, slots=True)
class Network:
    """A mobile network: ISO 3166-1 alpha-2 code ("" for international ones), brand name, MCC and MNC together."""

    country: str
    name: str
    mccmnc: str


def get_destination(msisdn: str) -> Destination:
    """
    Return where *msisdn* (as `parse_msisdn` returns it) leads.

    Landlines, unassigned ranges and countries whose ranges belong to no single network have no network.
    """
    number = find_number(msisdn.removeprefix("+"))
    if number is None:
        return Destination(msisdn, "", "", "")
    carrier = _find_carrier(number.digits) if number.has_carrier else ""
    if not carrier:
        return Destination(msisdn, number.country, "", "")
    network = _networks_by_carrier().get((number.country, carrier))
    if network is None:
        return Destination(msisdn, number.country, carrier, "")
    return Destination(msisdn, number.country, network.name, network.mccmnc)


@cache
def list_networks() -> tuple[Network, ...]:
    """
    Return all known networks, ordered by MCC and MNC.

    A network that serves several countries (French Antilles) is there once for each.
    """
    return tuple(
        Network(row["country"], row["name"], row["mcc"] + row["mnc"]) for row in read_table(_HERE / "networks.csv")
    )


@cache
def _networks_by_carrier() -> dict[tuple[str, str], Network]:
    networks = {(network.country, network.mccmnc): network for network in list_networks()}
    return {
        (row["country"], row["carrier"]): networks[row["country"], row["mccmnc"]]
        for row in read_table(_HERE / "carriers.csv")
        if row["mccmnc"]
    }


def _find_carrier(digits: str) -> str:
    """Return the name phonenumbers has for the longest known prefix of *digits*, or ""."""
    names, lengths = _carriers()
    for length in lengths:
        name = names.get(digits[:length])
        if name is not None:
            return name
    return ""


@cache
def _carriers() -> tuple[dict[str, str], tuple[int, ...]]:
    names = {prefix: by_language["en"] for prefix, by_language in CARRIER_DATA.items() if "en" in by_language}
    return names, tuple(sorted({len(prefix) for prefix in names}, reverse=True))
