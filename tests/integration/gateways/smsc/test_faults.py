"""What goes wrong on purpose, and only when it is told to."""

import json
import socket
import stat
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.gateways.smsc.control import listen
from core.gateways.smsc.running import SmscThread
from tests.support.fakes.calm_smsc import calm_behavior
from tests.support.fakes.esme import BIND_RECEIVER, BIND_TRANSMITTER, DELIVER_SM, Esme
from tests.support.processes.waiting import wait_until

OK, BIND_FAILED, THROTTLED, VENDOR_CODE = 0x00, 0x0D, 0x58, 0x44C


@pytest.fixture
def smsc(tmp_path: Path):
    with SmscThread(tmp_path / "smsc.sqlite", calm_behavior()) as running:
        yield running


@pytest.fixture
def client(smsc: SmscThread):
    with Esme(smsc.port) as connected:
        connected.bind()
        yield connected


def test_binds_are_refused_while_it_is_told_so(smsc: SmscThread, client: Esme):
    smsc.set_faults(bind_status=BIND_FAILED)
    with Esme(smsc.port) as other:
        assert other.bind().status == BIND_FAILED
        assert other.is_gone()
    assert client.send().status == OK
    smsc.set_faults(bind_status=0)
    with Esme(smsc.port) as other:
        assert other.bind().status == OK


@pytest.mark.parametrize("status", [THROTTLED, VENDOR_CODE])
def test_submits_are_refused_with_any_code_and_not_taken(smsc: SmscThread, client: Esme, status: int):
    smsc.set_faults(submit_status=status)
    assert client.send().status == status
    assert smsc.journal.count_accepted() == 0


def test_a_connection_is_dropped_in_place_of_a_response_and_the_message_was_taken(smsc: SmscThread):
    with Esme(smsc.port) as client:
        client.bind(BIND_TRANSMITTER)
        smsc.drop_next()
        client.submit()
        with pytest.raises(ConnectionError):
            client.next()
    assert smsc.journal.count_accepted() == 1
    with Esme(smsc.port) as client:
        client.bind(BIND_TRANSMITTER)
        assert client.send().status == OK


def test_who_is_refused_keeps_the_connection(smsc: SmscThread, client: Esme):
    smsc.drop_next()
    assert client.send("nobody").status == 0x0B
    client.submit()
    assert client.is_gone()


def test_every_so_many_submits_one_loses_its_connection(smsc: SmscThread):
    smsc.set_faults(drop_every=3)
    answered = []
    for _ in range(4):
        with Esme(smsc.port) as client:
            client.bind(BIND_TRANSMITTER)
            sequences = [client.submit(f"4917960{index:05}") for index in range(5)]
            assert client.is_gone()
            answered.append(sum(client.has_heard(sequence) for sequence in sequences))
    assert answered == [2, 2, 2, 2]


def test_answers_can_be_slow_and_everything_else_stays_quick(smsc: SmscThread, client: Esme):
    smsc.set_faults(answer_s=3_600.0)
    client.submit()
    assert client.take().esm_class == 4
    assert client.is_quiet()
    smsc.set_faults(answer_s=0.01)
    assert client.send("491796000002").status == OK


def test_it_can_take_and_not_answer(smsc: SmscThread, client: Esme):
    smsc.set_faults(silent=True)
    client.submit()
    client.take()
    assert client.is_quiet()
    assert smsc.journal.count_accepted() == 1


def test_it_can_hear_nothing_at_all_and_then_hears_what_was_said_meanwhile(smsc: SmscThread, client: Esme):
    smsc.set_faults(deaf=True)
    with Esme(smsc.port) as other:
        sequence = client.submit()
        asked = other.say_bind()
        smsc.state()
        assert smsc.journal.count_accepted() == 0
        smsc.set_faults(deaf=False)
        assert (client.answer_to(sequence).status, other.answer_to(asked).status) == (OK, OK)


def test_receipts_can_come_twice(smsc: SmscThread, client: Esme):
    smsc.set_faults(receipts_twice=1.0)
    client.send()
    assert client.take().short_message == client.take().short_message


def test_receipts_can_be_late(smsc: SmscThread, client: Esme):
    smsc.set_faults(receipts_late_s=3_600.0)
    client.send()
    assert client.is_quiet()
    assert smsc.journal.count_owed() == 1


def test_receipts_can_come_before_the_response(smsc: SmscThread, client: Esme):
    smsc.set_faults(receipts_early=True)
    client.submit()
    assert client.next().command == DELIVER_SM


def test_receipts_can_be_garbled_and_the_readable_one_comes_all_the_same(smsc: SmscThread, client: Esme):
    smsc.set_faults(receipts_garbled=1.0)
    garbled = set()
    for index in range(30):
        key = client.send(f"4917960{index:05}").text_id
        garbled.add(client.take().short_message)
        assert key.encode() in client.take().short_message
    assert len(garbled) > 3
    assert not any(b"stat:DELIVRD" in text for text in garbled)


def test_all_connections_can_be_cut(smsc: SmscThread, client: Esme):
    smsc.disconnect()
    assert client.is_gone()


def test_the_listener_can_be_closed_and_opened_again_while_connections_stay(smsc: SmscThread, client: Esme):
    port = smsc.port
    smsc.close()
    smsc.close()
    with pytest.raises(ConnectionError):
        Esme(port)
    assert client.send().status == OK
    smsc.open()
    smsc.open()
    with Esme(port) as other:
        assert other.bind(BIND_RECEIVER).status == OK


@pytest.mark.parametrize(
    "changes",
    [
        {"slow": 1},
        {"answer_s": "1"},
        {"deaf": 1},
        {"drop_every": 0.5},
        {"drop_every": True},
        {"answer_s": -1},
        {"answer_s": float("nan")},
        {"receipts_late_s": float("inf")},
        {"receipts_twice": 1.1},
        {"bind_status": 2**32},
    ],
)
def test_what_is_no_fault_is_refused_and_changes_nothing(smsc: SmscThread, changes: dict[str, object]):
    before = smsc.state()
    with pytest.raises(InvalidInput):
        smsc.set_faults(receipts_early=True, **changes)
    assert smsc.state() == before


class Control:
    """Says commands at the control socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rwb")

    def say(self, line: bytes) -> dict[str, object]:
        self._file.write(line + b"\n")
        self._file.flush()
        return json.loads(self._file.readline())

    def do(self, name: str, **facts: object) -> dict[str, object]:
        return self.say(json.dumps({"do": name, **facts}).encode())

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture
def control(smsc: SmscThread, tmp_path: Path):
    path = tmp_path / "control"
    server = smsc.wait_for(listen(smsc.running, path))
    asking = Control(path)
    yield asking
    asking.close()
    smsc.call(lambda _: server.close())


def test_another_process_drives_it_by_a_socket_that_only_its_owner_may_open(
    smsc: SmscThread, client: Esme, control: Control, tmp_path: Path
):
    assert stat.S_IMODE((tmp_path / "control").stat().st_mode) == 0o600
    assert control.do("faults", submit_status=THROTTLED)["faults"]["submit_status"] == THROTTLED
    assert client.send().status == THROTTLED
    control.do("faults", submit_status=0)
    assert control.do("reply", system_id="me", msisdn="+491796000001", sender_id="12345", text="STOP")["owed"] == 1
    assert client.take().short_message == b"STOP"
    assert control.do("close")["listens"] is False
    assert control.do("open")["listens"] is True
    control.do("drop", count=1)
    client.submit()
    assert client.is_gone()
    assert control.do("state")["accepted"] == 1


def test_everybody_can_be_let_go_of_by_the_socket(client: Esme, control: Control):
    control.do("disconnect")
    assert client.is_gone()
    wait_until(lambda: control.do("unbind")["connections"] == 0, "all are gone", 0.01)


def test_the_rate_can_be_changed_by_the_socket(client: Esme, control: Control):
    control.do("rate", tps=1)
    assert THROTTLED in [client.send(f"4917960{index:05}").status for index in range(20)]


@pytest.mark.parametrize(
    "line",
    [
        b"no json",
        b"[]",
        b"{}",
        b'{"do": "nothing"}',
        b'{"do": "faults", "slow": 1}',
        b'{"do": "rate"}',
        b'{"do": "rate", "tps": 0}',
        b'{"do": "rate", "tps": NaN}',
        b'{"do": "rate", "tps": Infinity}',
        b'{"do": "drop", "count": -1}',
        b'{"do": "drop", "count": "1"}',
        b'{"do": "reply", "system_id": "me"}',
        b'{"do": "reply", "system_id": "nobody", "msisdn": "+491796000001", "sender_id": "1", "text": ""}',
        b'{"do": "reply", "system_id": "me", "msisdn": "491796000001", "sender_id": "1", "text": ""}',
        b'{"do": "reply", "system_id": "me", "msisdn": "+491796000001", "sender_id": "1", "text": "\\ud800"}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_command_is_answered_in_words_and_the_next_one_works(control: Control, line: bytes):
    assert list(control.say(line)) == ["error"]
    assert "faults" in control.do("state")
