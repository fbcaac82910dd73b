"""Sender IDs: who a message says it is from, a name or a number."""

import re
from enum import StrEnum

from core.errors import InvalidSenderId

# Source: 3GPP TS 23.040, section 9.1.2.5 (an alphanumeric address holds 11 septet characters); 16 digits is the
# product's own rule for numbers.
NAME_MAX, NUMBER_MAX = 11, 16

# What the default provider accepts is narrower; it answers "invalid sender" outside of it.
PROVIDER_NAME_MIN = 3
PROVIDER_NUMBER_MIN, PROVIDER_NUMBER_MAX = 3, 14

_NUMBER = re.compile(r"\+?[0-9]+")
_NAME = re.compile(r"[A-Za-z0-9 ._&-]+")
_LETTER = re.compile(r"[A-Za-z]")


class SenderIdFault(StrEnum):
    """Why a text is not a sender ID."""

    EMPTY = "empty"
    CHARACTER = "character"
    NO_LETTER = "no_letter"
    NAME_TOO_LONG = "name_too_long"
    NUMBER_TOO_LONG = "number_too_long"


# A sentence that says what is wrong, and one that says what to do.
SENDER_ID_FAULTS: dict[SenderIdFault, tuple[str, str]] = {
    SenderIdFault.EMPTY: ("The sender is empty.", "Type a name or a phone number."),
    SenderIdFault.CHARACTER: (
        "The sender has a character that handsets do not show.",
        "Use letters A to Z, digits, spaces and . - _ & in a name, digits and a leading + in a number.",
    ),
    SenderIdFault.NO_LETTER: (
        "The sender is neither a name nor a number.",
        "Use at least one letter in a name; leave only digits and a leading + in a number.",
    ),
    SenderIdFault.NAME_TOO_LONG: (
        f"The sender's name is longer than {NAME_MAX} characters.",
        f"Use at most {NAME_MAX} characters.",
    ),
    SenderIdFault.NUMBER_TOO_LONG: (
        f"The sender's number is longer than {NUMBER_MAX} digits.",
        f"Use at most {NUMBER_MAX} digits.",
    ),
}


def parse_sender_id(text: str) -> str:
    """
    Return the sender ID in *text*, without spaces around it.

    A name has at most 11 letters, digits, spaces and `. - _ &`, at least one of them a letter. A number has at most
    16 digits; its leading `+` is kept, because it tells an international number from a short code.

    Raises: InvalidSenderId: with the sentences of `SENDER_ID_FAULTS`.
    """
    sender_id = text.strip()
    fault = _find_fault(sender_id)
    if fault:
        message, hint = SENDER_ID_FAULTS[fault]
        raise InvalidSenderId(message, hint=hint, field="sender_id")
    return sender_id


def warn_sender_id(sender_id: str) -> str:
    """Return one sentence when the default provider would refuse *sender_id* (a parsed one), else ""."""
    if _NUMBER.fullmatch(sender_id):
        if PROVIDER_NUMBER_MIN <= _count_digits(sender_id) <= PROVIDER_NUMBER_MAX:
            return ""
        return f"Some providers only accept numbers of {PROVIDER_NUMBER_MIN} to {PROVIDER_NUMBER_MAX} digits."
    if len(sender_id) >= PROVIDER_NAME_MIN:
        return ""
    return f"Some providers only accept names of {PROVIDER_NAME_MIN} to {NAME_MAX} characters."


def _find_fault(sender_id: str) -> SenderIdFault | None:
    if not sender_id:
        return SenderIdFault.EMPTY
    if _NUMBER.fullmatch(sender_id):
        return SenderIdFault.NUMBER_TOO_LONG if _count_digits(sender_id) > NUMBER_MAX else None
    if not _NAME.fullmatch(sender_id):
        return SenderIdFault.CHARACTER
    if not _LETTER.search(sender_id):
        return SenderIdFault.NO_LETTER
    return SenderIdFault.NAME_TOO_LONG if len(sender_id) > NAME_MAX else None


def _count_digits(number: str) -> int:
    return len(number.removeprefix("+"))
