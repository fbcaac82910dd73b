"""How the SMSC behaves, and what it does wrong on purpose."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from zlib import crc32

from core.errors import InvalidInput
from core.gateways.simulator.gateway import MAX_TPS
from core.gateways.simulator.profiles import NetworkProfile, profile_of

_MAX_U32 = 2**32
# Ten days: longer than anybody waits.
_SECONDS_MOST = 864_000
# Slower than so, some receipts would come after the end of all calendars.
SPEED_LEAST = 0.001


class ReceiptForm(StrEnum):
    """The ways in which providers deviate from each other in their receipts; several may be chosen."""

    # The form of the specification's appendix B: dates to the minute.
    TEXT = "text"
    SECONDS = "seconds"
    LOWERCASE = "lowercase"
    # Nothing but receipted_message_id, message_state and network_error_code.
    TLV = "tlv"
    # The text in message_payload, with an empty short_message.
    PAYLOAD = "payload"
    # The beginning of the message's text reads like a part of the receipt.
    SECOND_STAT = "second-stat"
    # The id in hexadecimal in the response, in decimal in the receipt.
    HEX_RESPONSE = "hex-response"
    # The other way round.
    HEX_RECEIPT = "hex-receipt"
    # The id with leading zeros in the receipt, without in the response.
    ZERO_PADDED = "zero-padded"
    # With the esm_class of a reply.
    UNMARKED = "unmarked"
    BEFORE_RESPONSE = "before-response"


@dataclass(frozen=True)
class SmscBehavior:
    """
    What an account of this SMSC gets; rates are shares 0..1.

    Args:
        accounts: Passwords by system id.
        binds_max: Binds of one system id at a time.
        window: Submits of one bind that may wait for their response; further ones are refused.
        deliver_window: deliver_sm of one bind that may wait for their response.
        rate_tps: Segments per second of one system id; further ones are throttled.
        seed: Decides what happens to each message, as in the simulator.
        speed: How many times faster than life receipts and replies come.
        forms: The forms of the receipts.
        reply_rate: Share of the receivers that answer.
        enquire_s: Seconds of silence after which the SMSC asks whether somebody is there.
        bind_s: Seconds that the other side has to bind.
        response_s: Seconds that it has for any other response.
        again_s: Seconds after which a deliver_sm that was refused comes again.
        profile_of: Gives a network's profile by the seed and the network's name.
    """

    accounts: Mapping[str, str]
    binds_max: int = 10
    window: int = 1_000
    deliver_window: int = 100
    rate_tps: float = MAX_TPS
    seed: int = 0
    speed: float = 1.0
    forms: frozenset[ReceiptForm] = frozenset({ReceiptForm.TEXT})
    reply_rate: float = 0.0
    enquire_s: float = 30.0
    bind_s: float = 10.0
    response_s: float = 10.0
    again_s: float = 1.0
    profile_of: Callable[[int, str], NetworkProfile] = field(default=profile_of, repr=False)


@dataclass(frozen=True)
class Faults:
    """
    What goes wrong on purpose; nothing by default. Shares are 0..1 of the receipts.

    Args:
        bind_status: Every bind is refused with this command_status.
        submit_status: Every submit is refused with this command_status.
        drop_every: Of so many submits one is taken, and its connection dropped instead of a response; 0: none.
        answer_s: Seconds that a response to a submit is late.
        silent: Submits are taken and never answered; everything else is.
        deaf: Nothing is read at all, as by a process that hangs.
        receipts_twice: Share of receipts that come twice.
        receipts_late_s: Seconds that every receipt is late.
        receipts_early: Every receipt is sent before the response to its submit.
        receipts_garbled: Share of receipts that come in a form nobody can read, before the readable one.
    """

    bind_status: int = 0
    submit_status: int = 0
    drop_every: int = 0
    answer_s: float = 0.0
    silent: bool = False
    deaf: bool = False
    receipts_twice: float = 0.0
    receipts_late_s: float = 0.0
    receipts_early: bool = False
    receipts_garbled: float = 0.0


FAULT_NAMES = tuple(each.name for each in fields(Faults))


def change_faults(faults: Faults, changes: Mapping[str, object]) -> Faults:
    """
    Return *faults* with some of them changed; what is not named stays.

    Raises: InvalidInput: there is no such fault, or it cannot be that: of another kind or negative.
    """
    kept = asdict(faults)
    for name, value in changes.items():
        if name not in kept:
            raise InvalidInput(f"There is no fault {name!r}.", hint=f"Use one of: {', '.join(FAULT_NAMES)}.")
        kind = type(kept[name])
        # A whole number is a number, a truth is not.
        fits = isinstance(value, bool) == (kind is bool) and isinstance(value, int if kind is int else (int, float))
        if not (fits and isinstance(value, int | float) and 0 <= value <= _most(name, kind)):
            raise InvalidInput(f"The fault {name} cannot be {value!r}.", hint=f"It is {_WORDS[kind]}.")
        kept[name] = value
    return replace(faults, **kept)


def parse_fault(text: str) -> tuple[str, object]:
    """
    Return name and value of a fault written NAME=VALUE, such as answer_s=0.2 or silent=yes.

    Raises: InvalidInput: there is no value, or one that is neither a number nor yes or no.
    """
    name, _, value = text.partition("=")
    words = {"yes": True, "no": False}
    try:
        return name, words[value] if value in words else int(value, 0) if _is_whole(value) else float(value)
    except ValueError:
        raise InvalidInput(f"{text!r} is no fault.", hint="Write NAME=VALUE, such as answer_s=0.2.") from None


def is_chosen(share: float, key: str) -> bool:
    """Return whether *key* is among the share (0..1) of all keys; the same key always gets the same answer."""
    return share > 0 and crc32(key.encode()) / _MAX_U32 < share


_WORDS = {bool: "yes or no", int: "a whole number", float: "a number of seconds, or a share from 0 to 1"}


def _most(name: str, kind: type) -> float:
    """Return the most a fault can be: a share, so many seconds, or what fits a command_status."""
    if kind is int:
        return 2**32 - 1
    return _SECONDS_MOST if name.endswith("_s") else 1


def _is_whole(value: str) -> bool:
    return value.isdecimal() or value.lower().startswith("0x")
