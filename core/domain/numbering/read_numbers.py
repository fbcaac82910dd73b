"""What is read of a number that somebody wrote: the number and all that its range tells, or why it is none."""

from typing import NamedTuple

from core.domain.numbering.msisdn import parse_number
from core.domain.numbering.networks import find_carrier, network_of
from core.errors import InvalidMsisdn


class ReadNumber(NamedTuple):
    """
    A number, or why a text is none; everything is text, "" where it is not known or does not apply.

    *msisdn* is `+` and E.164 digits; *country* ISO 3166-1 alpha-2; *line_type* a `LineType`; *carrier* phonenumbers'
    name of whom the range was given to; *network* and *mccmnc* are as in `Destination`; *fault* is a `MsisdnFault`, ""
    where there is a number.
    """

    msisdn: str
    country: str
    line_type: str
    carrier: str
    network: str
    mccmnc: str
    fault: str


def read_number(text: str, home: str = "") -> ReadNumber:
    """Return what `parse_msisdn` makes of *text*, and where that leads; never raises."""
    try:
        number = parse_number(text, home)
    except InvalidMsisdn as error:
        return ReadNumber("", "", "", "", "", "", str(error.reason))
    carrier = find_carrier(number.digits) if number.has_carrier else ""
    network = network_of(number.country, carrier)
    return ReadNumber(f"+{number.digits}", number.country, number.line_type, carrier, network.name, network.mccmnc, "")
