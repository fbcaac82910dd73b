"""Trying a connection out, told in words to whoever has just set it up. A person waits for it: some ten seconds."""

import re
import socket
from dataclasses import replace
from urllib.parse import urlsplit

from core.domain.gateways.gateways import Connection
from core.errors import BadCredentials, Unavailable
from core.gateways.http.bodies import text_of
from core.gateways.http.client import ApiAnswer, ApiClient, ApiRequest, Limits, NoAnswer, NotSent
from core.gateways.network_faults import describe_fault

WITHIN_S = 10.0
_WORD = re.compile(r"[A-Za-z0-9_.+-]{1,20}")


def try_request(connection: Connection, limits: Limits, request: ApiRequest) -> ApiAnswer:
    """Return the provider's answer. Raises: Unavailable: there is none. BadCredentials: it says who asks may not."""
    client = ApiClient(_hurried(limits))
    try:
        answer = client.ask(request)
    except (NotSent, NoAnswer) as error:
        raise Unavailable(str(error), gateway=connection.name) from error
    finally:
        client.close()
    if answer.status in {401, 403}:
        raise BadCredentials(
            f"The provider refuses the credentials, or this machine's address (HTTP {answer.status}).",
            gateway=connection.name,
            provider_code=f"HTTP {answer.status}",
        )
    return answer


def read_word(found: object, name: str) -> str:
    """
    Return a number or a short word that an answer has under this name, to be shown; "" for anything else.

    Whoever answers there may not be the provider: nothing longer of it is anybody's to read.
    """
    text = text_of(found.get(name)) if isinstance(found, dict) else ""
    return text if _WORD.fullmatch(text) else ""


def unexpected(connection: Connection, answer: ApiAnswer) -> Unavailable:
    """Return the error of an answer that is not the provider's."""
    return Unavailable(
        f"Something answers at this address, but not as expected (HTTP {answer.status}).", gateway=connection.name
    )


def reach(connection: Connection, url: str, limits: Limits) -> str:
    """Connect, with TLS where the address has it, and return the host and port. Raises: Unavailable."""
    parts = urlsplit(url)
    host, within_s = parts.hostname or "", _hurried(limits).connect_s
    port = parts.port or (80 if parts.scheme == "http" else 443)
    try:
        with socket.create_connection((host, port), within_s) as plain:
            if parts.scheme == "https":
                limits.tls.wrap_socket(plain, server_hostname=host).close()
    except (OSError, UnicodeError) as error:
        raise Unavailable(describe_fault(error, host, port), gateway=connection.name) from error
    return f"{host}, port {port}"


def _hurried(limits: Limits) -> Limits:
    half_s = WITHIN_S / 2
    return replace(
        limits, connections=1, connect_s=min(limits.connect_s, half_s), answer_s=min(limits.answer_s, half_s)
    )
