"""What the error codes of receipts mean, in words."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorMeaning:
    """
    A code in words.

    *permanent* says whether sending again is of no use, None where that is not known. *is_certain* is False where the
    gateway's own list is not known and the code is read as most providers use it.
    """

    text: str
    permanent: bool | None
    is_certain: bool = True


# Source: GSM MAP user errors (3GPP TS 29.002, 17.6.6), as the lists of several SMS providers begin; which of them are
# permanent is partly our own reading.
GSM_MAP: Mapping[str, ErrorMeaning] = {
    "1": ErrorMeaning("Unknown subscriber: the number does not exist", permanent=True),
    "5": ErrorMeaning("Unidentified subscriber", permanent=True),
    "6": ErrorMeaning("Absent subscriber: the phone was off or out of reach", permanent=False),
    "9": ErrorMeaning("Illegal subscriber: the network does not admit this person", permanent=True),
    "11": ErrorMeaning("Teleservice not provisioned: the contract has no SMS", permanent=True),
    "12": ErrorMeaning("Illegal equipment: the network does not admit this phone", permanent=True),
    "13": ErrorMeaning("Call barred: the person or the network refuses messages", permanent=True),
    "21": ErrorMeaning("Facility not supported", permanent=None),
    "27": ErrorMeaning("Absent subscriber: the phone was off or out of reach", permanent=False),
    "31": ErrorMeaning("Subscriber busy: the phone was taking another message", permanent=False),
    "32": ErrorMeaning("Delivery failed on the way to the phone", permanent=False),
    "33": ErrorMeaning("Waiting list full: too many messages wait for this phone", permanent=False),
    "34": ErrorMeaning("System failure in the network", permanent=False),
    "35": ErrorMeaning("Data missing in the network's answer", permanent=False),
    "36": ErrorMeaning("Unexpected value in the network's answer", permanent=False),
    "40": ErrorMeaning("Memory full: the phone has no room for the message", permanent=False),
}

# Providers number their errors as they like, so each gateway has a list of its own. The simulator's is the one its
# profiles draw from: GSM MAP, and one code more.
_SIMULATOR = {**GSM_MAP, "43": ErrorMeaning("Filtered: taken for spam", permanent=True)}
_BY_GATEWAY: Mapping[str, Mapping[str, ErrorMeaning]] = {"simulator": _SIMULATOR}


def find_meaning(gateway: str, error_code: str) -> ErrorMeaning | None:
    """
    Return what *error_code* of *gateway* means, None where nobody knows or there is no code.

    Leading zeros are no part of it. A gateway without a list of its own is read as GSM MAP, which is not certain.
    """
    code = error_code.strip()
    code = code.lstrip("0") or code
    own = _BY_GATEWAY.get(gateway)
    if own is not None:
        return own.get(code)
    usual = GSM_MAP.get(code)
    return ErrorMeaning(usual.text, usual.permanent, is_certain=False) if usual else None
