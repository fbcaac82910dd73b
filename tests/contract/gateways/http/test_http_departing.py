"""A gateway over HTTP writes no request whose moment has passed, whatever it had to wait for."""

import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path

import pytest

from core.errors import Unavailable
from core.gateways.departing import BookAgain, DepartureSchedule
from tests.contract.gateways.gateway_contract import NOW, PATIENT_S, make_outbound
from tests.contract.gateways.http.scripted_provider import Asked, Said, provider
from tests.contract.gateways.http.test_http_gateway import TAKEN, gateway_to, outcomes
from tests.support.processes.certificates import self_signed

MESSAGES = tuple(make_outbound(number) for number in range(4))
PATIENCE_S = 1.0


class SlowHandshake:
    """TLS of a server that answers no handshake before a moment has come."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.tls = tls
        self.until_s = 0.0

    def wrap_socket(self, plain: socket.socket, *, server_side: bool) -> ssl.SSLSocket:
        sleep_until(self.until_s)
        return self.tls.wrap_socket(plain, server_side=server_side)


def sleep_until(moment_s: float) -> None:
    while (left_s := moment_s - time.monotonic()) >= 0:
        time.sleep(left_s + 0.001)


def test_a_request_whose_connection_took_too_long_is_not_written(tmp_path: Path):
    certificate = tmp_path / "server.pem"
    certificate.write_bytes(self_signed("127.0.0.1"))
    trusted = certificate.read_text()[certificate.read_text().index("-----BEGIN CERTIFICATE") :]
    with provider(lambda _: TAKEN, certificate) as server, gateway_to(server.url, 1, authority=trusted) as gateway:
        server.tls = slow = SlowHandshake(server.tls)
        now_s = time.monotonic()
        slow.until_s = now_s + PATIENCE_S
        results = gateway.submit(MESSAGES[:1], NOW, DepartureSchedule([now_s], PATIENCE_S))
        assert (outcomes(results), server.asked) == (["late"], [])
        # The only connection there may be is free again, and the provider is not taken to be out of order.
        again = DepartureSchedule([time.monotonic()] * 4, PATIENT_S)
        assert outcomes(gateway.submit(MESSAGES, NOW, again)) == ["accepted"] * 4
        assert len(server.asked) == 4


def test_what_waits_for_the_answers_of_others_until_it_is_late_does_not_leave():
    leave_by_s = 0.0

    def answer_when_the_others_are_late(_: Asked) -> Said:
        sleep_until(leave_by_s)
        return TAKEN

    with provider(answer_when_the_others_are_late) as server, gateway_to(server.url, connections=1) as gateway:
        now_s = time.monotonic()
        leave_by_s = now_s + PATIENCE_S
        results = gateway.submit(MESSAGES, NOW, DepartureSchedule([now_s] * 4, PATIENCE_S))
        assert outcomes(results) == ["accepted", "late", "late", "late"]
        assert len(server.asked) == 1


def refuse_one_of_them(asked: Asked) -> Said:
    return Said(422) if MESSAGES[2].msisdn.encode() in asked.body else TAKEN


def test_each_half_of_a_refused_batch_has_a_moment_of_its_own():
    booked, naps = list[tuple[int, bool]](), list[float]()

    def book_again(segment_count: int, *, is_patient: bool) -> tuple[float, float]:
        booked.append((segment_count, is_patient))
        return time.monotonic() + 0.05, PATIENT_S

    def nap(seconds: float) -> None:
        naps.append(seconds)
        time.sleep(seconds)

    with provider(refuse_one_of_them) as server, gateway_to(server.url, per_request=4) as gateway:
        schedule = DepartureSchedule([time.monotonic()] * 4, PATIENT_S, sleep=nap, book_again=book_again)
        assert outcomes(gateway.submit(MESSAGES, NOW, schedule)) == ["accepted", "accepted", "rejected", "accepted"]
        assert [len(asked.body.split(b",")) for asked in server.asked] == [4, 2, 2, 1, 1]
    assert booked == [(2, False), (2, False), (1, False), (1, False)]
    assert len(naps) >= 4


@pytest.mark.parametrize("book_again", [lambda *_, **__: None, lambda *_, **__: (time.monotonic() - 1, 0.01)])
def test_a_half_that_gets_no_moment_or_misses_it_is_given_back_and_not_late(book_again: BookAgain):
    with provider(refuse_one_of_them) as server, gateway_to(server.url, per_request=4) as gateway:
        schedule = DepartureSchedule([time.monotonic()] * 4, PATIENT_S, book_again=book_again)
        # The moments of what is late are given back, and theirs are used up.
        assert outcomes(gateway.submit(MESSAGES, NOW, schedule)) == ["throttled"] * 4
        assert len(server.asked) == 1


@pytest.mark.parametrize("gets_moment", [True, False])
def test_one_that_tries_whether_the_provider_answers_again_counts_for_as_long_as_it_may_take(gets_moment: bool):
    booked, says = list[tuple[int, bool]](), [Said(502)]

    def book_again(segment_count: int, *, is_patient: bool) -> tuple[float, float] | None:
        booked.append((segment_count, is_patient))
        return (time.monotonic(), PATIENT_S) if gets_moment else None

    with provider(lambda _: says[0]) as server, gateway_to(server.url, 1, per_request=2) as gateway:
        while not booked:
            gateway.try_now()
            in_time = DepartureSchedule([time.monotonic()] * 4, PATIENT_S, book_again=book_again)
            # Whoever comes after the one that tries hears that it is too early.
            with suppress(Unavailable):
                gateway.submit(MESSAGES, NOW, in_time)
        asked_count = len(server.asked)
        says[0] = TAKEN
        gateway.try_now()
        late = DepartureSchedule([time.monotonic() - 3_600] * 2, 0.01, book_again=book_again)
        first = "accepted" if gets_moment else "throttled"
        assert outcomes(gateway.submit(MESSAGES[:2], NOW, late)) == [first, "throttled"]
        assert booked[-1] == (1, True)
        assert len(server.asked) - asked_count == gets_moment


def test_those_of_one_request_are_late_together():
    with provider(lambda _: TAKEN) as server, gateway_to(server.url, per_request=2) as gateway:
        now_s = time.monotonic()
        moments_s = [now_s - 2 * PATIENT_S] * 2 + [now_s] * 2
        results = gateway.submit(MESSAGES, NOW, DepartureSchedule(moments_s, PATIENT_S))
        assert outcomes(results) == ["late", "late", "accepted", "accepted"]
        assert [asked.body.decode().split(",") for asked in server.asked] == [[each.msisdn for each in MESSAGES[2:]]]


def test_what_waits_for_its_moment_when_the_gateway_is_closed_is_given_back():
    with provider(lambda _: TAKEN) as server, gateway_to(server.url) as gateway:
        now_s = time.monotonic()

        def close(seconds: float) -> None:
            gateway.close()
            time.sleep(seconds)

        schedule = DepartureSchedule([now_s] + [now_s + 0.2] * 3, PATIENT_S, sleep=close)
        assert outcomes(gateway.submit(MESSAGES, NOW, schedule)) == ["accepted"] + ["throttled"] * 3
        assert len(server.asked) == 1
