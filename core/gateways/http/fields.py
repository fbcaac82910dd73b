"""What every form of a gateway over HTTP asks for, and what becomes of the answers."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

from core.domain.gateways.forms import Field, FieldKind, Value
from core.domain.gateways.gateways import Connection
from core.errors import ConfigurationError, InvalidInput
from core.gateways.callbacks import CallbackRequest, SignatureRefused
from core.gateways.http.client import Limits
from core.gateways.tls import make_tls

CONNECTIONS, CALLBACKS, MESSAGES = "Connections", "Callbacks", "Messages"
Network: TypeAlias = IPv4Network | IPv6Network

LIMITS = (
    Field(
        "connections",
        "Connections",
        FieldKind.NUMBER,
        10,
        least=1,
        most=200,
        section=CONNECTIONS,
        help="Per worker: requests that may wait for an answer; more send faster. What has none when a worker is "
        "killed is unknown.",
    ),
    Field(
        "connect_s",
        "Time to connect, seconds",
        FieldKind.NUMBER,
        5,
        least=1,
        most=60,
        section=CONNECTIONS,
        help="Nothing has been sent after this time: it is tried again.",
    ),
    Field(
        "answer_s",
        "Time to answer, seconds",
        FieldKind.NUMBER,
        30,
        least=1,
        most=300,
        section=CONNECTIONS,
        help="A message without an answer after this time is unknown.",
    ),
    Field(
        "ca",
        "Certificate authority",
        FieldKind.LONG_TEXT,
        section=CONNECTIONS,
        help="PEM certificates to trust instead of those of the system.",
    ),
)
NETWORKS = Field(
    "callback_networks",
    "Callbacks come from",
    section=CALLBACKS,
    help="Addresses or networks of the provider, separated by commas, such as 192.0.2.0/24. Empty: from anywhere.",
)
VALIDITY = Field(
    "validity_min",
    "Validity, minutes",
    FieldKind.NUMBER,
    0,
    # As long as any of these providers tries.
    most=4_320,
    section=MESSAGES,
    help="How long delivery is tried; 0 leaves it to the provider.",
)


def check_common(settings: Mapping[str, Value]) -> None:
    """Look at what is common to all of them. Raises: InvalidInput, with the *field*."""
    make_tls(str(settings.get("ca", "")))
    parse_networks(str(settings.get(NETWORKS.name, "")))
    check_url(str(settings["url"]))


def check_url(text: str, field: str = "url") -> str:
    """
    Return the address, without a slash at its end.

    It may be of a private network, where people have gateways of their own.
    Raises: InvalidInput: it is no http or https address, or has credentials in it, which would be seen.
    """
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or any(character.isspace() for character in text):
        raise InvalidInput(
            "The address cannot be used.", hint="Write it as your provider does: https://api.example.com.", field=field
        )
    if "{" in parts.netloc:
        raise InvalidInput("The host has a name in braces in it.", hint="Write the host as it is.", field=field)
    if "@" in parts.netloc:
        raise InvalidInput(
            "The address has a user or a password in it.",
            hint="Put them into their own fields, which nobody can read later.",
            field=field,
        )
    if parts.fragment:
        raise InvalidInput("The address has a # in it.", hint="Leave out what follows it.", field=field)
    return text.rstrip("/")


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks in *text*. Raises: InvalidInput: one of them is none."""
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise InvalidInput(
            f"One of the networks cannot be read: {error}.",
            hint="Write addresses or networks, such as 192.0.2.7 or 192.0.2.0/24.",
            field=NETWORKS.name,
        ) from error


def refuse_strangers(request: CallbackRequest, networks: Sequence[Network]) -> None:
    """Let what comes from one of *networks* pass, or anything without one. Raises: SignatureRefused."""
    if not networks:
        return
    try:
        address = ip_address(request.address)
    except ValueError:
        raise SignatureRefused("no address") from None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not any(address in network for network in networks):
        raise SignatureRefused("not from the provider's networks")


class Answers:
    """A form as it was filled in, defaults where it was before a field was added."""

    def __init__(self, form: Sequence[Field], connection: Connection) -> None:
        """Take the form, and what it became."""
        self._form = {each.name: each for each in form}
        self._connection = connection

    def _value(self, name: str) -> Value:
        return self._connection.settings.get(name, self._form[name].default)

    def text(self, name: str) -> str:
        """Return what was typed or chosen."""
        return str(self._value(name))

    def number(self, name: str) -> int:
        """Return the number."""
        return int(self._value(name))

    def is_on(self, name: str) -> bool:
        """Return whether the switch is on."""
        return bool(self._value(name))

    def secret(self, name: str) -> str:
        """Return the secret, "" without one. Raises: ConfigurationError: one that is required is missing."""
        value = self._connection.secrets.get(name, "")
        if not value and self._form[name].required:
            raise ConfigurationError(
                f"{self._form[name].label} of {self._connection.name} is missing.", hint="Set it on the gateway's page."
            )
        return value

    def limits(self) -> Limits:
        """Return within which limits the provider is asked. Raises: InvalidInput: a certificate that is none."""
        return Limits(
            self.number("connections"),
            float(self.number("connect_s")),
            float(self.number("answer_s")),
            make_tls(self.text("ca")),
        )

    def networks(self) -> tuple[Network, ...]:
        """Return where callbacks may come from. Raises: InvalidInput."""
        return parse_networks(self.text(NETWORKS.name))
