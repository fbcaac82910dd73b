"""What a submit_sm says of a message, as plain values: addresses and how long to try."""

from typing import NamedTuple

from core.gateways.smpp.settings import NumberType, SmppSettings

# Short codes have three to eight digits; a longer number has its country in front, also where somebody left out the +.
_SHORT_CODE_MAX = 8


class Address(NamedTuple):
    """An address and what kind of number it is."""

    text: str
    kind: NumberType


def make_sender(sender_id: str, settings: SmppSettings) -> Address:
    """Return *sender_id* (a parsed one) as source address: a number without its "+", a name as it is."""
    digits = sender_id.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return Address(sender_id, settings.name_type)
    if digits != sender_id:
        return Address(digits, settings.international_type)
    if digits.startswith("0"):
        # No country begins with a zero: the SMSC has to know whose number that is.
        return Address(digits, settings.unknown_type)
    return Address(digits, settings.short_code_type if len(digits) <= _SHORT_CODE_MAX else settings.international_type)


def make_receiver(msisdn: str, settings: SmppSettings) -> Address:
    """Return *msisdn* as destination address, without its "+"."""
    return Address(msisdn.removeprefix("+"), settings.receiver_type)


def format_validity(validity_min: int) -> str:
    """
    Return *validity_min* minutes from now in the relative form, "" for 0, which leaves it to the SMSC.

    Args:
        validity_min: At most `MAX_VALIDITY_MIN`, as the settings make sure.

    Source: SMPP 3.4, 7.1.1: YYMMDDhhmmsstnnR, tenths of a second and zone always 0.
    """
    if not validity_min:
        return ""
    hours, minutes = divmod(validity_min, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02}{hours:02}{minutes:02}00000R"
