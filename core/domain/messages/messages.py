"""Messages: what goes to a gateway, what it answers, how far each has come."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.messages.replies import Keyword
from core.domain.words.control_characters import replace_controls

# How much of what a provider says is kept. Of a longer id what tells it from every other one is kept.
_MOST = {
    "gateway_message_id": 64,
    "receipt_state": 20,
    "error_code": 40,
    "sender": 40,
    "receiver": 40,
    "text": 5_000,
    "reference": 64,
}
# By these one is told from every other.
_IDS = {"gateway_message_id", "reference"}
_BEGINNING, _DIGEST = 32, 31


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
    # Not to be sent any more: the receiver said STOP since the launch, or the campaign was canceled.
    EXCLUDED = "excluded"


# Of these it is known why.
REASONED = frozenset({LedgerState.FAILED, LedgerState.EXCLUDED})


class Exclusion(StrEnum):
    """Why a row of the audience is not sent."""

    DUPLICATE = "duplicate"
    LEFT_OUT = "left out"
    EMPTY_MESSAGE = "empty message"
    TOO_LONG = "too long"
    NO_PRICE = "no price"
    SUPPRESSED = "suppressed"
    SUPPRESSED_EVERYWHERE = "suppressed for all accounts"
    CANCELED = "canceled"


# Because somebody does not want messages.
SUPPRESSIONS = frozenset({Exclusion.SUPPRESSED, Exclusion.SUPPRESSED_EVERYWHERE})


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
    # Not taken, and nothing will be until a person sees to credit, credentials or sender: the claim is given back.
    BLOCKED = "blocked"
    # Not taken, its moment had passed before it could leave: the claim is given back, and it gets another one.
    LATE = "late"
    # No answer: may have been taken, never tried again by itself.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SubmitResult:
    """
    A gateway's answer for one message.

    *gateway_message_id* is "" unless accepted; *error_code* is the provider's own, "" when accepted.
    A THROTTLED with a code is one message that was refused for now, one without was too fast. *submitted_at* is when
    the answer came. *retry_after_s* goes with THROTTLED. *part_ids* are the ids of its other parts, where a receipt may
    name one of those instead.
    """

    message_id: str
    outcome: SubmitOutcome
    submitted_at: datetime
    gateway_message_id: str = ""
    error_code: str = ""
    retry_after_s: float = 0.0
    part_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Make it fit: what a provider says is kept, and none of it is anything but text."""
        _make_fit(self, "gateway_message_id", "error_code")
        _make_parts_fit(self)


@dataclass(frozen=True)
class LateAnswer:
    """
    That the gateway took a message that was called unknown, because its answer came, or was to be written, too late.

    *answered_at* is when that was, and nothing else of the message is of the same moment; the ids are those of a
    `SubmitResult`.
    """

    gateway: str
    message_id: str
    gateway_message_id: str
    answered_at: datetime
    part_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Make it fit, as a result."""
        _make_fit(self, "gateway_message_id")
        _make_parts_fit(self)


def count_outcomes(results: Iterable[SubmitResult]) -> dict[str, int]:
    """Return how many results have each outcome, by its value; outcomes that none has are absent."""
    outcomes = [result.outcome for result in results]
    counts, left = dict[str, int](), len(outcomes)
    # Nearly always all are accepted: to count one outcome after the other then takes a fraction of counting them all.
    for outcome in SubmitOutcome:
        if not left:
            break
        if count := outcomes.count(outcome):
            counts[outcome.value] = count
            left -= count
    return counts


# Tens of thousands may be in hand at once: with slots each is half as large, and garbage is collected sooner.
@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery receipt as the gateway sent it. *done_at* is the gateway's own time of the state."""

    gateway: str
    gateway_message_id: str
    receipt_state: str
    error_code: str
    done_at: datetime

    def __post_init__(self) -> None:
        """Make it fit as in the answer that named the message: it is found all the same."""
        _make_fit(self, "gateway_message_id", "receipt_state", "error_code")


@dataclass(frozen=True)
class Reply:
    """
    What a person sent back (a mobile-originated message, MO), as the gateway passed it on.

    *sender* is the person's number as it came, *receiver* what it was sent to: a sender ID or a short code. *reference*
    is the gateway's own id of it, by which the same one is known when it comes again; "" where it gives none.
    *keyword* is what the gateway says it asks for, where it knows that better than we do.
    """

    gateway: str
    sender: str
    receiver: str
    text: str
    received_at: datetime
    reference: str = ""
    keyword: Keyword = Keyword.NONE

    def __post_init__(self) -> None:
        """Make it fit, as a receipt."""
        _make_fit(self, "sender", "receiver", "text", "reference")


def _make_parts_fit(said: SubmitResult | LateAnswer) -> None:
    if said.part_ids:
        fitting = tuple(_fit(part_id, "gateway_message_id") for part_id in said.part_ids)
        object.__setattr__(said, "part_ids", fitting)


def _make_fit(said: SubmitResult | LateAnswer | Receipt | Reply, *names: str) -> None:
    # A store that refused one of them would hold up all the others of its batch.
    for name in names:
        text = getattr(said, name)
        if (fitting := _fit(text, name)) is not text:
            object.__setattr__(said, name, fitting)


def _fit(text: str, name: str) -> str:
    if len(text) <= _MOST[name] and text.isprintable():
        return text
    # What a person wrote may have lines.
    return _shorten(replace_controls(text, is_prose=name == "text"), name)


def _shorten(text: str, name: str) -> str:
    if len(text) <= _MOST[name]:
        return text
    if name not in _IDS:
        return text[: _MOST[name] - 1] + "…"
    return f"{text[:_BEGINNING]}…{hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]}"
