"""What becomes of messages when something goes wrong between a gateway and its provider's HTTP interface."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.domain.messages.messages import OutboundMessage, SubmitOutcome, SubmitResult
from core.errors import BadCredentials, Unavailable
from core.gateways.http.client import ANSWER_MAX_BYTES, ApiAnswer, ApiRequest, Limits
from core.gateways.http.gateway import HttpGateway
from core.gateways.http.verdicts import Refusal, Verdict, accepted, read_refusal
from core.gateways.tls import make_tls
from tests.contract.gateways.gateway_contract import NOW, make_outbound
from tests.contract.gateways.http.scripted_provider import Asked, Raw, Said, nobody, provider
from tests.support.processes.certificates import self_signed
from tests.support.processes.waiting import wait_until

SECRET = "Geheimnis-4711"
TAKEN = Said(200, b"taken")


class PlainProvider:
    """Takes a batch with 200, whatever else it says; the id is ours."""

    def __init__(self, url: str, per_request: int = 1) -> None:
        self.url = url
        self.per_request = per_request

    def cut(self, messages: Sequence[OutboundMessage]) -> Iterator[Sequence[OutboundMessage]]:
        return (messages[start : start + self.per_request] for start in range(0, len(messages), self.per_request))

    def write(self, batch: Sequence[OutboundMessage]) -> ApiRequest:
        numbers = ",".join(message.msisdn for message in batch)
        return ApiRequest("POST", f"{self.url}/send?key={SECRET}", {"X-Key": SECRET}, numbers.encode())

    def read(self, batch: Sequence[OutboundMessage], answer: ApiAnswer) -> Sequence[Verdict] | Refusal:
        if not answer.is_success:
            return read_refusal(answer)
        if answer.body == b"defect":
            raise KeyError("of ours")
        if answer.body == b"one too few":
            batch = batch[1:]
        if answer.body is None:
            return [Verdict(SubmitOutcome.UNKNOWN)] * len(batch)
        return [accepted(f"theirs-{message.message_id}") for message in batch]


@contextmanager
def gateway_to(
    url: str, connections: int = 4, answer_s: float = 5.0, authority: str = "", per_request: int = 1
) -> Iterator[HttpGateway]:
    limits = Limits(connections, 5.0, answer_s, make_tls(authority))
    gateway = HttpGateway("Test provider", PlainProvider(url, per_request), limits, lambda: NOW)
    try:
        yield gateway
    finally:
        gateway.close()


def submit(url: str, count: int = 1, **limits: object) -> list[SubmitResult]:
    with gateway_to(url, **limits) as gateway:
        return gateway.submit([make_outbound(number) for number in range(count)], NOW)


def outcomes(results: Sequence[SubmitResult]) -> list[str]:
    return [result.outcome.value for result in results]


def test_where_nobody_listens_nothing_has_left():
    with nobody() as url, pytest.raises(Unavailable, match="the connection is refused"):
        submit(url, 3)


def test_a_name_that_is_not_found_is_said():
    with pytest.raises(Unavailable, match=r"nowhere\.invalid is not found"):
        submit("https://nowhere.invalid")


def test_a_certificate_that_nobody_vouches_for_ends_it_before_anything_has_left(tmp_path: Path):
    certificate = tmp_path / "server.pem"
    certificate.write_bytes(self_signed("127.0.0.1"))
    with provider(lambda _: TAKEN, certificate) as server:
        with pytest.raises(Unavailable, match="is not trusted"):
            submit(server.url, 2)
        assert server.asked == []
        trusted = certificate.read_text()[certificate.read_text().index("-----BEGIN CERTIFICATE") :]
        assert outcomes(submit(server.url, 2, authority=trusted)) == ["accepted", "accepted"]


def test_where_no_tls_is_spoken_nothing_has_left():
    with provider(lambda _: TAKEN) as server, pytest.raises(Unavailable, match="TLS"):
        submit(server.url.replace("http:", "https:"))


LOST = {
    "closed without an answer": Raw(),
    "closed within the answer": Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
    "closed within the head": Raw(b"HTTP/1.1 200 O"),
    "no HTTP": Raw(b"+OK taken\r\n\r\n"),
    "silent": Raw(stays=True),
    "silent within the answer": Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", stays=True),
    "silent within the head": Raw(b"HTTP/1.1 200 OK\r\nContent-Le", stays=True),
    "head without end": Raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000),
}


@pytest.mark.parametrize("lost", LOST)
def test_what_was_written_and_got_no_answer_is_unknown(lost: str):
    with provider(lambda _: LOST[lost]) as server:
        assert outcomes(submit(server.url, answer_s=0.3)) == ["unknown"]
        wait_until(lambda: server.asked, "a slow machine has read what was asked")
        # Nobody asks again by themselves.
        assert len(server.asked) == 1


# Each piece comes in time, and in the end there would be a whole answer.
SLOW = {
    "body": Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", then=[b"x"] * 100),
    "head": Raw(b"HTTP/1.1 200 OK\r\nX: ", then=[*[b"y"] * 100, b"\r\nContent-Length: 5\r\n\r\ntaken"]),
    "interim answers": Raw(
        then=[*[b"HTTP/1.1 102 Processing\r\n\r\n"] * 100, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntaken"]
    ),
}


@pytest.mark.parametrize("slow", SLOW)
def test_an_answer_that_comes_bit_by_bit_is_not_waited_for_longer_than_any(slow: str, monkeypatch: pytest.MonkeyPatch):
    with provider(lambda _: SLOW[slow]) as server:
        # Once it was asked, the time is over.
        monkeypatch.setattr("core.gateways.http.deadlines.time", FakeTime(lambda: 100.0 if server.asked else 0.0))
        assert outcomes(submit(server.url)) == ["unknown"]
        assert len(server.asked) == 1


class FakeTime:
    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.monotonic = monotonic
        self.time = time.time


def test_an_answer_without_bounds_is_not_read_to_its_end():
    answer = Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n" + b"x" * (ANSWER_MAX_BYTES + 100_000))
    with provider(lambda _: answer) as server:
        assert outcomes(submit(server.url)) == ["unknown"]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (302, "unknown"),
        (303, "unknown"),
        (400, "rejected"),
        (404, "blocked"),
        (307, "blocked"),
        (402, "blocked"),
        (408, "unknown"),
        (409, "unknown"),
        (422, "rejected"),
        (429, "throttled"),
        (500, "unknown"),
        (502, "unknown"),
        (503, "unknown"),
        (504, "unknown"),
    ],
)
def test_a_status_says_what_is_known(status: int, outcome: str):
    with provider(lambda _: Said(status, b"<html>", {"Location": "http://127.0.0.1:1/"})) as server:
        (result,) = submit(server.url)
        assert len(server.asked) == 1
    assert result.outcome.value == outcome
    assert result.error_code == ("" if status == 429 else f"HTTP {status}")


@pytest.mark.parametrize("status", [429, 503])
def test_it_is_waited_for_as_long_as_the_provider_asks(status: int):
    with provider(lambda _: Said(status, headers={"Retry-After": "7"})) as server:
        results = submit(server.url, 20, connections=1)
        # One answer was enough.
        assert len(server.asked) == 1
    assert {(result.outcome.value, result.retry_after_s, result.error_code) for result in results} == {
        ("throttled", 7.0, "")
    }


def test_while_the_provider_asks_to_be_left_alone_it_is_not_asked():
    steady = Steady()
    with provider(Each(Said(429, headers={"Retry-After": "60"}), TAKEN)) as server:
        gateway = HttpGateway(
            "Test provider", PlainProvider(server.url), Limits(2, 5.0, 5.0, make_tls("")), lambda: NOW, steady
        )
        first = gateway.submit([make_outbound()], NOW)
        steady.now_s = 59.0
        second = gateway.submit([make_outbound()], NOW)
        assert [(each.outcome.value, each.retry_after_s) for each in first + second] == [
            ("throttled", 60.0),
            ("throttled", 1.0),
        ]
        assert len(server.asked) == 1
        steady.now_s = 60.0
        assert outcomes(gateway.submit([make_outbound()], NOW)) == ["accepted"]
        gateway.close()


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_refuse_everything(status: int):
    with provider(lambda _: Said(status)) as server:
        with pytest.raises(BadCredentials, match=f"refuses the credentials, or this machine's address .HTTP {status}"):
            submit(server.url, 20, connections=1)
        assert len(server.asked) == 1


def test_credentials_refused_after_some_were_taken_block_the_others():
    with provider(Each(TAKEN, Said(401))) as server:
        results = submit(server.url, 4, connections=1)
    assert outcomes(results) == ["accepted", "blocked", "blocked", "blocked"]
    assert results[3].error_code == "HTTP 401"


def test_what_did_not_leave_is_given_back_when_others_did():
    def take_one_and_leave(asked: Asked) -> Said:
        server.socket.shutdown(socket.SHUT_RDWR)
        return Said(200, b"taken", {"Connection": "close"}, is_last=True)

    with provider(take_one_and_leave) as server:
        results = submit(server.url, 4, connections=1)
        assert len(server.asked) == 1
    assert outcomes(results) == ["accepted", "throttled", "throttled", "throttled"]
    assert all(result.retry_after_s > 0 and not result.error_code for result in results[1:])


class Each:
    """Says one thing after the other, the last one again and again."""

    def __init__(self, *answers: Said | Raw) -> None:
        self.answers = list(answers)

    def __call__(self, _: Asked) -> Said | Raw:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def test_of_a_batch_that_is_refused_for_one_of_them_the_others_are_taken():
    def refuse_seven(asked: Asked) -> Said:
        return Said(422) if b"7," in asked.body + b"," else TAKEN

    with provider(refuse_seven) as server:
        results = submit(server.url, 16, per_request=16)
        assert len(server.asked) < 16
    assert [result.outcome.value for result in results] == ["accepted"] * 7 + ["rejected"] + ["accepted"] * 8


def test_of_a_batch_that_may_have_been_taken_nothing_is_asked_again():
    with provider(lambda _: Said(502)) as server:
        assert outcomes(submit(server.url, 5, per_request=5)) == ["unknown"] * 5
        assert len(server.asked) == 1


def test_a_connection_that_the_provider_closed_meanwhile_loses_nothing():
    with provider(lambda _: Said(200, b"taken", is_last=True)) as server, gateway_to(server.url) as gateway:
        for number in range(5):
            assert outcomes(gateway.submit([make_outbound(number)], NOW)) == ["accepted"]
            wait_until(lambda closed=number + 1: server.closed_count == closed, "the other side has closed it")


def test_connections_are_kept_and_never_more_than_the_window():
    now, most, lock = [0], [0], threading.Lock()

    def count(_: Asked) -> Said:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.002)
        with lock:
            now[0] -= 1
        return TAKEN

    with provider(count) as server, gateway_to(server.url, connections=3) as gateway:
        windows = [[make_outbound(number * 10 + index) for index in range(10)] for number in range(6)]
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(lambda window: gateway.submit(window, NOW), windows))
        assert most[0] == 3
        assert server.connection_count == 3


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch):
    with nobody() as elsewhere, provider(lambda _: TAKEN) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, elsewhere)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert outcomes(submit(server.url)) == ["accepted"]


def test_neither_secrets_nor_numbers_come_into_a_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with provider(Each(TAKEN, Said(200, b"defect"), Raw(), Said(500), Said(401))) as server:
        submit(server.url, 5, connections=1)
    with nobody() as url, pytest.raises(Unavailable) as refused:
        submit(url)
    written = caplog.text + "".join(repr(record.__dict__) for record in caplog.records) + str(refused.value)
    assert SECRET not in written
    assert "4917960" not in written
    assert SECRET not in repr(ApiRequest("POST", SECRET, {"X-Key": SECRET}, SECRET.encode()))


def test_an_answer_that_we_fail_to_read_is_unknown_and_a_defect_in_the_log(caplog: pytest.LogCaptureFixture):
    with provider(Each(TAKEN, Said(200, b"defect"), TAKEN)) as server:
        assert outcomes(submit(server.url, 3, connections=1)) == ["accepted", "unknown", "accepted"]
    assert [record.message for record in caplog.records] == ["answer_not_read"]


def test_verdicts_that_are_not_one_for_each_message_say_nothing_of_any(caplog: pytest.LogCaptureFixture):
    with provider(lambda _: Said(200, b"one too few")) as server:
        assert outcomes(submit(server.url, 3, per_request=3)) == ["unknown"] * 3
    assert "2 verdicts for 3 messages" in caplog.text


def test_closing_waits_for_answers_and_gives_back_what_has_not_begun():
    arrived, go_on = threading.Event(), threading.Event()

    def wait(_: Asked) -> Said:
        arrived.set()
        go_on.wait(30)
        return TAKEN

    with provider(wait) as server, gateway_to(server.url, connections=1) as gateway, ThreadPoolExecutor(2) as threads:
        sending = threads.submit(gateway.submit, [make_outbound(number) for number in range(3)], NOW)
        assert arrived.wait(30)
        closing = threads.submit(gateway.close)
        while not gateway._is_closed:
            time.sleep(0.001)
        assert not closing.done()
        go_on.set()
        assert outcomes(sending.result(30)) == ["accepted", "throttled", "throttled"]
        closing.result(30)
        with pytest.raises(Unavailable, match="closed"):
            gateway.submit([make_outbound()], NOW)


class Steady:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize("lost", [Raw(), Said(502), Said(200, b"x" * (ANSWER_MAX_BYTES + 1))])
def test_a_provider_that_says_nothing_one_understands_is_not_given_a_whole_campaign(lost: Said | Raw):
    steady, answers = Steady(), [lost]
    with provider(lambda _: answers[0]) as server:
        limits = Limits(4, 5.0, 5.0, make_tls(""))
        gateway = HttpGateway("Test provider", PlainProvider(server.url), limits, lambda: NOW, steady)
        first = outcomes(gateway.submit([make_outbound(number) for number in range(100)], NOW))
        # Those that were under way together.
        assert 4 <= first.count("unknown") <= 7
        assert first.count("throttled") == 100 - first.count("unknown")
        asked_count = len(server.asked)
        with pytest.raises(Unavailable, match="not asked for a while") as refused:
            gateway.submit([make_outbound(number) for number in range(100)], NOW)
        assert refused.value.retry_after_s == 2.0
        assert len(server.asked) == asked_count
        # One tries it, and the next one later.
        for pause_s in (2.0, 4.0, 8.0):
            steady.now_s += pause_s
            tried = outcomes(gateway.submit([make_outbound(number) for number in range(100)], NOW))
            assert (tried.count("unknown"), tried.count("throttled")) == (1, 99)
        answers[0] = TAKEN
        steady.now_s += 16.0
        back = outcomes(gateway.submit([make_outbound(number) for number in range(100)], NOW))
        # Those that began before the first answer was there are given back.
        assert set(back) <= {"accepted", "throttled"}
        assert outcomes(gateway.submit([make_outbound(number) for number in range(100)], NOW)) == ["accepted"] * 100
        gateway.close()


def test_answers_that_are_known_in_between_keep_it_open():
    with provider(Each(*[Said(502), Said(502), TAKEN] * 10, TAKEN)) as server:
        results = outcomes(submit(server.url, 30, connections=1))
    assert (results.count("unknown"), results.count("accepted")) == (20, 10)


def test_no_more_is_in_flight_than_its_connections_carry():
    with (
        gateway_to("http://127.0.0.1:1", connections=3) as alone,
        gateway_to("http://127.0.0.1:1", 3, per_request=5) as b,
    ):
        assert (alone.window, b.window) == (3, 15)


def test_nothing_is_heard_by_asking():
    with provider(lambda _: TAKEN) as server, gateway_to(server.url) as gateway:
        gateway.keep_open()
        gateway.acknowledge(["1"])
        # Whoever looks whether it is back tries the connection.
        assert gateway.links() == ()
        assert not gateway.may_have_receipts(NOW)
        assert gateway.fetch_receipts(10, NOW) == []
        assert server.asked == []
