"""
Where a number leads: country and network.

The network is the one its number range was given to. Subscribers may have taken the number elsewhere since (number
portability), which only a lookup or a delivery receipt can tell; the latter overrules what is found here.
How the tables were made: docs/decisions/0005-networks-data.md. Begin with `msisdn` and `plans`, which read single
numbers; `ranges` has all there are, for many at once.
"""

from dataclasses import dataclass

from core.domain.numbering.countries import country_name, find_country, list_countries
from core.domain.numbering.networks import Network, find_carrier, list_networks, network_of
from core.domain.numbering.plans import find_exact_number

__all__ = [
    "Destination",
    "Network",
    "country_name",
    "find_country",
    "get_destination",
    "list_countries",
    "list_networks",
]


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


def get_destination(msisdn: str) -> Destination:
    """
    Return where *msisdn* (as `parse_msisdn` returns it) leads.

    Landlines, unassigned ranges and countries whose ranges belong to no single network have no network.
    """
    number = find_exact_number(msisdn.removeprefix("+"))
    if number is None:
        return Destination(msisdn, "", "", "")
    network = network_of(number.country, find_carrier(number.digits) if number.has_carrier else "")
    return Destination(msisdn, number.country, network.name, network.mccmnc)
