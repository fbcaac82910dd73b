"""A gateway over HTTP writes no request whose moment has passed, whatever it had to wait for."""

import socket
import ssl
import time
from pathlib import Path

from core.gateways.departing import DepartureSchedule
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


def test_the_halves_of_a_refused_batch_are_asked_for_whenever_that_is():
    leave_by_s = 0.0

    def refuse_one_of_them_late(asked: Asked) -> Said:
        sleep_until(leave_by_s)
        return Said(422) if MESSAGES[2].msisdn.encode() in asked.body else TAKEN

    with provider(refuse_one_of_them_late) as server, gateway_to(server.url, per_request=4) as gateway:
        now_s = time.monotonic()
        leave_by_s = now_s + PATIENCE_S
        results = gateway.submit(MESSAGES, NOW, DepartureSchedule([now_s] * 4, PATIENCE_S))
        assert outcomes(results) == ["accepted", "accepted", "rejected", "accepted"]
        assert [len(asked.body.split(b",")) for asked in server.asked] == [4, 2, 2, 1, 1]


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
        schedule = DepartureSchedule([now_s] + [now_s + 3_600] * 3, PATIENT_S, sleep=lambda _: gateway.close())
        assert outcomes(gateway.submit(MESSAGES, NOW, schedule)) == ["accepted"] + ["throttled"] * 3
        assert len(server.asked) == 1
