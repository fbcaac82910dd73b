"""What goes wrong with an SMSC, in words that say what to do about it."""

from collections.abc import Mapping

from core.errors import BadCredentials, GatewayError, Unavailable
from core.gateways.network_faults import describe_fault
from core.gateways.smpp.pdu import Status

# Source: SMPP 3.4, section 5.1.3. What each one usually means at a bind.
_BIND_REFUSALS: Mapping[int, str] = {
    Status.INVALID_PASSWORD: "The password is wrong.",
    Status.INVALID_SYSTEM_ID: "The system ID is not known there.",
    Status.BIND_FAILED: "The SMSC refuses the bind: wrong system ID or password, an address that is not on the "
    "provider's list, or as many sessions as the contract allows.",
    Status.ALREADY_BOUND: "The SMSC has as many sessions of this system ID as it allows.",
    Status.WRONG_BIND_STATUS: "The SMSC does not allow this kind of bind.",
    Status.INVALID_COMMAND_ID: "The SMSC does not know this kind of bind: choose separate binds to send and receive.",
    Status.SYSTEM_ERROR: "The SMSC has an error of its own.",
    Status.THROTTLED: "The SMSC is asked too often.",
}
# Nobody but a person can change these. A failed bind may be a session that has not ended yet: it is tried again.
_OF_CREDENTIALS = frozenset({Status.INVALID_PASSWORD, Status.INVALID_SYSTEM_ID})


class BindRefused(Exception):
    """The SMSC has answered a bind with a *status* that is not 0."""

    def __init__(self, status: int) -> None:
        super().__init__(f"bind refused with 0x{status:08X}")
        self.status = status


def describe(error: BaseException, host: str, port: int) -> str:
    """Return what happened in words, with where."""
    if isinstance(error, BindRefused):
        words = _BIND_REFUSALS.get(error.status, "The SMSC refuses the bind.")
        return f"{words} (0x{error.status:08X})"
    return describe_fault(error, host, port)


def unreachable(fault: str, refusal: int, gateway: str) -> GatewayError:
    """Return the error of a gateway without any bind, by the last thing that went wrong, *fault* in words."""
    code = f"0x{refusal:08X}" if refusal else ""
    words = fault or "There is no connection to the SMSC yet."
    if refusal in _OF_CREDENTIALS:
        return BadCredentials(words, gateway=gateway, provider_code=code)
    return Unavailable(words, gateway=gateway, provider_code=code)
