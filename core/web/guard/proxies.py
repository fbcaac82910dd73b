"""
Who asks, where a proxy stands in between.

Anybody can write the headers by which a proxy tells its clients' addresses and scheme; they count only when they come
from a proxy that the settings name, and are gone after that.
"""

import logging
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import ConfigurationError

_log = logging.getLogger(__name__)

Network = IPv4Network | IPv6Network
_PREFIXES = (b"x-forwarded-", b"x-real-ip", b"forwarded")
_SCHEMES = {"http": "", "https": "s", "ws": "", "wss": "s"}


def warn_of_second_trust(environment: Mapping[str, str]) -> None:
    """Say so where the server believes proxies by itself, before the settings are asked; the Procfile forbids it."""
    if environment.get("FORWARDED_ALLOW_IPS") != "":
        _log.warning("server_trusts_proxies", extra={"hint": "start with FORWARDED_ALLOW_IPS= as the Procfile does"})


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the addresses and networks in *text*. Raises: ConfigurationError: one of them is none."""
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"HELIOGRAPH_TRUSTED_PROXIES: {error}.",
            hint="Write addresses or networks, such as 10.0.0.5 or 10.0.0.0/24.",
        ) from error


def is_trusted(text: str, networks: Sequence[Network]) -> bool:
    """Return whether the address *text* is in one of the *networks*; what is no address is in none."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


class Proxies:
    """ASGI middleware, the outermost: everything inside sees the browser's address and scheme."""

    def __init__(self, app: ASGIApp, *, trusted: Sequence[Network]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the browser's address and scheme into the scope, and take the headers away that claim to know them."""
        if scope["type"] in {"http", "websocket"}:
            scope = {**scope, **self._seen(scope)}
            scope["headers"] = [pair for pair in scope["headers"] if not pair[0].lower().startswith(_PREFIXES)]
        await self._app(scope, receive, send)

    def _seen(self, scope: Scope) -> dict[str, object]:
        peer = scope["client"][0] if scope.get("client") else ""
        if not is_trusted(peer, self._trusted):
            return {}
        headers = Headers(scope=scope)
        found: dict[str, object] = {}
        # Each proxy appends whom it saw; the last one that is no proxy of ours is the browser.
        for named in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
            address = _address(named)
            if not address:
                break
            found["client"] = (address, 0)
            if not is_trusted(address, self._trusted):
                break
        scheme = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
        if scheme in _SCHEMES:
            found["scheme"] = ("ws" if scope["type"] == "websocket" else "http") + _SCHEMES[scheme]
        return found


def _address(named: str) -> str:
    """Return the address of what a proxy wrote, with a port or not, or "" where it is none."""
    text = named.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
