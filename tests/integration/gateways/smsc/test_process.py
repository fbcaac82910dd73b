"""The SMSC as a command, ended and killed: what it has answered is in its log."""

import json
import signal
import socket
import ssl
from pathlib import Path

import pytest

from core import cli_smsc
from core.gateways.smsc.journal import SmscJournal
from core.gateways.smsc.submits import digest_of
from tests.support.fakes.esme import UNBIND, Esme
from tests.support.processes.certificates import self_signed
from tests.support.processes.smsc import smsc_process

# Networks that answer everybody and lose nothing are no part of the command: the seed decides, and this one does.
OPTIONS = ("--seed", "1", "--speed", "1000")


def submit_until_it_is_gone(client: Esme, kill_after: int, kill) -> dict[str, int]:
    """Keep 50 messages under way; kill after so many answers; return number by id of what was answered."""
    answered: dict[str, int] = {}
    waiting = {}
    index = 0
    try:
        while True:
            while len(waiting) < 50:
                waiting[client.submit(f"491796{index:06}")] = index
                index += 1
            sequence = next(iter(waiting))
            heard = client.answer_to(sequence)
            number = waiting.pop(sequence)
            if heard.status == 0:
                answered[heard.text_id] = number
            if len(answered) == kill_after:
                kill()
    except ConnectionError:
        return answered


def test_what_was_answered_survives_a_kill_and_the_receipts_come_after_it(tmp_path: Path):
    with smsc_process(tmp_path, *OPTIONS) as smsc, Esme(smsc.port) as client:
        client.bind()
        answered = submit_until_it_is_gone(client, 400, smsc.process.kill)
    journal = SmscJournal(tmp_path / "smsc.sqlite")
    logged = {each.gateway_message_id: each for each in journal.list_accepted()}
    assert len(answered) >= 400
    assert {key: logged[key].msisdn for key in answered} == {
        key: f"+491796{number:06}" for key, number in answered.items()
    }
    assert logged.keys() - answered.keys() <= {each for each in logged if int(logged[each].msisdn[-6:]) < 500}
    assert journal.list_repeated_receivers() == []
    owed = journal.count_owed()
    assert owed > 300
    with smsc_process(tmp_path, *OPTIONS) as smsc, Esme(smsc.port) as client:
        client.bind()
        told = [client.take().short_message.decode().split()[0].removeprefix("id:") for _ in range(owed)]
        assert set(told) <= logged.keys()
        new = client.send("491796999999")
        assert new.text_id not in logged
    assert journal.count_accepted() == len(logged) + 1


def test_it_says_what_it_takes_and_lets_go_of_everybody_when_it_is_told_to_end(tmp_path: Path):
    with smsc_process(tmp_path, *OPTIONS) as smsc, Esme(smsc.port) as client:
        assert smsc.greeting == [
            f"SMSC listening on 127.0.0.1:{smsc.port}: SMPP 3.4.",
            "It takes binds of me with the password secret.",
            f"What it takes is in {tmp_path / 'smsc.sqlite'}.",
        ]
        client.bind()
        client.send(text=b"Hello", registered_delivery=0)
        smsc.process.send_signal(signal.SIGTERM)
        asked = client.next()
        assert asked.command == UNBIND
        client.say(UNBIND | 0x8000_0000, sequence=asked.sequence)
        assert client.is_gone()
        assert smsc.process.stdout.read() == "The log has 1 message; 0 receipts and replies are still owed.\n"
        assert smsc.process.wait(60) == 0
    [accepted] = SmscJournal(tmp_path / "smsc.sqlite").list_accepted()
    assert accepted.message_id == digest_of("+491796000001", b"Hello")
    assert (tmp_path / "smsc.sqlite").stat().st_mode & 0o077 == 0


def test_faults_are_chosen_at_its_start_and_changed_by_its_socket(tmp_path: Path):
    control = tmp_path / "control"
    with smsc_process(tmp_path, *OPTIONS, "--control", str(control), "--fault", "submit_status=0x58") as smsc:
        assert smsc.process.stdout.readline() == f"It takes commands at {control}.\n"
        with Esme(smsc.port) as client, socket.socket(socket.AF_UNIX) as asking:
            client.bind()
            assert client.send().status == 0x58
            asking.connect(str(control))
            asking.sendall(b'{"do": "faults", "submit_status": 0}\n')
            assert json.loads(asking.makefile().readline())["faults"]["submit_status"] == 0
            assert client.send().status == 0
        # One that was killed leaves its socket behind, which is no reason not to start.
        smsc.process.kill()
        smsc.process.wait()
    assert control.is_socket()
    with smsc_process(tmp_path, *OPTIONS, "--control", str(control)) as smsc:
        assert smsc.process.stdout.readline() == f"It takes commands at {control}.\n"


def test_it_speaks_tls_with_a_certificate(tmp_path: Path):
    pem = tmp_path / "smsc.pem"
    pem.write_bytes(self_signed("127.0.0.1"))
    with smsc_process(tmp_path, *OPTIONS, "--certificate", str(pem)) as smsc:
        assert smsc.greeting[0] == f"SMSC listening on 127.0.0.1:{smsc.port}: SMPP 3.4 over TLS."
        with Esme(smsc.port, ssl.create_default_context(cafile=str(pem))) as client:
            assert client.bind().status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "BUSY"], "The SMSC cannot listen on 127.0.0.1:BUSY: Address already in use."),
        (["--certificate", "missing.pem"], "The certificate missing.pem cannot be used"),
        (["--key", "missing.pem"], "--key needs --certificate."),
        (["--fault", "slow=1"], "There is no fault 'slow'. Use one of: bind_status"),
        (["--fault", "deaf"], "'deaf' is no fault. Write NAME=VALUE"),
        (["--log", "FOLDER"], "The SMSC's log cannot be used"),
        (["--port", "0", "--control", "FOLDER/missing/control"], "missing/control: No such file or directory."),
        (["--host", "name.invalid"], "cannot listen on name.invalid:2775"),
    ],
)
def test_why_it_cannot_start_is_said_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
):
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path / "data"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = str(taken.getsockname()[1])
        given = [each.replace("BUSY", busy).replace("FOLDER", str(tmp_path)) for each in arguments]
        assert cli_smsc.main(["smsc", *given]) == 1
    said = capsys.readouterr()
    assert words.replace("BUSY", busy) in said.err
    assert (said.out, said.err.count("\n")) == ("", 1)
