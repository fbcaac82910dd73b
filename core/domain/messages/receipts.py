"""
Delivery receipts: what a state means, and how any number of them settle one message.

Receipts come late, twice and in any order. `merge` is the join of a semilattice (commutative, associative,
idempotent), so however they are ordered, batched or repeated, a message ends in the same state.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.messages.messages import DeliveryStatus, Receipt


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

# What SMSCs say besides, with one meaning wherever it is said. Source: Mblox's acceptance status codes
# (https://github.com/opentelecoms-org/jsmpp/issues/9), https://www.smscentral.com.au/sms-api/smpp/receive-dlrs/,
# https://wiki.pswin.com/Delivery-Report-Status.ashx, https://www.twilio.com/docs/messaging/api/message-resource.
_VENDORS_WORDS = {
    **dict.fromkeys(("ACKED", "BUFFRED", "BUFFERED"), DeliveryStatus.SUBMITTED),
    **dict.fromkeys(("FAILED", "UNDELIVERED", "BARRED", "NOCRED", "SYSERR"), DeliveryStatus.UNDELIVERED),
}
STATUS_BY_WORD = _VENDORS_WORDS | {
    word: state.delivery_status for state in RECEIPT_STATES for word in (state.word, state.name)
}

# What a message has come to never goes back to the left.
_RANK = {DeliveryStatus.SUBMITTED: 0, DeliveryStatus.UNDELIVERED: 1, DeliveryStatus.DELIVERED: 2}


class Effect(StrEnum):
    """What a receipt did to what was known before it."""

    CHANGED = "changed"
    # The status stays; an earlier time or a smaller code counts from now on.
    REFINED = "refined"
    # No end, and none was known: there is nothing to change.
    ON_THE_WAY = "on the way"
    REPEATED = "repeated"
    # Still on the way, it says, when the end was known.
    OUT_OF_ORDER = "out of order"
    # Another end than the one that was known, and that one counts.
    LATE = "late"

    @property
    def counts(self) -> bool:
        """Whether the message is another one for it."""
        return self in (Effect.CHANGED, Effect.REFINED)


@dataclass(frozen=True)
class Settled:
    """What is known of a message's delivery; *error_code* is "" and *delivered_at* None while nothing says more."""

    status: DeliveryStatus
    error_code: str = ""
    delivered_at: datetime | None = None


def parse_receipt_state(state: str) -> DeliveryStatus:
    """
    Return the delivery status an SMPP receipt's state means, in any case and with spaces around it.

    A word that is neither SMPP's nor one that SMSCs are known to say besides is Submitted: it proves neither delivery
    nor failure, and a final receipt may follow.
    """
    return STATUS_BY_WORD.get(_word(state), DeliveryStatus.SUBMITTED)


def is_known_state(state: str) -> bool:
    """Return whether *state* is a word with a meaning here, in any case and with spaces around it."""
    return _word(state) in STATUS_BY_WORD


def _word(state: str) -> str:
    return state.strip().upper()


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


def settle(receipt: Receipt) -> Settled:
    """Return what *receipt* says alone; only a final state has a time."""
    status = parse_receipt_state(receipt.receipt_state)
    return Settled(status, receipt.error_code, receipt.done_at if is_final(status) else None)


def judge(receipts: Iterable[Receipt]) -> Iterator[Effect]:
    """
    Yield for each receipt of one message, in the order they came, what it did.

    Those that count, merged, are what all of them are merged.
    """
    known, seen = Settled(DeliveryStatus.SUBMITTED), set[tuple[str, str]]()
    for receipt in receipts:
        after, said = merge(known, settle(receipt)), (_word(receipt.receipt_state), receipt.error_code)
        yield _effect(known, after, receipt, repeated=said in seen)
        known = after
        seen.add(said)


def _effect(known: Settled, after: Settled, receipt: Receipt, *, repeated: bool) -> Effect:
    if after.status is not known.status:
        return Effect.CHANGED
    if after != known:
        return Effect.REFINED
    if repeated:
        return Effect.REPEATED
    if is_final(parse_receipt_state(receipt.receipt_state)):
        return Effect.LATE
    return Effect.OUT_OF_ORDER if is_final(known.status) else Effect.ON_THE_WAY
