"""
Delivery receipts: what a state means, and how any number of them settle one message.

Receipts come late, twice and in any order. `merge` is the join of a semilattice (commutative, associative,
idempotent), so however they are ordered, batched or repeated, a message ends in the same state.
"""

from dataclasses import dataclass
from datetime import datetime

from core.domain.messages import DeliveryStatus


@dataclass(frozen=True)
class ReceiptState:
    """
    A message state of SMPP.

    *word* is what a receipt's `stat:` field says, *name* the state's full name, which some SMSCs send instead.
    """

    message_state: int
    word: str
    name: str
    delivery_status: DeliveryStatus


# Source: SMPP 3.4, section 5.2.28 (message_state) and appendix B (the words of a receipt); 0 and 9 are SMPP 5.0,
# section 4.7.15. Read on purpose otherwise than the letter: ACCEPTD is no end (the specification means "read by
# customer service", SMSCs mean "taken"), and UNKNOWN is one (nothing better follows, and Delivered still wins).
RECEIPT_STATES = (
    ReceiptState(0, "SCHEDULED", "SCHEDULED", DeliveryStatus.SUBMITTED),
    ReceiptState(1, "ENROUTE", "ENROUTE", DeliveryStatus.SUBMITTED),
    ReceiptState(2, "DELIVRD", "DELIVERED", DeliveryStatus.DELIVERED),
    ReceiptState(3, "EXPIRED", "EXPIRED", DeliveryStatus.UNDELIVERED),
    ReceiptState(4, "DELETED", "DELETED", DeliveryStatus.UNDELIVERED),
    ReceiptState(5, "UNDELIV", "UNDELIVERABLE", DeliveryStatus.UNDELIVERED),
    ReceiptState(6, "ACCEPTD", "ACCEPTED", DeliveryStatus.SUBMITTED),
    ReceiptState(7, "UNKNOWN", "UNKNOWN", DeliveryStatus.UNDELIVERED),
    ReceiptState(8, "REJECTD", "REJECTED", DeliveryStatus.UNDELIVERED),
    ReceiptState(9, "SKIPPED", "SKIPPED", DeliveryStatus.UNDELIVERED),
)

_STATUS_BY_WORD = {word: state.delivery_status for state in RECEIPT_STATES for word in (state.word, state.name)}

# What a message has come to never goes back to the left.
_RANK = {DeliveryStatus.SUBMITTED: 0, DeliveryStatus.UNDELIVERED: 1, DeliveryStatus.DELIVERED: 2}


@dataclass(frozen=True)
class Settled:
    """What is known of a message's delivery; *error_code* is "" and *delivered_at* None while nothing says more."""

    status: DeliveryStatus
    error_code: str = ""
    delivered_at: datetime | None = None


def parse_receipt_state(state: str) -> DeliveryStatus:
    """
    Return the delivery status an SMPP receipt's state means, in any case and with spaces around it.

    A word that is not SMPP's is Submitted: it proves neither delivery nor failure, and a final receipt may follow.
    """
    return _STATUS_BY_WORD.get(state.strip().upper(), DeliveryStatus.SUBMITTED)


def is_final(status: DeliveryStatus) -> bool:
    """Return whether a receipt with *status* ends the wait for more. Delivered still replaces Undelivered."""
    return status is not DeliveryStatus.SUBMITTED


def merge(a: Settled, b: Settled) -> Settled:
    """
    Return what *a* and *b* together say, whichever came first.

    Delivered outranks Undelivered, which outranks Submitted; of equals, the earliest time and the smallest error code
    are kept, and something known is kept before nothing.
    """
    if a.status is not b.status:
        return a if _RANK[a.status] > _RANK[b.status] else b
    codes = [code for code in (a.error_code, b.error_code) if code]
    times = [moment for moment in (a.delivered_at, b.delivered_at) if moment is not None]
    return Settled(a.status, min(codes, default=""), min(times, default=None))
