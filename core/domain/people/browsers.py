"""What a browser calls itself, in words its owner recognises, and where it is."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Network, ip_address

# In this order: most browsers also claim to be those below them.
_PROGRAMS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"))
_LATER_PROGRAMS = (("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


_LONGEST_ADDRESS = 64


def tidy_address(address: str) -> str:
    """
    Return where a browser says it is, as it is kept: a proxy passes on what anybody wrote into a header.

    An address has one spelling, the one its owner knows: whoever listens on IPv6 sees IPv4 in disguise.
    """
    shown = "".join(character for character in address if character.isprintable())
    try:
        return _address(shown)
    except ValueError:
        return shown[:_LONGEST_ADDRESS]


def describe_agent(agent: str) -> str:
    """Return for example "Firefox on Windows" for a User-Agent header; "Unknown browser" when nothing is known."""
    program = next((name for part, name in (*_PROGRAMS, *_LATER_PROGRAMS) if part in agent), "")
    system = next((name for part, name in _SYSTEMS if part in agent), "")
    if not program and not system:
        return "Unknown browser"
    return f"{program or 'A browser'} on {system}" if system else program


# Asked for each of a thousand connections whenever another one comes.
@lru_cache(maxsize=16_384)
def network_of(address: str) -> str:
    """Return what one person can choose addresses from: of IPv6 the /64, of IPv4 the address itself."""
    try:
        found = ip_address(_address(address))
    except ValueError:
        return address
    return str(found) if isinstance(found, IPv4Address) else str(IPv6Network((int(found) >> 64 << 64, 64)))


def _address(text: str) -> str:
    """Return the address without its zone, of IPv4 within IPv6 the former. Raises: ValueError: it is none."""
    found = ip_address(text.partition("%")[0])
    return str(found if isinstance(found, IPv4Address) else found.ipv4_mapped or found)
