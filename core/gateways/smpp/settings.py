"""What an SMSC wants otherwise than another."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import NamedTuple

from core.errors import InvalidInput
from core.gateways.receipt_times import MAX_OFFSET_MIN, MIN_OFFSET_MIN

# More does not fit the two digits of days (SMPP 3.4, 7.1.1), and no SMSC keeps a message longer than a few of them.
MAX_VALIDITY_MIN = 31 * 24 * 60
# Type of number and numbering plan are three and four bits of an address (3GPP TS 23.040, 9.1.2.5); SMPP 3.4 has
# numbering plans up to 18 (5.2.6).
MAX_TON, MAX_NPI = 7, 18


class LongTexts(StrEnum):
    """How a text that needs several segments travels."""

    # A header in each segment, its reference one octet: what every SMSC takes.
    UDH8 = "udh8"
    # The same with two octets, where the header still leaves room for the text in as many segments.
    UDH16 = "udh16"
    # The SMSC writes the headers; number and total go beside the text.
    SAR = "sar"
    # The SMSC cuts the text itself.
    PAYLOAD = "payload"


class LongReceipts(StrEnum):
    """What a receipt of a long text is of."""

    # Of each part that asks for one: the last does, and has the message's.
    LAST_PART = "last_part"
    # Of one part alone, whichever the provider chooses: all ask, and any of them has the message's.
    ANY_PART = "any_part"


class Alphabet(StrEnum):
    """
    In which octets the SMSC takes and gives texts of its default alphabet.

    On the air they are septets of the GSM alphabet all the same, which is why segments are counted in those.
    """

    GSM7 = "gsm7"
    LATIN1 = "latin1"
    ASCII = "ascii"


class Ids(StrEnum):
    """How the id in a receipt differs from the one in the response."""

    # They are the same, but for zeros in front.
    AS_THEY_ARE = "as_they_are"
    # They are the same, but for case and zeros in front. Not for ids that tell a from A.
    ANY_CASE = "any_case"
    RESPONSE_HEX = "response_hex"
    RECEIPT_HEX = "receipt_hex"


class NumberType(NamedTuple):
    """Type of number and numbering plan of an address (SMPP 3.4, 5.2.5 and 5.2.6)."""

    ton: int
    npi: int


UNKNOWN = NumberType(0, 1)
INTERNATIONAL = NumberType(1, 1)
SHORT_CODE = NumberType(3, 0)
NAME = NumberType(5, 0)


@dataclass(frozen=True)
class SmppSettings:
    """How one SMSC is spoken to."""

    # data_coding of a text in the GSM alphabet, and of one in UCS-2; the octets of the first are those of *alphabet*.
    gsm7_data_coding: int = 0
    ucs2_data_coding: int = 8
    alphabet: Alphabet = Alphabet.GSM7
    long_texts: LongTexts = LongTexts.UDH8
    long_receipts: LongReceipts = LongReceipts.LAST_PART
    ids: Ids = Ids.AS_THEY_ARE
    # How far the clock in the receipts is ahead of UTC, in minutes.
    receipt_offset_min: int = 0
    # What the provider's own words for states mean, by those in lower case.
    states: Mapping[str, str] = field(default_factory=dict)
    # How the sender is called: a name, a short code, a number with its country, one that has no country.
    name_type: NumberType = NAME
    short_code_type: NumberType = SHORT_CODE
    international_type: NumberType = INTERNATIONAL
    unknown_type: NumberType = UNKNOWN
    receiver_type: NumberType = INTERNATIONAL
    # How long the SMSC tries, in minutes; 0 leaves it to the SMSC.
    validity_min: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be said in SMPP. Raises: InvalidInput: with the field."""
        for name in ("gsm7_data_coding", "ucs2_data_coding"):
            _check_range(name, getattr(self, name), 0, 255)
        _check_range("receipt_offset_min", self.receipt_offset_min, MIN_OFFSET_MIN, MAX_OFFSET_MIN)
        _check_range("validity_min", self.validity_min, 0, MAX_VALIDITY_MIN)
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, NumberType):
                _check_range(each.name, value.ton, 0, MAX_TON)
                _check_range(each.name, value.npi, 0, MAX_NPI)


def _check_range(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidInput(f"{value} is not possible here.", hint=f"Use a number from {least} to {most}.", field=field)
