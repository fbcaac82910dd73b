"""Mobile networks, and which number ranges are whose (docs/decisions/0005-networks-data.md)."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from phonenumbers.carrierdata import CARRIER_DATA

from core.domain.data_files import read_table

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Network:
    """A mobile network: ISO 3166-1 alpha-2 code ("" for international ones), brand name, MCC and MNC together."""

    country: str
    name: str
    mccmnc: str


@cache
def list_networks() -> tuple[Network, ...]:
    """
    Return all known networks, ordered by MCC and MNC.

    A network that serves several countries (French Antilles) is there once for each.
    """
    return tuple(
        Network(row["country"], row["name"], row["mcc"] + row["mnc"]) for row in read_table(_HERE / "networks.csv")
    )


def network_of(country: str, carrier: str) -> Network:
    """Return the network that phonenumbers calls *carrier*; by that name and without a code where it is not known."""
    return _networks_by_carrier().get((country, carrier)) or Network(country, carrier, "")


def find_carrier(digits: str) -> str:
    """Return the name phonenumbers has for the longest known prefix of *digits*, or ""."""
    names, lengths = _carriers()
    for length in lengths:
        name = names.get(digits[:length])
        if name is not None:
            return name
    return ""


@cache
def _networks_by_carrier() -> dict[tuple[str, str], Network]:
    networks = {(network.country, network.mccmnc): network for network in list_networks()}
    return {
        (row["country"], row["carrier"]): networks[row["country"], row["mccmnc"]]
        for row in read_table(_HERE / "carriers.csv")
        if row["mccmnc"]
    }


@cache
def _carriers() -> tuple[dict[str, str], tuple[int, ...]]:
    names = {prefix: by_language["en"] for prefix, by_language in CARRIER_DATA.items() if "en" in by_language}
    return names, tuple(sorted({len(prefix) for prefix in names}, reverse=True))
