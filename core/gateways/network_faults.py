"""Why a connection failed, in words that say what to do about it."""

import socket
import ssl
from collections.abc import Sequence

# The narrower ones first: each is an OSError too.
_FAULTS: Sequence[tuple[type[BaseException], str]] = (
    (socket.gaierror, "The name {host} is not found."),
    (ssl.SSLCertVerificationError, "The certificate of {where} is not trusted: {why}."),
    (ssl.SSLError, "TLS with {where} failed: {why}."),
    (TimeoutError, "No answer from {where}."),
    (ConnectionRefusedError, "Nothing listens at {where}: the connection is refused."),
    (ConnectionError, "The connection to {where} was closed by the other side."),
)
# What OpenSSL calls an answer that is no TLS at all, as from a port that is not encrypted.
_NO_TLS = "WRONG_VERSION_NUMBER"


def describe_fault(error: BaseException, host: str, port: int) -> str:
    """Return what happened in words, with where."""
    facts = {"host": host, "where": f"{host}, port {port}", "why": _reason(error)}
    for kind, words in _FAULTS:
        if isinstance(error, kind):
            return words.format_map(facts)
    return f"{facts['where']} cannot be reached: {getattr(error, 'strerror', None) or error}."


def _reason(error: BaseException) -> str:
    """Return why TLS failed, without a period: some of OpenSSL's sentences end in one."""
    reason = str(getattr(error, "verify_message", None) or getattr(error, "reason", None) or "")
    return "it does not speak TLS" if reason in ("", _NO_TLS) else reason.rstrip(".")
