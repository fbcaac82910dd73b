"""Messages: what goes to a gateway, what it answers, how far each has come."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.control_characters import replace_controls


class DeliveryStatus(StrEnum):
    """The guide's words. Statistics call Submitted messages Transmitted."""

    SUBMITTED = "Submitted"
    DELIVERED = "Delivered"
    UNDELIVERED = "Undelivered"


class LedgerState(StrEnum):
    """Where a message of a leased batch stands. One that is not in the ledger is pending."""

    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    # Never in the ledger: what a canceled campaign has not claimed.
    EXCLUDED = "excluded"


class Exclusion(StrEnum):
    """Why a row of the audience is not sent."""

    DUPLICATE = "duplicate"
    LEFT_OUT = "left out"
    EMPTY_MESSAGE = "empty message"
    TOO_LONG = "too long"
    NO_PRICE = "no price"
    SUPPRESSED = "suppressed"
    CANCELED = "canceled"


@dataclass(frozen=True)
class OutboundMessage:
    """One message ready for a gateway: rendered, unique, priced."""

    message_id: str
    msisdn: str
    sender_id: str
    text: str
    encoding: str
    segment_count: int
    mccmnc: str


class SubmitOutcome(StrEnum):
    """What is known after handing a message over."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    # Not taken, may be tried again: the claim is given back.
    THROTTLED = "throttled"
    # No answer: may have been taken, never tried again by itself.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SubmitResult:
    """
    A gateway's answer for one message.

    *gateway_message_id* is "" unless accepted; *error_code* is the provider's own, "" when accepted.
    *submitted_at* is when the answer came. *retry_after_s* goes with THROTTLED.
    """

    message_id: str
    outcome: SubmitOutcome
    submitted_at: datetime
    gateway_message_id: str = ""
    error_code: str = ""
    retry_after_s: float = 0.0

    def __post_init__(self) -> None:
        """Replace control characters: what a provider says is kept, and none of it is anything but text."""
        _replace(self, "gateway_message_id", "error_code")


@dataclass(frozen=True)
class Receipt:
    """A delivery receipt as the gateway sent it. *done_at* is the gateway's own time of the state."""

    gateway: str
    gateway_message_id: str
    receipt_state: str
    error_code: str
    done_at: datetime

    def __post_init__(self) -> None:
        """Replace control characters, as in the answer that named the message: it is found all the same."""
        _replace(self, "gateway_message_id", "receipt_state", "error_code")


def _replace(said: SubmitResult | Receipt, *names: str) -> None:
    for name in names:
        text = getattr(said, name)
        if not text.isprintable():
            object.__setattr__(said, name, replace_controls(text))
