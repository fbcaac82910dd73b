"""What is submitted: answered by the profiles, and only once it is in the log."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import smpp34

from core.gateways.simulator.profiles import fate_of
from core.gateways.smsc.journal import Changes, SmscJournal
from core.gateways.smsc.running import SmscThread
from core.gateways.smsc.submits import digest_of
from tests.support.fakes.calm_smsc import calm_behavior
from tests.support.fakes.esme import BIND_TRANSMITTER, ENQUIRE_LINK, PATIENCE_S, RESPONSE, SUBMIT_SM, Esme, encoded

OK, SYSTEM_ERROR, INVALID_SOURCE, INVALID_DESTINATION, QUEUE_FULL, THROTTLED = 0x00, 0x08, 0x0A, 0x0B, 0x14, 0x58
SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER, PAYLOAD = 0x020C, 0x020E, 0x020F, 0x0424
LONG = b"0123456789" * 40


def number(index: int) -> str:
    return f"4917960{index:05}"


@pytest.fixture
def smsc(tmp_path: Path):
    with SmscThread(tmp_path / "smsc.sqlite", calm_behavior()) as running:
        yield running


@pytest.fixture
def client(smsc: SmscThread):
    with Esme(smsc.port) as connected:
        connected.bind(BIND_TRANSMITTER)
        yield connected


def test_what_is_answered_is_in_the_log_as_receiver_and_digest_and_never_as_text(smsc: SmscThread, client: Esme):
    answer = client.send("+491796000001", b"Hello")
    [accepted] = smsc.journal.list_accepted()
    assert (answer.status, answer.text_id) == (OK, accepted.gateway_message_id)
    assert accepted.message_id == digest_of("+491796000001", b"Hello")
    assert (accepted.msisdn, accepted.sender_id, accepted.segment_count) == ("+491796000001", "HELIOGRAPH", 1)
    assert all(b"Hello" not in path.read_bytes() for path in smsc.path.parent.iterdir())


def test_many_at_once_are_answered_each_by_its_own_number_and_with_an_id_of_its_own(smsc: SmscThread, client: Esme):
    client.say_raw(b"".join(encoded(number(index), b"Hello", 1_000 + index) for index in range(500)))
    answers = {index: client.answer_to(1_000 + index) for index in range(500)}
    by_id = {each.gateway_message_id: each.msisdn for each in smsc.journal.list_accepted()}
    assert {by_id[answer.text_id] for answer in answers.values()} == {f"+{number(index)}" for index in range(500)}
    assert all(by_id[answers[index].text_id] == f"+{number(index)}" for index in answers)


def test_connections_do_not_get_each_others_answers(smsc: SmscThread):
    def submit(connection: int) -> None:
        with Esme(smsc.port) as mine:
            mine.bind()
            for index in range(50):
                ids[mine.send(number(connection * 50 + index)).text_id] = connection

    ids: dict[str, int] = {}
    threads = [threading.Thread(target=submit, args=(connection,)) for connection in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {each.gateway_message_id: int(each.msisdn[-5:]) // 50 for each in smsc.journal.list_accepted()}
    assert found == ids
    assert len(ids) == 300


def test_the_log_shows_who_got_a_message_twice(smsc: SmscThread, client: Esme):
    for text in (b"Hello", b"Hello", b"Something else"):
        client.send("491796000001", text)
    client.send("491796000002")
    assert smsc.journal.list_repeated() == [(digest_of("+491796000001", b"Hello"), 2)]
    assert smsc.journal.list_repeated_receivers() == [("+491796000001", 3)]


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"msisdn": "nobody"}, INVALID_DESTINATION),
        ({"msisdn": ""}, INVALID_DESTINATION),
        ({"msisdn": "1234567890123456"}, INVALID_DESTINATION),
        ({"source_addr": ""}, INVALID_SOURCE),
        ({"source_addr": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}, INVALID_SOURCE),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_code_of_that(smsc: SmscThread, client: Esme, facts, status: int):
    answer = client.send(**facts)
    assert (answer.status, answer.body) == (status, b"")
    assert smsc.journal.count_accepted() == 0


def test_the_profiles_decide_who_is_refused_who_gets_no_answer_and_who_is_taken(tmp_path: Path):
    behavior = calm_behavior({"refused_rate": 0.3, "silent_rate": 0.3}, seed=7)
    numbers = [number(index) for index in range(200)]
    profile = behavior.profile_of(7, "")
    fates = {each: fate_of(7, digest_of(f"+{each}", b"Hello"), profile) for each in numbers}
    with SmscThread(tmp_path / "smsc.sqlite", behavior) as smsc, Esme(smsc.port) as client:
        client.bind(BIND_TRANSMITTER)
        sequences = {client.submit(each): each for each in numbers}
        last = client.say(ENQUIRE_LINK)
        heard = []
        while (one := client.next()).sequence != last:
            heard.append(one)
        statuses = {sequences[each.sequence]: each.status for each in heard}
        taken = {each.msisdn for each in smsc.journal.list_accepted()}
    refused = {each: int(fate.refusal, 16) for each, fate in fates.items() if fate.refusal}
    assert len(set(refused.values())) == 2
    assert {each: status for each, status in statuses.items() if status} == refused
    assert {each for each in numbers if each not in statuses} == {each for each, fate in fates.items() if fate.silent}
    assert taken == {f"+{each}" for each in numbers} - {f"+{each}" for each in refused}


def test_above_its_rate_it_throttles_and_has_not_taken_what_it_throttled(tmp_path: Path):
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    moments = [now]
    behavior = calm_behavior(rate_tps=20)
    with SmscThread(tmp_path / "smsc.sqlite", behavior, clock=lambda: moments[-1]) as smsc, Esme(smsc.port) as client:
        client.bind(BIND_TRANSMITTER)
        statuses = [client.send(number(index)).status for index in range(30)]
        assert statuses == [OK] * 20 + [THROTTLED] * 10
        assert smsc.journal.count_accepted() == 20
        with Esme(smsc.port) as other:
            other.bind(system_id="other")
            assert other.send(number(50)).status == OK
        moments.append(now + timedelta(seconds=0.5))
        assert [client.send(number(60 + index)).status for index in range(12)] == [OK] * 10 + [THROTTLED] * 2
        smsc.call(lambda running: running.set_rate(1_000))
        moments.append(now + timedelta(seconds=1))
        assert [client.send(number(80 + index)).status for index in range(12)] == [OK] * 12


def test_more_than_the_window_waiting_for_their_answers_are_refused(tmp_path: Path):
    with SmscThread(tmp_path / "smsc.sqlite", calm_behavior(window=10)) as smsc, Esme(smsc.port) as client:
        client.bind(BIND_TRANSMITTER)
        client.say_raw(b"".join(encoded(number(index), b"Hello", 100 + index) for index in range(15)))
        statuses = [client.answer_to(100 + index).status for index in range(15)]
        assert statuses == [OK] * 10 + [QUEUE_FULL] * 5
        assert smsc.journal.count_accepted() == 10
        assert client.send(number(99)).status == OK
        assert smsc.state()["binds"] == [
            {"system_id": "me", "mode": "bind_transmitter", "unanswered_most": 15, "unacknowledged": 0}
        ]


def in_parts_by_header(*, wide: bool) -> list[dict[str, object]]:
    pieces = [LONG[start : start + 150] for start in range(0, len(LONG), 150)]
    total = len(pieces)
    head = b"\x06\x08\x04\x01\x99" if wide else b"\x05\x00\x03\x99"
    return [
        {"text": head + bytes((total, index)) + piece, "esm_class": 0x40} for index, piece in enumerate(pieces, start=1)
    ]


def in_parts_by_tlvs() -> list[dict[str, object]]:
    pieces = [LONG[start : start + 150] for start in range(0, len(LONG), 150)]
    values = [(SAR_REFERENCE, b"\x01\x99"), (SAR_TOTAL, bytes((len(pieces),)))]
    return [
        {"text": piece, "tlvs": [smpp34.Tlv(*each) for each in [*values, (SAR_NUMBER, bytes((index,)))]]}
        for index, piece in enumerate(pieces, start=1)
    ]


def in_a_payload() -> list[dict[str, object]]:
    return [{"text": b"", "tlvs": [smpp34.Tlv(PAYLOAD, LONG)]}]


@pytest.mark.parametrize(
    "parts",
    [in_parts_by_header(wide=False), in_parts_by_header(wide=True), in_parts_by_tlvs(), in_a_payload()],
    ids=["header", "wide header", "tlvs", "payload"],
)
def test_a_long_text_counts_once_and_by_its_own_text_however_it_came(smsc: SmscThread, client: Esme, parts):
    answers = [client.send(**part) for part in reversed(parts)]
    [accepted] = smsc.journal.list_accepted()
    assert len({answer.text_id for answer in answers}) == len(parts)
    assert accepted.message_id == digest_of("+491796000001", LONG)
    assert (accepted.segment_count, accepted.gateway_message_id) == (3, answers[0].text_id)
    assert smsc.journal.count_unfinished() == 0


def test_a_long_text_of_which_a_part_is_missing_does_not_count(smsc: SmscThread, client: Esme):
    *most, last = in_parts_by_tlvs()
    for part in most:
        client.send(**part)
    assert (smsc.journal.count_accepted(), smsc.journal.count_unfinished()) == (0, 1)
    client.send(**last)
    assert (smsc.journal.count_accepted(), smsc.journal.count_unfinished()) == (1, 0)


def test_the_log_shows_a_part_that_came_twice(smsc: SmscThread, client: Esme):
    first, second, third = in_parts_by_header(wide=False)
    for part in (first, second, second, third):
        client.send(**part)
    assert smsc.journal.count_accepted() == 1
    assert smsc.journal.list_repeated_parts() == [("+491796000001", 2, 2)]


def test_parts_of_before_a_restart_are_put_together_with_those_of_after(tmp_path: Path):
    path = tmp_path / "smsc.sqlite"
    first, *rest = in_parts_by_header(wide=False)
    with SmscThread(path, calm_behavior()) as smsc, Esme(smsc.port) as client:
        client.bind()
        key = client.send(**first).text_id
    with SmscThread(path, calm_behavior()) as smsc, Esme(smsc.port) as client:
        client.bind()
        for part in rest:
            client.send(**part)
        [accepted] = smsc.journal.list_accepted()
    # No text is kept, so that nothing but the message itself tells it from others.
    assert (accepted.gateway_message_id, accepted.message_id, accepted.segment_count) == (key, f"unread {key}", 3)


def test_ids_are_never_given_again_even_after_the_clock_was_set_back(tmp_path: Path):
    path, now = tmp_path / "smsc.sqlite", datetime(2026, 3, 1, 12, tzinfo=UTC)
    ids = []
    for moment in (now, now - timedelta(days=2), now - timedelta(days=2)):
        with SmscThread(path, calm_behavior(), clock=lambda moment=moment: moment) as smsc, Esme(smsc.port) as client:
            client.bind()
            ids += [client.send(number(index)).text_id for index in range(5)]
    assert len(set(ids)) == 15


def test_nothing_is_answered_before_it_is_in_the_log(client: Esme, monkeypatch: pytest.MonkeyPatch):
    began, may_go_on = threading.Event(), threading.Event()
    record = SmscJournal.record

    def wait_and_record(journal: SmscJournal, changes: Changes) -> None:
        began.set()
        assert may_go_on.wait(PATIENCE_S)
        record(journal, changes)

    monkeypatch.setattr(SmscJournal, "record", wait_and_record)
    sequence = client.submit()
    assert began.wait(PATIENCE_S)
    try:
        assert not client.has_something()
    finally:
        may_go_on.set()
    assert client.answer_to(sequence).status == OK


def test_what_cannot_be_logged_is_refused_and_was_not_taken(smsc: SmscThread, client: Esme, monkeypatch):
    first, second, last = in_parts_by_header(wide=False)
    assert [client.send(**part).status for part in (first, second)] == [OK, OK]
    with monkeypatch.context() as patched:
        patched.setattr("core.gateways.smsc.journal.log_accepted", disk_is_full)
        assert client.send(**last).status == SYSTEM_ERROR
        assert client.send("491796000002").status == SYSTEM_ERROR
    assert client.send(**last).status == OK
    assert [each.msisdn for each in smsc.journal.list_accepted()] == ["+491796000001"]
    assert smsc.journal.list_repeated_parts() == []


def disk_is_full(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_it_hears_a_submit_of_which_the_end_comes_later(client: Esme):
    whole = encoded("491796000001", b"Hello", 9)
    for octet in whole:
        client.say_raw(bytes((octet,)))
    assert client.answer_to(9).command == SUBMIT_SM | RESPONSE
