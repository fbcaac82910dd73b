"""An SMPP gateway never lets a message leave whose moment has passed, whatever it had to wait for."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from core.gateways import breaker
from core.gateways.departing import DepartureSchedule
from core.gateways.smpp.pdu import Pdu, Status, response, text
from core.gateways.smpp.session import sending
from tests.contract.gateways.gateway_contract import NOW, PATIENT_S, make_outbound
from tests.contract.gateways.smpp.gateways import smpp_gateway
from tests.contract.gateways.smpp.scripted_smsc import ScriptedSmsc, Session
from tests.support.processes.waiting import wait_until

MESSAGES = tuple(make_outbound(number) for number in range(3))
PATIENCE_S = 1.0


@pytest.fixture
def smsc() -> Iterator[ScriptedSmsc]:
    with ScriptedSmsc() as running:
        yield running


def outcomes(results: list) -> list[str]:
    return [result.outcome.value for result in results]


def test_what_waits_for_the_window_until_it_is_late_does_not_leave(smsc: ScriptedSmsc):
    leave_by_s = 0.0

    def answer_when_the_others_are_late(session: Session, frame: Pdu) -> None:
        asyncio.get_running_loop().call_later(leave_by_s - time.monotonic() + 0.01, session.answer, frame)

    smsc.on_submit = answer_when_the_others_are_late
    with smpp_gateway(smsc.port, window=1) as gateway:
        gateway.keep_open()
        wait_until(lambda: gateway.links()[0].is_bound, "it is bound")
        now_s = time.monotonic()
        leave_by_s = now_s + PATIENCE_S
        assert outcomes(gateway.submit(MESSAGES, NOW, DepartureSchedule([now_s] * 3, PATIENCE_S))) == [
            "accepted",
            "late",
            "late",
        ]
        assert len(smsc.submits) == 1
        smsc.on_submit = lambda session, frame: session.answer(frame)
        # They hold nobody up.
        again = DepartureSchedule([time.monotonic()] * 2, PATIENT_S)
        assert outcomes(gateway.submit(MESSAGES[1:], NOW, again)) == ["accepted"] * 2
    assert len(smsc.submits) == 3


def test_a_long_message_that_finds_no_room_for_all_its_parts_does_not_leave_in_part(smsc: ScriptedSmsc):
    leave_by_s = 0.0

    def answer_when_the_others_are_late(session: Session, frame: Pdu) -> None:
        asyncio.get_running_loop().call_later(leave_by_s - time.monotonic() + 0.01, session.answer, frame)

    smsc.on_submit = answer_when_the_others_are_late
    long = make_outbound(1, text="x" * 400, segment_count=3)
    with smpp_gateway(smsc.port, window=3) as gateway:
        gateway.keep_open()
        wait_until(lambda: gateway.links()[0].is_bound, "it is bound")
        now_s = time.monotonic()
        leave_by_s = now_s + PATIENCE_S
        assert outcomes(gateway.submit([MESSAGES[0], long], NOW, DepartureSchedule([now_s] * 2, PATIENCE_S))) == [
            "accepted",
            "late",
        ]
    assert len(smsc.submits) == 1


def test_what_waits_for_a_bind_until_it_is_late_does_not_leave(smsc: ScriptedSmsc, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sending, "BIND_WAIT_S", PATIENT_S)

    def bind_late(session: Session, frame: Pdu) -> None:
        asyncio.get_running_loop().call_later(0.1, session.say, response(frame, text("smsc")))

    smsc.on_bind = bind_late
    with smpp_gateway(smsc.port) as gateway:
        late = gateway.submit(MESSAGES, NOW, DepartureSchedule([time.monotonic()] * 3, 0.05))
        assert outcomes(late) == ["late"] * 3
        assert smsc.submits == []
        assert outcomes(gateway.submit(MESSAGES, NOW)) == ["accepted"] * 3


def test_what_waits_for_its_moment_when_the_gateway_is_closed_is_given_back(smsc: ScriptedSmsc):
    with smpp_gateway(smsc.port) as gateway:
        now_s = time.monotonic()

        def close(seconds: float) -> None:
            gateway.close()
            time.sleep(seconds)

        schedule = DepartureSchedule([now_s, now_s + 0.2, now_s + 0.2], PATIENT_S, sleep=close)
        assert outcomes(gateway.submit(MESSAGES, NOW, schedule)) == ["accepted", "throttled", "throttled"]
    assert len(smsc.submits) == 1


def test_one_that_cannot_be_written_is_refused_and_keeps_no_other_from_leaving(smsc: ScriptedSmsc):
    messages, now_s = [MESSAGES[0], make_outbound(1, text="Привет"), MESSAGES[2]], time.monotonic()
    with smpp_gateway(smsc.port) as gateway:
        schedule = DepartureSchedule([now_s, now_s + 0.1, now_s + 0.1], PATIENT_S)
        assert outcomes(gateway.submit(messages, NOW, schedule)) == ["accepted", "rejected", "accepted"]
    assert len(smsc.submits) == 2


@pytest.mark.parametrize("gets_moment", [True, False])
def test_one_that_tries_whether_the_smsc_answers_again_counts_for_as_long_as_it_may_take(
    smsc: ScriptedSmsc, monkeypatch: pytest.MonkeyPatch, gets_moment: bool
):
    monkeypatch.setattr(breaker, "PAUSE_FIRST_S", 0.0)
    smsc.on_submit = lambda *_: None
    booked, naps = list[tuple[int, bool]](), list[float]()

    def book_again(segment_count: int, *, is_patient: bool) -> tuple[float, float] | None:
        booked.append((segment_count, is_patient))
        return (time.monotonic() + 0.05, PATIENT_S) if gets_moment else None

    def nap(seconds: float) -> None:
        naps.append(seconds)
        time.sleep(seconds)

    with smpp_gateway(smsc.port, window=3, response_s=0.1) as gateway:
        for _ in range(2):
            assert outcomes(gateway.submit(MESSAGES, NOW)) == ["unknown"] * 3
        smsc.on_submit = lambda session, frame: session.answer(frame)
        submits_before = len(smsc.submits)
        # The moment that was booked with the others has passed.
        schedule = DepartureSchedule([time.monotonic() - 3_600] * 3, 0.01, sleep=nap, book_again=book_again)
        first = "accepted" if gets_moment else "throttled"
        assert outcomes(gateway.submit(MESSAGES, NOW, schedule)) == [first, "throttled", "throttled"]
    assert booked == [(1, True)]
    assert len(smsc.submits) - submits_before == bool(naps) == gets_moment


def refuse_the_last_part(times: int) -> Callable[[Session, Pdu], None]:
    """Return what takes the first part of a long message and says so often of the other that it comes too fast."""
    count = 0

    def answer(session: Session, frame: Pdu) -> None:
        nonlocal count
        count += 1
        is_refused = 1 < count <= 1 + times
        session.answer(frame, Status.THROTTLED if is_refused else Status.OK)

    return answer


LONG = make_outbound(1, text="x" * 200, segment_count=2)


def test_a_part_that_came_too_fast_has_a_moment_of_its_own_each_time_it_is_said(smsc: ScriptedSmsc):
    smsc.on_submit = refuse_the_last_part(2)
    booked = list[tuple[int, bool, int]]()

    def book_again(segment_count: int, *, is_patient: bool) -> tuple[float, float]:
        booked.append((segment_count, is_patient, len(smsc.submits)))
        # The second one it misses.
        return time.monotonic() - (len(booked) == 2), PATIENCE_S / 2

    with smpp_gateway(smsc.port) as gateway:
        schedule = DepartureSchedule([time.monotonic()], PATIENT_S, book_again=book_again)
        assert outcomes(gateway.submit([LONG], NOW, schedule)) == ["accepted"]
    assert booked == [(1, False, 2), (1, False, 3), (1, False, 3)]
    assert len(smsc.submits) == 4


def test_what_is_left_of_a_message_and_gets_no_moment_any_more_is_unknown(smsc: ScriptedSmsc):
    smsc.on_submit = refuse_the_last_part(1)
    with smpp_gateway(smsc.port) as gateway:
        assert outcomes(gateway.submit([LONG], NOW, DepartureSchedule([time.monotonic()], PATIENT_S))) == ["unknown"]
    assert len(smsc.submits) == 2
