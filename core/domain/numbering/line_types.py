"""What a number is used for, as phonenumbers tells it by the number's range."""

from enum import StrEnum

from phonenumbers import PhoneMetadata
from phonenumbers.phonemetadata import PhoneNumberDesc


class LineType(StrEnum):
    """The line types of phonenumbers, under its names."""

    FIXED_LINE = "fixed_line"
    MOBILE = "mobile"
    FIXED_LINE_OR_MOBILE = "fixed_line_or_mobile"
    TOLL_FREE = "toll_free"
    PREMIUM_RATE = "premium_rate"
    SHARED_COST = "shared_cost"
    VOIP = "voip"
    PERSONAL_NUMBER = "personal_number"
    PAGER = "pager"
    UAN = "uan"
    VOICEMAIL = "voicemail"


# Numbers of these belong to a network; of all others phonenumbers names none.
CARRIED = frozenset({LineType.MOBILE, LineType.FIXED_LINE_OR_MOBILE, LineType.PAGER})


def line_types_of(metadata: PhoneMetadata) -> list[tuple[LineType, tuple[PhoneNumberDesc | None, ...]]]:
    """
    Return the line types of a region, each with what describes its numbers.

    A number that fits the general description is of the first type all of whose descriptions it fits; of a type that
    has None among them there are no numbers.
    """
    fixed, mobile = metadata.fixed_line, metadata.mobile
    lines: list[tuple[LineType, tuple[PhoneNumberDesc | None, ...]]] = [
        (LineType.PREMIUM_RATE, (metadata.premium_rate,)),
        (LineType.TOLL_FREE, (metadata.toll_free,)),
        (LineType.SHARED_COST, (metadata.shared_cost,)),
        (LineType.VOIP, (metadata.voip,)),
        (LineType.PERSONAL_NUMBER, (metadata.personal_number,)),
        (LineType.PAGER, (metadata.pager,)),
        (LineType.UAN, (metadata.uan,)),
        (LineType.VOICEMAIL, (metadata.voicemail,)),
    ]
    if metadata.same_mobile_and_fixed_line_pattern:
        return [*lines, (LineType.FIXED_LINE_OR_MOBILE, (fixed,))]
    return [
        *lines,
        (LineType.FIXED_LINE_OR_MOBILE, (fixed, mobile)),
        (LineType.FIXED_LINE, (fixed,)),
        (LineType.MOBILE, (mobile,)),
    ]


def pattern_of(description: PhoneNumberDesc | None, length: int) -> str:
    """Return the pattern of numbers of *length* digits that fit *description*, "" where there are none."""
    if description is None or (description.possible_length and length not in description.possible_length):
        return ""
    return description.national_number_pattern or ""


def general_of(metadata: PhoneMetadata) -> PhoneNumberDesc:
    """Return what all numbers of a region have in common."""
    assert metadata.general_desc is not None
    return metadata.general_desc
