from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from core.domain.messages.messages import OutboundMessage, SubmitOutcome, SubmitResult
from core.errors import BadCredentials, GatewayError, OutcomeUnknown, Unavailable
from core.gateways.base import Observed
from core.services.sending import handing_over
from core.services.sending.handing_over import MOST_TRIES, Handed, HandingOver
from tests.support.application.factories import NOW
from tests.support.fakes.clock import StoppedClock


class Scripted:
    """A gateway that answers each message as the script says for its number."""

    name = "Berlin"
    window = 10
    per_request = 1

    def __init__(self, script: dict[str, tuple[SubmitOutcome, str]], error: GatewayError | None = None) -> None:
        self.script = script
        self.error = error

    def submit(self, messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        if self.error:
            raise self.error
        answers = [(each, *self.script.get(each.message_id, (SubmitOutcome.ACCEPTED, ""))) for each in messages]
        return [SubmitResult(each.message_id, outcome, now, error_code=code) for each, outcome, code in answers]


def message(key: str) -> OutboundMessage:
    return OutboundMessage(key, f"+49179600000{key}", "HELIOGRAPH", "Hello", "gsm7", 1, "26201")


MESSAGES = [message("1"), message("2"), message("3")]


def hand_over(
    script: dict[str, tuple[SubmitOutcome, str]], error: GatewayError | None = None, kind: str = "smpp"
) -> Handed:
    gateway = Observed(Scripted(script, error), kind)
    return HandingOver().hand_over(gateway, MESSAGES, StoppedClock(NOW), {})


def test_what_was_not_taken_is_given_back_and_the_rest_recorded():
    handed = hand_over({"2": (SubmitOutcome.THROTTLED, ""), "3": (SubmitOutcome.UNKNOWN, "")})
    assert [result.outcome for result in handed.results] == ["accepted", "unknown"]
    assert list(handed.given_back) == [MESSAGES[1]]
    assert handed.fault == ""


def test_an_error_of_the_gateway_fails_nobody():
    handed = hand_over({"1": (SubmitOutcome.BLOCKED, "0x00000015"), "2": (SubmitOutcome.BLOCKED, "0x00000015")})
    assert [result.message_id for result in handed.results] == ["3"]
    assert list(handed.given_back) == MESSAGES[:2]
    assert handed.fault.startswith("The gateway Berlin takes no messages: ")
    assert handed.fault.endswith("(0x00000015).")


def test_a_code_nobody_knows_is_shown_as_it_came():
    handed = hand_over({"1": (SubmitOutcome.BLOCKED, "E-777")})
    assert handed.fault == "The gateway Berlin takes no messages: error code E-777."


@pytest.mark.parametrize(
    ("error", "needs_person"),
    [
        (Unavailable("Nothing listens.", gateway="Berlin"), False),
        (BadCredentials("The password is wrong.", gateway="Berlin"), True),
    ],
)
def test_when_nothing_has_left_everything_is_given_back(error: GatewayError, needs_person: bool):
    handed = hand_over({}, error)
    assert (list(handed.results), list(handed.given_back)) == ([], MESSAGES)
    assert (handed.fault, handed.needs_person) == (error.message, needs_person)
    assert handed.wait_s > 0


def test_without_an_answer_everything_is_unknown():
    handed = hand_over({}, OutcomeUnknown("No answer.", gateway="Berlin"))
    assert {result.outcome for result in handed.results} == {"unknown"}
    assert not handed.given_back


def test_one_message_that_is_refused_for_now_is_tried_ever_later_and_fails_in_the_end():
    handing, clock = HandingOver(), StoppedClock(NOW)
    gateway = Observed(Scripted({"2": (SubmitOutcome.THROTTLED, "0x00000008")}), "smpp")
    waiting, waits, handed = MESSAGES, [], Handed()
    for _ in range(MOST_TRIES):
        handed = handing.hand_over(gateway, waiting, clock, {})
        if not handed.given_back:
            break
        waiting = list(handed.given_back)
        assert waiting == [MESSAGES[1]]
        assert handing.pick(MESSAGES, 10, clock.now) == [MESSAGES[0], MESSAGES[2]]
        before = clock.now
        while not handing.pick(waiting, 10, clock.now):
            clock.now += timedelta(seconds=1)
        waits.append((clock.now - before).total_seconds())
    assert waits == [3, 6, 12, 24, 48]
    assert [(result.outcome, result.error_code) for result in handed.results] == [("rejected", "0x00000008")]
    assert handing.pick(MESSAGES, 10, clock.now) == MESSAGES


def test_tries_of_a_message_that_was_taken_are_forgotten():
    handing, clock = HandingOver(), StoppedClock(NOW)
    script = {"1": (SubmitOutcome.THROTTLED, "0x00000008")}
    gateway = Observed(Scripted(script), "smpp")
    for _ in range(MOST_TRIES * 2):
        script["1"] = (SubmitOutcome.THROTTLED, "0x00000008")
        assert handing.hand_over(gateway, MESSAGES[:1], clock, {}).given_back
        script["1"] = (SubmitOutcome.ACCEPTED, "")
        assert handing.hand_over(gateway, MESSAGES[:1], clock, {}).results


def test_being_too_fast_is_no_try():
    handing, clock = HandingOver(), StoppedClock(NOW)
    gateway = Observed(Scripted({"1": (SubmitOutcome.THROTTLED, "")}), "smpp")
    for _ in range(MOST_TRIES * 3):
        assert handing.hand_over(gateway, MESSAGES[:1], clock, {}).given_back
    assert handing.pick(MESSAGES, 10, clock.now) == MESSAGES


def test_no_more_is_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(handing_over, "MOST_REMEMBERED", 2)
    handing, clock = HandingOver(), StoppedClock(NOW)
    script = {item.message_id: (SubmitOutcome.THROTTLED, "0x00000008") for item in MESSAGES}
    handing.hand_over(Observed(Scripted(script), "smpp"), MESSAGES, clock, {})
    # The first is tried at once, the others later.
    assert handing.pick(MESSAGES, 10, clock.now) == MESSAGES[:1]


def test_no_more_is_picked_than_may_be():
    assert HandingOver().pick(MESSAGES, 2, NOW) == MESSAGES[:2]
