"""Receipts and replies: to whom they go, and again until somebody has them."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.domain.texts.octets import decode_ucs2
from core.gateways.smsc.behavior import ReceiptForm, SmscBehavior
from core.gateways.smsc.running import SmscThread
from tests.support.fakes.calm_smsc import calm_behavior
from tests.support.fakes.esme import (
    BIND_RECEIVER,
    BIND_TRANSMITTER,
    DELIVER_SM,
    GENERIC_NACK,
    RESPONSE,
    Esme,
)
from tests.support.processes.waiting import wait_until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNDELIVERABLE, QUEUE_FULL, SYSTEM_ERROR = 0x45, 0x14, 0x08


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "smsc.sqlite"


@pytest.fixture
def smsc(path: Path):
    with SmscThread(path, calm_behavior()) as running:
        yield running


def receipt_id(text: bytes) -> str:
    return text.decode().split("id:")[1].split()[0]


def wait_until_nothing_is_owed(smsc: SmscThread) -> None:
    wait_until(lambda: smsc.journal.count_owed() == 0, "all is acknowledged", 0.01)


def test_a_receipt_names_the_message_and_goes_the_other_way(smsc: SmscThread):
    with Esme(smsc.port) as client:
        client.bind()
        key = client.send(source_addr="12345").text_id
        receipt = client.take()
        assert receipt_id(receipt.short_message) == key
        assert (receipt.source_addr, receipt.destination_addr) == ("491796000001", "12345")
        assert (receipt.esm_class, receipt.source_addr_ton, receipt.dest_addr_ton) == (4, 1, 1)
        wait_until_nothing_is_owed(smsc)
    assert smsc.journal.count_acknowledged() == 1


def test_who_asks_for_no_receipt_gets_none_and_who_asks_for_failures_only_those(path: Path):
    with SmscThread(path, calm_behavior({"undelivered_rate": 0.5})) as smsc, Esme(smsc.port) as client:
        client.bind()
        for index in range(40):
            client.send(f"4917960{index:05}", registered_delivery=0)
        assert smsc.journal.count_owed() == 0
        for index in range(40):
            client.send(f"4917960{index:05}", registered_delivery=2)
        failures = smsc.journal.count_owed()
        assert 5 < failures < 35
        assert all(b"stat:DELIVRD" not in client.take().short_message for _ in range(failures))


def test_receipts_go_to_any_receiving_bind_of_the_system_id_and_to_nobody_else(smsc: SmscThread):
    with (
        Esme(smsc.port) as sending,
        Esme(smsc.port) as first,
        Esme(smsc.port) as second,
        Esme(smsc.port) as other,
    ):
        sending.bind(BIND_TRANSMITTER)
        first.bind(BIND_RECEIVER)
        second.bind(BIND_RECEIVER)
        other.bind(system_id="other")
        ids = {sending.send(f"4917960{index:05}").text_id for index in range(10)}
        heard = [client.take().short_message for _ in range(5) for client in (first, second)]
        assert {receipt_id(text) for text in heard} == ids
        wait_until_nothing_is_owed(smsc)
        assert sending.is_quiet()
        assert other.is_quiet()


def test_a_receipt_waits_for_somebody_to_receive_it(smsc: SmscThread):
    with Esme(smsc.port) as sending:
        sending.bind(BIND_TRANSMITTER)
        key = sending.send().text_id
    with Esme(smsc.port) as receiver:
        receiver.bind(BIND_RECEIVER)
        assert receipt_id(receiver.take().short_message) == key


def test_a_receipt_that_is_refused_comes_again(path: Path):
    with SmscThread(path, calm_behavior(again_s=0.01)) as smsc, Esme(smsc.port) as client:
        client.bind()
        key = client.send().text_id
        for status in (QUEUE_FULL, UNDELIVERABLE):
            heard = client.delivery()
            assert receipt_id(heard.message().short_message) == key
            client.acknowledge(heard, status)
        heard = client.delivery()
        client.say(GENERIC_NACK, status=3, sequence=heard.sequence)
        assert receipt_id(client.take().short_message) == key
        wait_until_nothing_is_owed(smsc)


def test_a_receipt_without_an_answer_comes_again(path: Path):
    with SmscThread(path, calm_behavior(response_s=0.02)) as smsc, Esme(smsc.port) as client:
        client.bind()
        client.send()
        first, second = client.delivery(), client.delivery()
        assert first.sequence != second.sequence
        assert first.message().short_message == second.message().short_message
        client.acknowledge(second)
        wait_until_nothing_is_owed(smsc)


def test_a_receipt_of_a_connection_that_is_gone_comes_to_another_one(smsc: SmscThread):
    with Esme(smsc.port) as second:
        with Esme(smsc.port) as first:
            first.bind()
            key = first.send().text_id
            first.delivery()
            second.bind(BIND_RECEIVER)
            assert second.is_quiet()
        assert receipt_id(second.take().short_message) == key


def test_an_answer_to_nothing_harms_nobody(smsc: SmscThread):
    with Esme(smsc.port) as client:
        client.bind()
        client.say(DELIVER_SM | RESPONSE, b"\0", sequence=4_711)
        client.say(GENERIC_NACK, sequence=0)
        client.send()
        heard = client.delivery()
        client.acknowledge(heard)
        client.acknowledge(heard)
        wait_until_nothing_is_owed(smsc)
        assert client.is_quiet()


def test_what_is_heard_while_the_log_cannot_be_written_is_logged_once_it_can(path: Path, monkeypatch):
    with SmscThread(path, calm_behavior(again_s=0.01)) as smsc, Esme(smsc.port) as client:
        client.bind()
        for index in range(2):
            client.send(f"4917960{index:05}")
        first, second = client.delivery(), client.delivery()
        with monkeypatch.context() as patched:
            patched.setattr("core.gateways.smsc.journal.log_accepted", disk_is_full)
            client.acknowledge(first)
            client.acknowledge(second, QUEUE_FULL)
            assert client.send("491796000003").status == SYSTEM_ERROR
            assert smsc.journal.count_owed() == 2
        assert client.take().short_message == second.message().short_message
        wait_until_nothing_is_owed(smsc)


def disk_is_full(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_no_more_than_the_window_are_out_at_once(path: Path):
    with SmscThread(path, calm_behavior(deliver_window=3)) as smsc, Esme(smsc.port) as client:
        client.bind()
        for index in range(10):
            client.send(f"4917960{index:05}")
        out = [client.delivery() for _ in range(3)]
        assert client.is_quiet()
        client.acknowledge(out[1])
        out.append(client.delivery())
        assert client.is_quiet()
        for heard in out:
            client.acknowledge(heard)
        for _ in range(6):
            client.take()
        wait_until_nothing_is_owed(smsc)


def test_a_thousand_receipts_that_waited_all_come_once(path: Path):
    # All of them at once: whether they are answered meanwhile is a matter of speed.
    count = 1_200
    with SmscThread(path, calm_behavior(window=count, deliver_window=7)) as smsc:
        with Esme(smsc.port) as sending:
            sending.bind(BIND_TRANSMITTER)
            sequences = [sending.submit(f"491796{index:06}") for index in range(count)]
            ids = [sending.answer_to(sequence).text_id for sequence in sequences]
        with Esme(smsc.port) as receiver:
            receiver.bind(BIND_RECEIVER)
            heard = [receipt_id(receiver.take().short_message) for _ in range(count)]
            wait_until_nothing_is_owed(smsc)
            assert receiver.is_quiet()
    assert sorted(heard) == sorted(ids)


def test_what_was_not_acknowledged_comes_again_after_a_restart(path: Path):
    with SmscThread(path, calm_behavior()) as smsc, Esme(smsc.port) as client:
        client.bind()
        ids = [client.send(f"4917960{index:05}").text_id for index in range(4)]
        taken = receipt_id(client.take().short_message)
        client.delivery()
        wait_until(lambda: smsc.journal.count_owed() == 3, "one is acknowledged", 0.01)
    with SmscThread(path, calm_behavior()) as smsc, Esme(smsc.port) as client:
        client.bind()
        again = {receipt_id(client.take().short_message) for _ in range(3)}
        assert again == set(ids) - {taken}
        wait_until_nothing_is_owed(smsc)


def test_nothing_waits_for_the_old_time_after_the_clock_was_set_back(path: Path):
    moments = [NOW]
    with SmscThread(path, calm_behavior(), clock=lambda: moments[-1]) as smsc, Esme(smsc.port) as client:
        client.bind()
        client.send()
        back = NOW - timedelta(hours=3)
        moments.append(back)
        soon = back + timedelta(seconds=1)
        wait_until(lambda: smsc.journal.list_due("me", 1, soon) != [], "it is due by the new time", 0.01)
        assert client.is_quiet()
        moments.append(soon)
        assert b"stat:DELIVRD" in client.take().short_message


def test_the_receipt_comes_before_the_response_where_a_provider_does_so(path: Path):
    behavior = calm_behavior(forms=frozenset({ReceiptForm.BEFORE_RESPONSE}), speed=0.001)
    with SmscThread(path, behavior) as smsc, Esme(smsc.port) as client:
        client.bind()
        client.submit()
        first, second = client.next(), client.next()
        assert (first.command, receipt_id(first.message().short_message)) == (DELIVER_SM, second.text_id)


def test_ids_differ_where_a_provider_has_two_forms_of_them(path: Path):
    behavior = calm_behavior(forms=frozenset({ReceiptForm.HEX_RESPONSE, ReceiptForm.ZERO_PADDED}))
    with SmscThread(path, behavior) as smsc, Esme(smsc.port) as client:
        client.bind()
        said, told = client.send().text_id, receipt_id(client.take().short_message)
        assert (int(said, 16), len(told)) == (int(told), 20)


def replying(**facts: object) -> SmscBehavior:
    return calm_behavior(speed=100_000.0, **facts)


def test_receivers_answer_once_they_have_the_message(path: Path):
    with SmscThread(path, replying(reply_rate=1.0)) as smsc, Esme(smsc.port) as client:
        client.bind()
        count = 60
        for index in range(count):
            client.send(f"4917960{index:05}", source_addr="12345", registered_delivery=0)
        replies = [client.take() for _ in range(smsc.journal.count_owed() + smsc.journal.count_acknowledged())]
        assert {reply.source_addr for reply in replies} == {f"4917960{index:05}" for index in range(count)}
        assert {reply.destination_addr for reply in replies} == {"12345"}
        assert b"STOP" in {reply.short_message for reply in replies}
        assert decode_ucs2(next(each.short_message for each in replies if each.data_coding == 8)) in {
            "СТОП",
            "Διαγραφή",
            "👍",
        }
        parts = [each.short_message[:6] for each in replies if each.esm_class == 0x40]
        assert parts
        assert {part[:3] for part in parts} == {b"\x05\x00\x03"}


def test_only_a_share_of_the_receivers_answers_and_nobody_who_has_not_got_it(path: Path):
    with SmscThread(path, replying(reply_rate=0.2, profile={"undelivered_rate": 0.5})) as smsc:
        with Esme(smsc.port) as client:
            client.bind(BIND_TRANSMITTER)
            for index in range(300):
                client.send(f"4917960{index:05}", registered_delivery=0)
        assert 10 < len({each.msisdn for each in smsc.journal.list_due("me", 1_000, NOW + timedelta(days=9_999))}) < 50


def test_somebody_answers_when_a_test_says_so(smsc: SmscThread):
    with Esme(smsc.port) as client:
        client.bind()
        smsc.reply("me", "+491796000001", "12345", "Stop it {now}")
        smsc.reply("me", "+491796000001", "12345", "ж" * 100)
        first, *parts = [client.take() for _ in range(3)]
        assert (first.source_addr, first.destination_addr, first.esm_class) == ("491796000001", "12345", 0)
        assert (first.short_message, first.data_coding) == (b"Stop it \x1b(now\x1b)", 0)
        assert "".join(decode_ucs2(part.short_message[6:]) for part in parts) == "ж" * 100
        assert [part.short_message[4:6] for part in parts] == [b"\x02\x01", b"\x02\x02"]
