from collections.abc import Sequence
from datetime import datetime, timedelta

from core.domain.gateways.sights import SeenFault
from core.domain.messages.messages import OutboundMessage, SubmitOutcome, SubmitResult
from core.gateways.base import Observed
from core.gateways.tally import FAULTS_MOST, Tally
from tests.contract.gateways.gateway_contract import NOW, make_outbound


class EachOutcome:
    """A gateway that answers one message with each outcome there is."""

    name = "berlin"

    def submit(self, messages: Sequence[OutboundMessage], now: datetime, *_: object) -> list[SubmitResult]:
        answers = zip(messages, SubmitOutcome, strict=True)
        return [SubmitResult(message.message_id, outcome, now) for message, outcome in answers]


def test_what_was_certainly_not_taken_is_not_counted():
    tally = Tally()
    messages = [make_outbound(number) for number, _ in enumerate(SubmitOutcome)]
    Observed(EachOutcome(), "smpp", tally).submit(messages, NOW)
    # Accepted, rejected, unknown; not throttled, blocked or late.
    assert tally.counts() == {"berlin": (3, 0)}


def test_what_comes_and_goes_is_counted_by_gateway():
    tally = Tally()
    tally.count_submitted("berlin", 3)
    tally.count_submitted("berlin", 2)
    tally.count_receipts({"berlin": 1, "munich": 4})
    assert tally.counts() == {"berlin": (5, 1), "munich": (0, 4)}


def test_an_error_that_comes_again_is_one_and_the_last_ones_are_kept():
    tally, later = Tally(), NOW + timedelta(seconds=9)
    tally.note_fault("berlin", "Nothing listens.", NOW)
    tally.note_fault("berlin", "Nothing listens.", later)
    assert tally.list_faults("berlin") == (SeenFault("Nothing listens.", NOW, later),)
    for number in range(FAULTS_MOST):
        tally.note_fault("berlin", f"Another: {number}.", later)
    assert [fault.text for fault in tally.list_faults("berlin")] == [
        f"Another: {number}." for number in reversed(range(FAULTS_MOST))
    ]
    assert tally.list_faults("munich") == ()
