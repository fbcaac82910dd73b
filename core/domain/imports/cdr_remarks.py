"""Cells of a CDR file that cannot be used, in rows that are messages all the same: only the cell is left empty."""

from collections.abc import Mapping
from enum import StrEnum

from core.domain.words.counting import count_of


class CellFault(StrEnum):
    """Why a cell was left empty. Those of Sent Date, Receiver and Delivery Status never are: they make the message."""

    DELIVERY_DATE = "delivery_date"
    DELIVERED_BEFORE_SENT = "delivered_before_sent"
    DELIVERED_IN_FUTURE = "delivered_in_future"
    PRICE = "price"
    CURRENCY = "currency"
    SEGMENTS = "segments"
    UNICODE = "unicode"
    COUNTRY = "country"
    MCCMNC = "mccmnc"
    TOO_LONG = "too_long"
    CONTROL = "control"
    MESSAGE_ID = "message_id"


# The sentence for each; {cell} is what the file says.
CELL_FAULTS: dict[CellFault, str] = {
    CellFault.DELIVERY_DATE: "The Delivery Date {cell} is not in the file's date format.",
    CellFault.DELIVERED_BEFORE_SENT: "The Delivery Date {cell} is more than an hour before the Sent Date.",
    CellFault.DELIVERED_IN_FUTURE: "The Delivery Date {cell} is in the future; is the time zone right?",
    CellFault.PRICE: "The Price {cell} is not an amount.",
    CellFault.CURRENCY: "The Price {cell} has no known currency, or two of them.",
    CellFault.SEGMENTS: "The number of segments {cell} is not between 1 and 255.",
    CellFault.UNICODE: "{cell} does not say whether the message is Unicode: yes or no.",
    CellFault.COUNTRY: "The Country {cell} is neither a country's code nor its English name.",
    CellFault.MCCMNC: "The MCCMNC {cell} does not have five or six digits.",
    CellFault.TOO_LONG: "A Sender, Message ID, Error Code or Network has more than 128 characters: {cell}.",
    CellFault.CONTROL: "A cell holds a control character: {cell}.",
    CellFault.MESSAGE_ID: "The Message ID {cell} has several sent dates.",
}
# What their rows lack, behind their number.
_LACKS: dict[CellFault, str] = {
    CellFault.DELIVERY_DATE: "without a delivery date: not readable",
    CellFault.DELIVERED_BEFORE_SENT: "without a delivery date: more than an hour before the sent date",
    CellFault.DELIVERED_IN_FUTURE: "without a delivery date: in the future",
    CellFault.PRICE: "without a price: not readable",
    CellFault.CURRENCY: "without a price: no known currency, or two",
    CellFault.SEGMENTS: "counted as one segment: not followed",
    CellFault.UNICODE: "counted as not Unicode: not readable",
    CellFault.COUNTRY: "with the number's own country: the file's is not readable",
    CellFault.MCCMNC: "with the number's own MCCMNC: the file's is not readable",
    CellFault.TOO_LONG: "without a sender, message ID, error code or network: longer than 128 characters",
    CellFault.CONTROL: "without a cell that holds control characters",
    CellFault.MESSAGE_ID: "without a message ID: one value has several sent dates",
}


def say_remarks(remarks: Mapping[CellFault, int]) -> list[str]:
    """Return what rows were kept without, one sentence for each fault there is."""
    return [
        f"{count_of(count, 'message', 'messages')} {_LACKS[fault]}"
        for fault in CellFault
        if (count := remarks.get(fault, 0))
    ]
