"""
What an answer says of messages: of each one, or of the whole request.

Where an answer cannot be understood it proves nothing, and the messages are unknown; an HTTP status of refusal proves
that they were not taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.messages.error_codes import ErrorClass, Stage, classify, find_meaning
from core.domain.messages.messages import SubmitOutcome
from core.gateways.http.client import ApiAnswer

# Where a provider says "too fast" and not how long to wait.
RETRY_S = 1.0
TOO_FAST, UNAVAILABLE = 429, 503
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_OUTCOMES: Mapping[ErrorClass, SubmitOutcome] = {
    ErrorClass.TEMPORARY: SubmitOutcome.THROTTLED,
    ErrorClass.ACCOUNT: SubmitOutcome.BLOCKED,
}
# Source: RFC 9110, section 15. The address, the method or the contract is wrong, for the next message too.
_SETTINGS_WRONG = frozenset({301, 307, 308, 402, 404, 405, 410, 415})
# The request came whole, was looked at, and was not acted on. Not among them: 408 and 409, which say less.
_REFUSED = frozenset({400, 406, 411, 412, 413, 414, 416, 417, 421, 422, 424, 426, 428, 431, 451})


@dataclass(frozen=True)
class Verdict:
    """What is known of one message; the fields are those of `SubmitResult`."""

    outcome: SubmitOutcome
    gateway_message_id: str = ""
    error_code: str = ""
    retry_after_s: float = 0.0


@dataclass(frozen=True)
class Refusal:
    """
    What is known of a whole request, for each of its messages.

    *is_general*: whatever is asked next would be answered alike. *is_of_credentials*: the caller itself is refused.
    """

    verdict: Verdict
    is_general: bool = False
    is_of_credentials: bool = False


UNKNOWN = Verdict(SubmitOutcome.UNKNOWN)
LATE = Verdict(SubmitOutcome.LATE)
# Nothing is wrong with it, nor with the provider.
AGAIN = Verdict(SubmitOutcome.THROTTLED)
NOT_UNDERSTOOD = Refusal(UNKNOWN)


def accepted(gateway_message_id: str) -> Verdict:
    """Return that the provider has taken the message under this id."""
    return Verdict(SubmitOutcome.ACCEPTED, gateway_message_id)


def refused(what: ErrorClass, code: str) -> Verdict:
    """Return that the message was not taken, for *code*: what nobody knows the meaning of has failed for good."""
    return Verdict(_OUTCOMES.get(what, SubmitOutcome.REJECTED), error_code=code)


def refused_by_table(kind: str, code: str) -> Verdict:
    """Return that the message was not taken, by what *code* means at providers of *kind*."""
    return refused(classify(kind, code, Stage.SUBMIT), code)


def too_fast(retry_after_s: float | None) -> Refusal:
    """Return that nothing is taken for now."""
    seconds = RETRY_S if retry_after_s is None else retry_after_s
    return Refusal(Verdict(SubmitOutcome.THROTTLED, retry_after_s=max(seconds, 0.001)), is_general=True)


def read_refusal(answer: ApiAnswer, kind: str = "", code: str = "") -> Refusal:
    """
    Return what an HTTP status of no success says, with the provider's own *code* where the body has one.

    A code that the table of *kind* knows decides, whatever the status. One that it does not know decides nothing with
    a 5xx: that the server failed says little of what it did before.
    """
    if answer.status == TOO_FAST or (answer.status == UNAVAILABLE and answer.retry_after_s is not None):
        return too_fast(answer.retry_after_s)
    is_known = bool(code) and find_meaning(kind, code, Stage.SUBMIT) is not None
    status_code = code or f"HTTP {answer.status}"
    if answer.status == _UNAUTHORIZED or (answer.status == _FORBIDDEN and not is_known):
        blocked = Verdict(SubmitOutcome.BLOCKED, error_code=status_code)
        return Refusal(blocked, is_general=True, is_of_credentials=True)
    if is_known or (code and 400 <= answer.status < 500):
        return Refusal(refused_by_table(kind, code))
    if answer.status in _SETTINGS_WRONG:
        return Refusal(Verdict(SubmitOutcome.BLOCKED, error_code=status_code), is_general=True)
    if answer.status in _REFUSED:
        return Refusal(Verdict(SubmitOutcome.REJECTED, error_code=status_code))
    return Refusal(Verdict(SubmitOutcome.UNKNOWN, error_code=status_code))
