"""Who is let in, and what becomes of a connection."""

import ssl
import struct
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.gateways.smsc.running import SmscThread
from core.gateways.smsc.smsc import Address
from tests.support.fakes.calm_smsc import calm_behavior
from tests.support.fakes.esme import (
    BIND_RECEIVER,
    BIND_TRANSCEIVER,
    BIND_TRANSMITTER,
    ENQUIRE_LINK,
    GENERIC_NACK,
    RESPONSE,
    SUBMIT_SM,
    UNBIND,
    Esme,
    encoded,
)
from tests.support.processes.certificates import self_signed

OK, INVALID_LENGTH, UNKNOWN_COMMAND, WRONG_BIND, ALREADY_BOUND = 0x00, 0x02, 0x03, 0x04, 0x05
BIND_FAILED, WRONG_PASSWORD, UNKNOWN_SYSTEM_ID = 0x0D, 0x0E, 0x0F


@pytest.fixture
def smsc(tmp_path: Path):
    with SmscThread(tmp_path / "smsc.sqlite", calm_behavior(binds_max=2)) as running:
        yield running


@pytest.mark.parametrize("mode", [BIND_TRANSMITTER, BIND_RECEIVER, BIND_TRANSCEIVER])
def test_each_kind_of_bind_is_taken_and_says_its_version(smsc: SmscThread, mode: int):
    with Esme(smsc.port) as client:
        answer = client.bind(mode)
    assert (answer.command, answer.status) == (mode | RESPONSE, OK)
    assert answer.body == b"heliograph\0" + b"\x02\x10\x00\x01\x34"


@pytest.mark.parametrize(
    ("names", "status"),
    [(("me", "wrong"), WRONG_PASSWORD), (("nobody", "secret"), UNKNOWN_SYSTEM_ID), (("me", ""), WRONG_PASSWORD)],
)
def test_who_is_not_known_is_told_so_and_hung_up_on(smsc: SmscThread, names: tuple[str, str], status: int):
    with Esme(smsc.port) as client:
        assert client.bind(BIND_TRANSCEIVER, *names).status == status
        assert client.is_gone()


def test_a_system_id_has_so_many_binds_and_no_more(smsc: SmscThread):
    with Esme(smsc.port) as first, Esme(smsc.port) as second, Esme(smsc.port) as third, Esme(smsc.port) as other:
        assert [first.bind().status, second.bind(BIND_RECEIVER).status] == [OK, OK]
        assert third.bind().status == BIND_FAILED
        assert other.bind(system_id="other").status == OK
        first.answer_to(first.say(UNBIND))
        assert first.is_gone()
        with Esme(smsc.port) as fourth:
            assert fourth.bind().status == OK


def test_a_second_bind_of_a_connection_is_refused_and_the_first_one_stays(smsc: SmscThread):
    with Esme(smsc.port) as client:
        client.bind()
        assert client.bind().status == ALREADY_BOUND
        assert client.send().status == OK


def test_nobody_submits_without_a_bind_that_may(smsc: SmscThread):
    with Esme(smsc.port) as unbound, Esme(smsc.port) as receiver:
        assert unbound.send().status == WRONG_BIND
        receiver.bind(BIND_RECEIVER)
        assert receiver.send().status == WRONG_BIND
    assert smsc.journal.count_accepted() == 0


def test_what_was_submitted_before_the_bind_in_one_write_is_refused_and_what_came_behind_it_taken(smsc: SmscThread):
    body = b"me\0secret\0\0" + b"\x34\0\0\0"
    bind = struct.pack(">IIII", 16 + len(body), BIND_TRANSCEIVER, 0, 2) + body
    with Esme(smsc.port) as client:
        client.say_raw(encoded("491796000001", b"a", 1) + bind + encoded("491796000002", b"b", 3))
        assert [client.answer_to(sequence).status for sequence in (1, 2, 3)] == [WRONG_BIND, OK, OK]
    assert smsc.journal.count_accepted() == 1


def test_who_asks_whether_it_is_there_is_answered(smsc: SmscThread):
    with Esme(smsc.port) as client:
        assert client.answer_to(client.say(ENQUIRE_LINK)).command == ENQUIRE_LINK | RESPONSE


def test_what_came_before_the_unbind_is_answered_first(smsc: SmscThread):
    with Esme(smsc.port) as client:
        client.bind()
        sequences = [client.submit(f"4917960{number:05}") for number in range(20)]
        last = client.say(UNBIND)
        heard = [client.next() for _ in range(21)]
        assert {each.sequence for each in heard[:-1]} == set(sequences)
        assert (heard[-1].command, heard[-1].sequence) == (UNBIND | RESPONSE, last)
        assert client.is_gone()


def test_what_comes_behind_the_unbind_is_not_taken(smsc: SmscThread):
    unbind = struct.pack(">IIII", 16, UNBIND, 0, 70)
    with Esme(smsc.port) as client:
        client.bind()
        client.say_raw(encoded("491796000001", b"a", 60) + unbind + encoded("491796000002", b"b", 80))
        assert client.answer_to(60).status == OK
        assert client.is_gone()
    assert [each.msisdn for each in smsc.journal.list_accepted()] == ["+491796000001"]


def test_a_command_it_does_not_know_is_answered_with_a_nack(smsc: SmscThread):
    with Esme(smsc.port) as client:
        client.bind()
        for command in (0x03, 0x103, 0x77):
            sequence = client.say(command, b"\0" * 20)
            answer = client.next()
            assert (answer.command, answer.status, answer.sequence) == (GENERIC_NACK, UNKNOWN_COMMAND, sequence)
        assert client.send().status == OK


def test_what_is_no_smpp_ends_the_connection(smsc: SmscThread):
    with Esme(smsc.port) as client:
        client.say_raw(b"GET / HTTP/1.1\r\nHost: smsc\r\n\r\n")
        answer = client.next()
        assert (answer.command, answer.status) == (GENERIC_NACK, INVALID_LENGTH)
        assert client.is_gone()


def test_a_body_that_ends_too_early_is_refused_with_the_code_of_that(smsc: SmscThread):
    with Esme(smsc.port) as client:
        client.bind()
        assert client.answer_to(client.say(SUBMIT_SM, b"\0\0\0abc")).status == 0xC2
        assert client.send().status == OK


def test_who_does_not_bind_in_time_is_hung_up_on(tmp_path: Path):
    with (
        SmscThread(tmp_path / "smsc.sqlite", calm_behavior(bind_s=0.05)) as smsc,
        Esme(smsc.port) as client,
    ):
        assert client.is_gone()


def test_who_is_silent_is_asked_and_stays_if_it_answers(tmp_path: Path):
    with SmscThread(tmp_path / "smsc.sqlite", calm_behavior(enquire_s=0.02)) as smsc, Esme(smsc.port) as client:
        client.bind()
        for _ in range(3):
            asked = client.next()
            assert asked.command == ENQUIRE_LINK
            client.say(ENQUIRE_LINK | RESPONSE, sequence=asked.sequence)
        assert client.send().status == OK


def test_who_is_silent_and_does_not_answer_is_let_go(tmp_path: Path):
    behavior = calm_behavior(enquire_s=0.02, response_s=0.02)
    with SmscThread(tmp_path / "smsc.sqlite", behavior) as smsc, Esme(smsc.port) as client:
        client.bind()
        assert client.is_gone()


def test_everybody_is_asked_to_let_go_and_may(smsc: SmscThread):
    with Esme(smsc.port) as client:
        client.bind()
        smsc.unbind()
        asked = client.next()
        assert asked.command == UNBIND
        client.say(UNBIND | RESPONSE, sequence=asked.sequence)
        assert client.is_gone()


def test_it_ends_though_nobody_lets_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("core.gateways.smsc.smsc.UNBIND_S", 0.05)
    with SmscThread(tmp_path / "smsc.sqlite", calm_behavior()) as smsc:
        client = Esme(smsc.port)
        client.bind()
    with client:
        assert client.next().command == UNBIND
        assert client.is_gone()


def test_it_speaks_tls_and_nothing_else_with_a_certificate(tmp_path: Path):
    pem = tmp_path / "smsc.pem"
    pem.write_bytes(self_signed("127.0.0.1"))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pem)
    trusting = ssl.create_default_context(cafile=str(pem))
    path = tmp_path / "smsc.sqlite"
    with SmscThread(path, calm_behavior(), Address(tls=server)) as smsc:
        with Esme(smsc.port, trusting) as client:
            assert client.bind().status == OK
            assert client.send().status == OK
            assert b"stat:DELIVRD" in client.take().short_message
        with Esme(smsc.port) as plain:
            plain.say(ENQUIRE_LINK)
            with pytest.raises(ConnectionError):
                plain.next()


def test_a_port_that_is_taken_is_said(smsc: SmscThread, tmp_path: Path):
    other = SmscThread(tmp_path / "other.sqlite", calm_behavior(), Address(port=smsc.port))
    with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{smsc.port}"):
        other.__enter__()
