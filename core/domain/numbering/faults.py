"""Why a text is not a subscriber number."""

from enum import StrEnum

EXAMPLE = "491796548754"


class MsisdnFault(StrEnum):
    """Why a text is not a subscriber number."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    NOT_WHOLE = "not_whole"
    NEGATIVE = "negative"
    SCIENTIFIC = "scientific"
    TWO_NUMBERS = "two_numbers"
    TWO_READINGS = "two_readings"
    NO_COUNTRY = "no_country"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    INVALID = "invalid"


_WITH_COUNTRY = f"Write the number with its country code, for example {EXAMPLE}."

# What is wrong, and what to do.
MSISDN_FAULTS: dict[MsisdnFault, tuple[str, str]] = {
    MsisdnFault.EMPTY: ("There is no number.", _WITH_COUNTRY),
    MsisdnFault.NOT_A_NUMBER: ("This is not a phone number.", "Use digits only; one number per cell, no extension."),
    MsisdnFault.NOT_WHOLE: ("This is not a whole number.", "Use digits only, without a decimal fraction."),
    MsisdnFault.NEGATIVE: (
        "This is a negative number: a spreadsheet has probably subtracted, as in +86-150.",
        "Format the column as text, then copy the numbers from their source again.",
    ),
    MsisdnFault.SCIENTIFIC: (
        "A spreadsheet has shortened this number; its last digits are lost.",
        "Format the column as text, then copy the numbers from their source again.",
    ),
    MsisdnFault.TWO_NUMBERS: ("These are two numbers, or one with two endings.", "Use one number per cell."),
    MsisdnFault.TWO_READINGS: (
        "It can be read as two different numbers.",
        f"Write the number as it is dialed from abroad, for example +{EXAMPLE}.",
    ),
    MsisdnFault.NO_COUNTRY: ("The number does not begin with a country code.", _WITH_COUNTRY),
    MsisdnFault.TOO_SHORT: ("The number is too short for its country.", "Check for missing digits."),
    MsisdnFault.TOO_LONG: ("The number is too long for its country.", "Check for extra digits."),
    MsisdnFault.INVALID: ("No such number can exist in its country.", f"Check the digits. {_WITH_COUNTRY}"),
}
