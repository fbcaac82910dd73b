import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import smpp34

from core.domain.gateways.sights import LinkStatus
from core.domain.messages.messages import SubmitOutcome
from core.domain.messages.strays import StrayReason
from core.errors import BadCredentials, StorageError, Unavailable
from core.gateways.base import Observed
from core.gateways.smpp import gateway as smpp
from core.gateways.smpp import hearing, trying
from core.gateways.smpp.gateway import SmppGateway
from core.gateways.smpp.pdu import Command, Pdu, Status, pdu, response, text
from core.gateways.smpp.session import link, sending
from core.gateways.smpp.trying import try_connection
from tests.contract.gateways.gateway_contract import NOW, DepartingContract, GatewayContract, make_outbound
from tests.contract.gateways.smpp.gateways import FakeInbox, connection, smpp_gateway
from tests.contract.gateways.smpp.scripted_smsc import ScriptedSmsc, Session
from tests.support.processes.certificates import self_signed
from tests.support.processes.waiting import wait_until

LONG = make_outbound(text="x" * 400, segment_count=3)
RECEIPT = b"id:%s sub:001 dlvrd:001 submit date:2611281630 done date:2611281631 stat:DELIVRD err:000 text:"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "PAUSE_FIRST_S", 0.02)
    monkeypatch.setattr(link, "PAUSE_MOST_S", 0.05)
    monkeypatch.setattr(sending, "TICK_S", 0.02)
    monkeypatch.setattr(sending, "BIND_WAIT_S", 0.5)


@pytest.fixture
def smsc() -> Iterator[ScriptedSmsc]:
    with ScriptedSmsc() as running:
        yield running


def clock() -> datetime:
    return datetime.now(UTC)


def messages(count: int, **facts: object) -> list:
    return [make_outbound(number, **facts) for number in range(count)]


def outcomes(results: list) -> Counter[str]:
    return Counter(result.outcome.value for result in results)


def submit_of(frame: Pdu) -> smpp34.SubmitSm:
    return smpp34.decode(frame.raw)


def deliver_body(said: bytes, *, esm_class: int = 4, source: str = "4917960000001") -> bytes:
    return smpp34.DeliverSm(source, "HELIOGRAPH", said, esm_class=esm_class).encode()[16:]


class TestSmpp(GatewayContract, DepartingContract):
    @pytest.fixture
    def gateway(self, smsc: ScriptedSmsc) -> Iterator[Observed]:
        with smpp_gateway(smsc.port) as gateway:
            yield Observed(gateway)

    @pytest.fixture
    def left(self, smsc: ScriptedSmsc) -> Callable[[], list[str]]:
        return lambda: [submit_of(frame).destination_addr for frame in smsc.submits]


@pytest.mark.parametrize("per_connection", [1, 3])
def test_an_smsc_that_takes_without_an_answer_is_not_given_a_whole_campaign(smsc: ScriptedSmsc, per_connection: int):
    now_s, window = [0.0], 3

    def drop(session: Session, frame: Pdu) -> None:
        if len(smsc.submits) % per_connection == 0:
            session.transport.abort()

    smsc.on_submit = drop
    gateway = SmppGateway(connection(smsc.port, window=window), FakeInbox(), clock, lambda: now_s[0])
    unknown, refused = 0, ""
    for _ in range(100):
        try:
            unknown += outcomes(gateway.submit(messages(window), NOW))["unknown"]
        except Unavailable as error:
            refused = str(error)
            if "does not answer" in refused:
                break
    assert "does not answer" in refused
    assert smpp.SILENT_WINDOWS * window <= unknown <= (smpp.SILENT_WINDOWS + 1) * window
    # One message tries it, and the next one later.
    smsc.on_submit = lambda session, frame: session.answer(frame)
    before, now_s[0] = len(smsc.submits), 2.0
    wait_until(lambda: any(each.is_bound for each in gateway.links()), "it is bound again")
    assert outcomes(gateway.submit(messages(window), NOW)) == {"accepted": 1, "throttled": window - 1}
    assert len(smsc.submits) == before + 1
    assert outcomes(gateway.submit(messages(window), NOW)) == {"accepted": window}
    gateway.close()


def test_never_more_than_the_window_waits_for_an_answer(smsc: ScriptedSmsc):
    held: list[tuple[Session, Pdu]] = []

    def answer_in_sevens(session: Session, frame: Pdu) -> None:
        held.append((session, frame))
        if len(held) == 7 or len(smsc.submits) == 100:
            for session_, frame_ in held:
                session_.answer(frame_)
            held.clear()

    smsc.on_submit = answer_in_sevens
    with smpp_gateway(smsc.port, window=7) as gateway:
        assert outcomes(gateway.submit(messages(100), NOW)) == {"accepted": 100}
    assert smsc.most_waiting == 7


def test_what_was_in_flight_when_the_connection_broke_is_unknown_and_the_rest_has_not_left(smsc: ScriptedSmsc):
    smsc.on_submit = lambda session, _: session.transport.abort() if len(smsc.submits) == 5 else None
    with smpp_gateway(smsc.port, window=5) as gateway:
        gateway.keep_open()
        wait_until(lambda: gateway.links()[0].is_bound, "it is bound")
        smsc.stop_listening()
        results = gateway.submit(messages(20), NOW)
    assert outcomes(results) == {"unknown": 5, "throttled": 15}
    left = {submit_of(frame).destination_addr for frame in smsc.submits}
    unknown = {item.message_id for item in results if item.outcome is SubmitOutcome.UNKNOWN}
    assert left == {item.msisdn[1:] for item in messages(20) if item.message_id in unknown}


def test_after_a_restart_of_the_smsc_it_binds_again_by_itself(smsc: ScriptedSmsc):
    with smpp_gateway(smsc.port) as gateway:
        gateway.submit(messages(3), NOW)
        smsc.drop()
        wait_until(lambda: smsc.connected_count >= 2, "it is back")
        assert outcomes(gateway.submit(messages(3), NOW)) == {"accepted": 3}


def test_where_nothing_listens_nothing_has_left_and_the_words_say_so(smsc: ScriptedSmsc):
    smsc.stop_listening()
    with smpp_gateway(smsc.port) as gateway, pytest.raises(Unavailable, match="Nothing listens at 127"):
        gateway.submit(messages(3), NOW)


def test_a_name_that_is_not_found(smsc: ScriptedSmsc):
    with smpp_gateway(smsc.port, host="smsc.invalid") as gateway, pytest.raises(Unavailable, match="is not found"):
        gateway.submit(messages(1), NOW)


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (Status.INVALID_PASSWORD, BadCredentials, "password is wrong"),
        (Status.INVALID_SYSTEM_ID, BadCredentials, "system ID is not known"),
        (Status.ALREADY_BOUND, Unavailable, "as many sessions"),
        (0x45C, Unavailable, "0x0000045C"),
    ],
)
def test_a_refused_bind_says_why(smsc: ScriptedSmsc, status: int, error: type[Exception], words: str):
    smsc.on_bind = lambda session, frame: session.say(response(frame, status=status))
    with smpp_gateway(smsc.port) as gateway, pytest.raises(error, match=words):
        gateway.submit(messages(1), NOW)


def test_a_bind_that_is_never_answered_is_given_up(smsc: ScriptedSmsc):
    smsc.on_bind = lambda *_: None
    with smpp_gateway(smsc.port, response_s=0.1) as gateway, pytest.raises(Unavailable, match="No answer"):
        gateway.submit(messages(1), NOW)


def test_what_came_too_fast_is_not_taken_and_is_slower_the_next_time(smsc: ScriptedSmsc):
    def throttle_at_first(session: Session, frame: Pdu) -> None:
        session.answer(frame, Status.THROTTLED if len(smsc.submits) <= 10 else Status.OK)

    smsc.on_submit = throttle_at_first
    with smpp_gateway(smsc.port, window=10) as gateway:
        results = gateway.submit(messages(30), NOW)
        assert outcomes(results) == {"throttled": 10, "accepted": 20}
        assert not any(result.error_code for result in results)
        again = [item for item, result in zip(messages(30), results, strict=True) if result.outcome == "throttled"]
        assert outcomes(gateway.submit(again, NOW)) == {"accepted": 10}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (Status.INVALID_DESTINATION, "rejected"),
        (0x4FF, "rejected"),
        (Status.SYSTEM_ERROR, "throttled"),
    ],
)
def test_a_refusal_means_what_the_table_says_and_keeps_its_code(smsc: ScriptedSmsc, status: int, outcome: str):
    smsc.on_submit = lambda session, frame: session.answer(frame, status)
    with smpp_gateway(smsc.port) as gateway:
        result = gateway.submit(messages(1), NOW)[0]
    assert (result.outcome, result.error_code) == (outcome, f"0x{status:08X}")


def test_a_nack_without_a_status_accepts_nothing(smsc: ScriptedSmsc):
    smsc.on_submit = lambda session, frame: session.say(pdu(Command.GENERIC_NACK, frame.sequence))
    with smpp_gateway(smsc.port) as gateway:
        result = gateway.submit(messages(1), NOW)[0]
    assert (result.outcome, result.error_code, result.gateway_message_id) == ("throttled", "0x00000008", "")


def test_a_message_without_an_answer_is_unknown_after_its_time(smsc: ScriptedSmsc):
    smsc.on_submit = lambda session, frame: None if len(smsc.submits) == 1 else session.answer(frame)
    with smpp_gateway(smsc.port, response_s=0.2) as gateway:
        assert [result.outcome for result in gateway.submit(messages(2), NOW)] == ["unknown", "accepted"]


def test_an_answer_after_its_time_says_what_the_message_is_called_and_nothing_is_sent_again(smsc: ScriptedSmsc):
    late, inbox = list[tuple[Session, Pdu]](), FakeInbox()
    smsc.on_submit = lambda session, frame: late.append((session, frame)) if not late else session.answer(frame)
    with smpp_gateway(smsc.port, inbox, response_s=0.1) as gateway:
        (unknown,) = gateway.submit(messages(1), NOW)
        assert (unknown.outcome, inbox.late_answers) == ("unknown", [])
        # Said twice, it is no other answer.
        smsc.in_loop(lambda: [late[0][0].answer(late[0][1], message_id="0A") for _ in range(2)])
        wait_until(lambda: inbox.late_answers, "the late answer is kept")
        assert outcomes(gateway.submit(messages(3), NOW)) == {"accepted": 3}
    (answer,) = inbox.late_answers
    assert (answer.gateway, answer.message_id) == (gateway.name, unknown.message_id)
    assert (answer.gateway_message_id, answer.part_ids) == ("A", ())
    assert len(smsc.submits) == 4


def test_an_answer_after_its_time_without_an_id_says_that_the_message_was_taken(smsc: ScriptedSmsc):
    late, inbox = list[tuple[Session, Pdu]](), FakeInbox()
    smsc.on_submit = lambda session, frame: late.append((session, frame))
    with smpp_gateway(smsc.port, inbox, response_s=0.1) as gateway:
        (unknown,) = gateway.submit(messages(1), NOW)
        smsc.in_loop(lambda: late[0][0].say(response(late[0][1], text(""))))
        wait_until(lambda: inbox.late_answers, "the late answer is kept")
    assert [(each.message_id, each.gateway_message_id) for each in inbox.late_answers] == [(unknown.message_id, "")]


@pytest.mark.parametrize("status", [Status.SYSTEM_ERROR, Status.THROTTLED])
def test_a_refusal_after_its_time_changes_nothing(smsc: ScriptedSmsc, status: int):
    late, inbox = list[tuple[Session, Pdu]](), FakeInbox()
    smsc.on_submit = lambda session, frame: late.append((session, frame)) if not late else session.answer(frame)
    with smpp_gateway(smsc.port, inbox, response_s=0.1) as gateway:
        assert gateway.submit(messages(1), NOW)[0].outcome == "unknown"
        smsc.in_loop(lambda: late[0][0].answer(late[0][1], status))
        wait_until(lambda: outcomes(gateway.submit(messages(3), NOW)) == {"accepted": 3}, "it goes on")
    assert inbox.late_answers == []


@pytest.mark.parametrize(("late_count", "known"), [(1, 0), (3, 1)])
def test_a_long_message_is_known_once_all_its_parts_have_answers(smsc: ScriptedSmsc, late_count: int, known: int):
    held, inbox = list[tuple[Session, Pdu]](), FakeInbox()
    smsc.on_submit = lambda session, frame: held.append((session, frame))
    with smpp_gateway(smsc.port, inbox, response_s=0.1, long_receipts="any_part") as gateway:
        assert gateway.submit([LONG], NOW)[0].outcome == "unknown"
        wait_until(lambda: len(held) == 3, "all parts have come")
        for number, (session, frame) in enumerate(held[:late_count], 1):
            smsc.in_loop(lambda session=session, frame=frame, number=number: session.answer(frame, 0, f"part-{number}"))
        smsc.on_submit = lambda session, frame: session.answer(frame)
        wait_until(lambda: outcomes(gateway.submit(messages(1), NOW)) == {"accepted": 1}, "it goes on")
    assert [(each.gateway_message_id, each.part_ids) for each in inbox.late_answers] == known * [
        ("part-3", ("part-1", "part-2"))
    ]


def test_no_more_answers_are_waited_for_than_memory_has_room_for(smsc: ScriptedSmsc, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(link, "OVERDUE_MOST", 2)
    held, inbox = list[tuple[Session, Pdu]](), FakeInbox()
    smsc.on_submit = lambda session, frame: held.append((session, frame))
    with smpp_gateway(smsc.port, inbox, response_s=0.1) as gateway:
        results = gateway.submit(messages(5), NOW)
        smsc.in_loop(lambda: [session.answer(frame) for session, frame in held])
        wait_until(lambda: len(inbox.late_answers) == 2, "two are known")
    assert {answer.message_id for answer in inbox.late_answers} == {result.message_id for result in results[-2:]}


def test_the_parts_of_a_long_message_leave_together_and_the_last_asks_for_the_receipt(smsc: ScriptedSmsc):
    held: list[tuple[Session, Pdu]] = []

    def answer_from_the_last_to_the_first(session: Session, frame: Pdu) -> None:
        held.append((session, frame))
        while len(smsc.submits) == 3 and held:
            session_, frame_ = held.pop()
            session_.answer(frame_)

    smsc.on_submit = answer_from_the_last_to_the_first
    with smpp_gateway(smsc.port) as gateway:
        result = gateway.submit([LONG], NOW)[0]
    sent = [submit_of(frame) for frame in smsc.submits]
    assert smsc.most_waiting == 3
    assert [part.registered_delivery for part in sent] == [0, 0, 1]
    assert [part.short_message[:3] for part in sent] == [b"\x05\x00\x03"] * 3
    assert [part.short_message[5] for part in sent] == [1, 2, 3]
    assert result.gateway_message_id.startswith(f"id-{sent[2].sequence_number}-")


@pytest.mark.parametrize("window", [1, 2])
def test_where_the_window_is_too_small_for_them_the_parts_leave_as_there_is_room(smsc: ScriptedSmsc, window: int):
    with smpp_gateway(smsc.port, window=window) as gateway:
        assert outcomes(gateway.submit([LONG, *messages(4)[1:]], NOW)) == {"accepted": 4}
    parts = [submit_of(frame).short_message[5] for frame in smsc.submits[:3]]
    assert (parts, len(smsc.submits)) == ([1, 2, 3], 6)


@pytest.mark.parametrize("refused", [1, 2, 3])
def test_a_long_message_of_which_a_part_is_refused_has_failed(smsc: ScriptedSmsc, refused: int):
    smsc.on_submit = lambda session, frame: session.answer(
        frame, Status.SYSTEM_ERROR if len(smsc.submits) == refused else 0
    )
    with smpp_gateway(smsc.port) as gateway:
        result = gateway.submit([LONG], NOW)[0]
    # To send it again would repeat what was taken of it.
    assert (result.outcome, result.error_code) == ("rejected", "0x00000008")
    assert len(smsc.submits) == 3


@pytest.mark.parametrize(
    ("status", "result"), [(Status.THROTTLED, ("throttled", "")), (Status.SYSTEM_ERROR, ("throttled", "0x00000008"))]
)
def test_a_long_message_of_which_no_part_is_taken_has_not_left(
    smsc: ScriptedSmsc, status: int, result: tuple[str, str]
):
    smsc.on_submit = lambda session, frame: session.answer(frame, status)
    with smpp_gateway(smsc.port) as gateway:
        found = gateway.submit([LONG], NOW)[0]
    assert (found.outcome, found.error_code) == result
    assert len(smsc.submits) == 3


def test_where_the_first_part_is_not_taken_those_that_had_no_room_stay(smsc: ScriptedSmsc):
    smsc.on_submit = lambda session, frame: session.answer(frame, Status.SYSTEM_ERROR if len(smsc.submits) == 1 else 0)
    with smpp_gateway(smsc.port, window=1) as gateway:
        assert outcomes(gateway.submit([LONG, make_outbound(1)], NOW)) == {"throttled": 1, "accepted": 1}
    assert len(smsc.submits) == 2


def test_a_long_message_of_which_a_part_gets_no_answer_is_unknown(smsc: ScriptedSmsc):
    smsc.on_submit = lambda session, frame: session.answer(frame) if len(smsc.submits) != 2 else None
    with smpp_gateway(smsc.port, response_s=0.2) as gateway:
        assert gateway.submit([LONG], NOW)[0].outcome == "unknown"
        assert outcomes(gateway.submit(messages(2), NOW)) == {"accepted": 2}


def test_a_later_part_that_comes_too_fast_is_said_again(smsc: ScriptedSmsc):
    smsc.on_submit = lambda session, frame: session.answer(frame, Status.THROTTLED if len(smsc.submits) == 2 else 0)
    with smpp_gateway(smsc.port) as gateway:
        result = gateway.submit([LONG], NOW)[0]
    assert result.outcome == "accepted"
    assert len(smsc.submits) == 4


def test_a_long_message_whose_later_parts_cannot_leave_is_unknown(smsc: ScriptedSmsc):
    def hang_up_at_the_second(session: Session, frame: Pdu) -> None:
        session.answer(frame, Status.THROTTLED if len(smsc.submits) == 2 else 0)
        if len(smsc.submits) == 2:
            session.transport.close()

    smsc.on_submit = hang_up_at_the_second
    with smpp_gateway(smsc.port) as gateway:
        result = gateway.submit([LONG], NOW)[0]
    # To give it back would send its first part twice.
    assert result.outcome == "unknown"


def test_a_receipt_is_answered_only_once_it_is_kept(smsc: ScriptedSmsc):
    inbox = FakeInbox()
    inbox.open.clear()
    with smpp_gateway(smsc.port, inbox) as gateway:
        gateway.keep_open()
        wait_until(lambda: smsc.sessions, "it is bound")
        wait_until(lambda: gateway.links()[0].is_bound, "it knows")
        smsc.deliver(deliver_body(RECEIPT % b"77"))
        wait_until(lambda: gateway.links()[0].receipt_count == 1, "it is heard")
        # An enquiry overtakes it: the connection is alive, and nothing of the receipt was said.
        smsc.in_loop(lambda: smsc.sessions[0].say(pdu(Command.ENQUIRE_LINK, 99)))
        wait_until(lambda: [frame.sequence for frame in smsc.responses] == [99], "the enquiry is answered")
        inbox.open.set()
        wait_until(lambda: len(smsc.responses) == 2, "the receipt is answered")
    assert smsc.responses[1].command == 0x80000005
    assert smsc.responses[1].status == 0
    assert [receipt.gateway_message_id for receipt in inbox.receipts] == ["77"]


def test_of_an_smsc_that_says_more_than_can_be_kept_nothing_more_is_read(
    smsc: ScriptedSmsc, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(link, "HEARD_MOST", 3)
    inbox = FakeInbox()
    inbox.open.clear()
    with smpp_gateway(smsc.port, inbox) as gateway:
        gateway.keep_open()
        wait_until(lambda: smsc.sessions and gateway.links()[0].is_bound, "it is bound")
        transport = gateway._sending.links[0]._transport
        for number in range(3):
            smsc.deliver(deliver_body(RECEIPT % b"%d" % number))
        try:
            wait_until(lambda: not transport.is_reading(), "it stops to read")
            smsc.deliver(deliver_body(RECEIPT % b"3"))
        finally:
            inbox.open.set()
        wait_until(lambda: len(smsc.responses) == 4, "all are answered")
    assert sorted(receipt.gateway_message_id for receipt in inbox.receipts) == ["0", "1", "2", "3"]


def test_what_cannot_be_kept_is_tried_again_before_it_is_answered(
    smsc: ScriptedSmsc, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(hearing, "ANSWER_WITHIN_S", 600.0)
    monkeypatch.setattr(hearing, "RETRY_S", 0.001)
    inbox = FakeInbox()
    inbox.full = True
    with smpp_gateway(smsc.port, inbox) as gateway:
        gateway.keep_open()
        wait_until(lambda: smsc.sessions and gateway.links()[0].is_bound, "it is bound")
        smsc.deliver(deliver_body(RECEIPT % b"77"))
        wait_until(lambda: inbox.store_count > 2, "it is tried again")
        assert not smsc.responses
        inbox.full = False
        wait_until(lambda: smsc.responses, "it is answered")
    assert smsc.responses[0].status == Status.OK
    assert len(inbox.receipts) == 1
    refused = [record for record in caplog.records if record.getMessage() == "heard_not_kept"]
    # By its error the log counts what comes again and again.
    assert {type(record.exc_info[1]) for record in refused} == {StorageError}


def test_what_cannot_be_kept_for_a_while_is_refused_for_now(smsc: ScriptedSmsc, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hearing, "ANSWER_WITHIN_S", 0.0)
    inbox = FakeInbox()
    inbox.full = True
    with smpp_gateway(smsc.port, inbox) as gateway:
        gateway.keep_open()
        wait_until(lambda: smsc.sessions and gateway.links()[0].is_bound, "it is bound")
        smsc.deliver(deliver_body(RECEIPT % b"77"))
        wait_until(lambda: smsc.responses, "it is answered")
        assert smsc.responses[0].status == Status.TEMPORARY_APPLICATION_ERROR
        inbox.full = False
        smsc.deliver(deliver_body(RECEIPT % b"77"))
        wait_until(lambda: len(smsc.responses) == 2, "it is answered")
    assert smsc.responses[1].status == Status.OK
    assert len(inbox.receipts) == 1


def test_receipts_that_come_together_are_kept_together(smsc: ScriptedSmsc):
    inbox = FakeInbox()
    inbox.open.clear()
    with smpp_gateway(smsc.port, inbox) as gateway:
        gateway.keep_open()
        wait_until(lambda: smsc.sessions and gateway.links()[0].is_bound, "it is bound")
        bodies = [deliver_body(RECEIPT % b"%d" % number) for number in range(500)]
        smsc.in_loop(lambda: [smsc.sessions[0].deliver(body) for body in bodies])
        wait_until(lambda: gateway.links()[0].receipt_count == 500, "all are heard")
        inbox.open.set()
        wait_until(lambda: len(smsc.responses) == 500, "all are answered")
    assert len(inbox.receipts) == 500
    assert inbox.store_count <= 3


def test_a_receipt_in_the_same_segment_as_the_bind_response_is_heard(smsc: ScriptedSmsc):
    inbox = FakeInbox()

    def bind_and_report(session: Session, frame: Pdu) -> None:
        session.say(response(frame, text("smsc")) + pdu(Command.DELIVER_SM, 1, deliver_body(RECEIPT % b"early")))

    smsc.on_bind = bind_and_report
    with smpp_gateway(smsc.port, inbox) as gateway:
        gateway.keep_open()
        wait_until(lambda: smsc.responses, "it is answered")
    assert [receipt.gateway_message_id for receipt in inbox.receipts] == ["early"]


def test_a_long_reply_is_put_together_and_all_its_parts_are_answered(smsc: ScriptedSmsc):
    inbox = FakeInbox()
    with smpp_gateway(smsc.port, inbox) as gateway:
        gateway.keep_open()
        wait_until(lambda: smsc.sessions and gateway.links()[0].is_bound, "it is bound")
        smsc.deliver(deliver_body(b"\x05\x00\x03\x2a\x02\x02 in two parts", esm_class=0x40))
        smsc.deliver(deliver_body(b"\x05\x00\x03\x2a\x02\x01A reply", esm_class=0x40))
        wait_until(lambda: len(smsc.responses) == 2, "both are answered")
    assert [(reply.sender, reply.text) for reply in inbox.replies] == [("4917960000001", "A reply in two parts")]


def test_what_nobody_can_read_is_kept_as_it_came_and_answered(smsc: ScriptedSmsc):
    inbox = FakeInbox()
    with smpp_gateway(smsc.port, inbox) as gateway:
        gateway.keep_open()
        wait_until(lambda: smsc.sessions and gateway.links()[0].is_bound, "it is bound")
        smsc.deliver(deliver_body(b"stat:DELIVRD err:000 done date:2611281631"))
        wait_until(lambda: inbox.strays and smsc.responses, "it is kept and answered")
        assert smsc.responses[0].status == 0
    (stray,) = inbox.strays
    assert (stray.reason, stray.sender) == (StrayReason.NO_ID, "4917960000001")
    assert stray.content == "esm_class 0x04, data_coding 0: stat:DELIVRD err:000 done date:2611281631"
    assert (inbox.receipts, inbox.replies) == ([], [])


def test_what_is_no_deliver_sm_is_refused_and_the_connection_stays(smsc: ScriptedSmsc):
    inbox = FakeInbox()
    with smpp_gateway(smsc.port, inbox) as gateway:
        gateway.keep_open()
        wait_until(lambda: smsc.sessions and gateway.links()[0].is_bound, "it is bound")
        smsc.deliver(b"\xff" * 10)
        wait_until(lambda: smsc.responses, "it is answered")
        assert smsc.responses[0].status != 0
        assert outcomes(gateway.submit(messages(1), NOW)) == {"accepted": 1}
        wait_until(lambda: inbox.strays, "it is kept to be looked at")
    assert smsc.connected_count == 1
    assert inbox.strays[0].reason is StrayReason.UNDECODABLE
    assert inbox.strays[0].content.endswith("octets " + "ff" * 10)


def test_what_nobody_can_read_may_come_without_an_end_and_holds_nothing_up(smsc: ScriptedSmsc):
    inbox, count = FakeInbox(), 5_000
    inbox.open.clear()
    with smpp_gateway(smsc.port, inbox) as gateway:
        gateway.keep_open()
        wait_until(lambda: smsc.sessions and gateway.links()[0].is_bound, "it is bound")
        smsc.in_loop(lambda: [smsc.sessions[0].deliver(b"\xff" * 10) for _ in range(count)])
        wait_until(lambda: len(smsc.responses) == count, "all are refused, and none waits for another to be kept")
        inbox.open.set()
        smsc.deliver(b"\xff" * 10)
        wait_until(lambda: inbox.stray_count == count + 1, "all are counted")
        smsc.deliver(deliver_body(RECEIPT % b"after"))
        wait_until(lambda: inbox.receipts, "receipts are heard")
    assert len(inbox.strays) <= 2 * hearing.STRAYS_MOST + 2


def test_a_command_that_is_not_known_gets_a_nack(smsc: ScriptedSmsc):
    with smpp_gateway(smsc.port) as gateway:
        gateway.keep_open()
        wait_until(lambda: smsc.sessions and gateway.links()[0].is_bound, "it is bound")
        smsc.in_loop(lambda: smsc.sessions[0].say(pdu(0x77, 5)))
        wait_until(lambda: smsc.responses, "it is answered")
    assert (smsc.responses[0].command, smsc.responses[0].sequence) == (Command.GENERIC_NACK, 5)


def test_noise_ends_the_connection_and_it_binds_again(smsc: ScriptedSmsc):
    with smpp_gateway(smsc.port) as gateway:
        gateway.submit(messages(1), NOW)
        smsc.in_loop(lambda: smsc.sessions[0].say(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        wait_until(lambda: smsc.connected_count == 2, "it is back")
        assert outcomes(gateway.submit(messages(1), NOW)) == {"accepted": 1}


def test_a_silent_smsc_is_asked_and_left_when_it_does_not_answer(smsc: ScriptedSmsc):
    smsc.answers_enquiries = False
    with smpp_gateway(smsc.port, enquire_s=0.05, response_s=0.1) as gateway:
        gateway.keep_open()
        wait_until(lambda: smsc.connected_count >= 2, "it has given up the first connection")
    assert smsc.enquired_count >= 1


def test_a_transmitter_and_a_receiver(smsc: ScriptedSmsc):
    inbox = FakeInbox()
    receivers: list[Session] = []

    def bind(session: Session, frame: Pdu) -> None:
        if frame.command == Command.BIND_RECEIVER:
            receivers.append(session)
        session.say(response(frame, text("smsc")))

    smsc.on_bind = bind
    with smpp_gateway(smsc.port, inbox, mode="separate") as gateway:
        assert outcomes(gateway.submit(messages(4), NOW)) == {"accepted": 4}
        wait_until(lambda: len(receivers) == 1, "the receiver is bound")
        smsc.in_loop(lambda: receivers[0].deliver(deliver_body(RECEIPT % b"77")))
        wait_until(lambda: inbox.receipts, "the receipt is kept")
    assert {bind.mode for bind in smsc.binds} == {Command.BIND_TRANSMITTER, Command.BIND_RECEIVER}


def test_several_binds_share_what_is_to_be_sent(smsc: ScriptedSmsc):
    used = Counter[int]()

    def count_session(session: Session, frame: Pdu) -> None:
        used[id(session)] += 1
        session.answer(frame)

    smsc.on_submit = count_session
    with smpp_gateway(smsc.port, binds=3, window=5) as gateway:
        gateway.keep_open()
        wait_until(lambda: [state.is_bound for state in gateway.links()] == [True] * 3, "all are bound")
        assert outcomes(gateway.submit(messages(60), NOW)) == {"accepted": 60}
    assert len(used) == 3


def test_closing_waits_for_the_answers_and_unbinds(smsc: ScriptedSmsc):
    held: list[tuple[Session, Pdu]] = []
    smsc.on_submit = lambda session, frame: held.append((session, frame))
    with smpp_gateway(smsc.port, window=3) as gateway, ThreadPoolExecutor(2) as threads:
        sent = threads.submit(gateway.submit, messages(10), NOW)
        wait_until(lambda: len(held) == 3, "a window has left")
        closed = threads.submit(gateway.close)
        wait_until(lambda: gateway._is_closed, "it is closing")
        time.sleep(0.05)
        assert not closed.done()
        smsc.in_loop(lambda: [session.answer(frame) for session, frame in held])
        assert outcomes(sent.result()) == {"accepted": 3, "throttled": 7}
        closed.result()
        with pytest.raises(Unavailable):
            gateway.submit(messages(1), NOW)
    assert smsc.unbound_count == 1


def test_an_unbind_of_the_smsc_is_answered_and_it_binds_again(smsc: ScriptedSmsc):
    with smpp_gateway(smsc.port) as gateway:
        gateway.submit(messages(1), NOW)
        smsc.in_loop(lambda: smsc.sessions[0].say(pdu(Command.UNBIND, 42)))
        wait_until(lambda: smsc.connected_count == 2, "it is back")
        assert outcomes(gateway.submit(messages(1), NOW)) == {"accepted": 1}
    assert any(frame.command == 0x80000006 and frame.sequence == 42 for frame in smsc.responses)


def test_the_links_say_how_it_is(smsc: ScriptedSmsc):
    with smpp_gateway(smsc.port, window=7) as gateway:
        assert gateway.links() == ()
        gateway.submit(messages(3), NOW)
        state = gateway.links()[0]
        assert (state.number, state.status, state.window, state.submitted_count, state.fault) == (1, "bound", 7, 3, "")
        smsc.stop_listening()
        smsc.drop()
        wait_until(lambda: gateway.links()[0].status is LinkStatus.WAITING and gateway.links()[0].fault, "it is away")
        assert gateway.links()[0].fault


def test_a_password_is_nowhere_to_be_read(smsc: ScriptedSmsc, caplog: pytest.LogCaptureFixture):
    smsc.on_bind = lambda session, frame: session.say(response(frame, status=Status.INVALID_PASSWORD))
    with smpp_gateway(smsc.port, password="hunter2") as gateway, pytest.raises(BadCredentials) as caught:
        gateway.submit(messages(1), NOW)
    assert smsc.binds[0].password == "hunter2"
    assert "hunter2" not in caplog.text + repr(caught.value) + repr(smsc.binds[0]) + repr(vars(gateway))


def test_what_a_defect_would_keep_waiting_for_ever_is_unknown(
    smsc: ScriptedSmsc, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(smpp, "MARGIN_S", 0.1)
    monkeypatch.setattr(sending.Sending, "answered", lambda *_: None)
    with smpp_gateway(smsc.port, response_s=0.1) as gateway:
        assert outcomes(gateway.submit(messages(3), NOW)) == {"unknown": 3}
    assert "submission_stuck" in caplog.text


def test_a_part_that_is_never_taken_ends_its_message(smsc: ScriptedSmsc, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sending, "BACK_OFF_MOST_S", 0.002)
    monkeypatch.setattr(sending, "BACK_OFF_FIRST_S", 0.001)
    smsc.on_submit = lambda session, frame: session.answer(frame, Status.THROTTLED if len(smsc.submits) > 1 else 0)
    with smpp_gateway(smsc.port) as gateway:
        result = gateway.submit([LONG], NOW)[0]
    assert (result.outcome, result.error_code) == ("rejected", "0x00000058")


def test_all_gateways_of_a_process_share_one_loop(smsc: ScriptedSmsc):
    with smpp_gateway(smsc.port) as first, smpp_gateway(smsc.port) as second:
        first.submit(messages(1), NOW)
        second.submit(messages(1), NOW)
        assert [thread.name for thread in threading.enumerate()].count("gateways") == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 in one PEM file, signed by itself."""
    path = tmp_path_factory.mktemp("tls") / "smsc.pem"
    path.write_bytes(self_signed("127.0.0.1"))
    return path


@pytest.fixture
def tls_smsc(certificate: Path) -> Iterator[ScriptedSmsc]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ScriptedSmsc(context) as running:
        yield running


def test_tls_with_a_certificate_that_is_trusted(tls_smsc: ScriptedSmsc, certificate: Path):
    ca = certificate.read_text().partition("-----BEGIN CERTIFICATE")
    with smpp_gateway(tls_smsc.port, tls=True, ca=ca[1] + ca[2]) as gateway:
        assert outcomes(gateway.submit(messages(3), NOW)) == {"accepted": 3}


def test_a_certificate_nobody_vouches_for_is_not_trusted(tls_smsc: ScriptedSmsc):
    with smpp_gateway(tls_smsc.port, tls=True) as gateway, pytest.raises(Unavailable, match="not trusted: self"):
        gateway.submit(messages(1), NOW)
    assert tls_smsc.binds == []


def test_tls_where_none_is_spoken(smsc: ScriptedSmsc):
    with smpp_gateway(smsc.port, tls=True) as gateway, pytest.raises(Unavailable, match=r"TLS with|closed"):
        gateway.submit(messages(1), NOW)


def test_trying_it_out_says_what_was_bound_and_unbinds(smsc: ScriptedSmsc):
    said = try_connection(connection(smsc.port, mode="separate", binds=4), FakeInbox(), clock)
    assert said == f"127.0.0.1, port {smsc.port}, accepts a transmitter and a receiver as helio."
    assert smsc.connected_count == smsc.unbound_count == 2


@pytest.mark.parametrize(
    ("status", "words"), [(Status.INVALID_PASSWORD, "password is wrong"), (Status.BIND_FAILED, "0x0000000D")]
)
def test_trying_it_out_says_why_it_was_refused(smsc: ScriptedSmsc, status: int, words: str):
    smsc.on_bind = lambda session, frame: session.say(response(frame, status=status))
    with pytest.raises(Unavailable, match=words):
        try_connection(connection(smsc.port), FakeInbox(), clock)
    wait_until(lambda: smsc.sessions == [], "it has left")


def test_trying_out_a_silent_port_takes_a_bounded_time(smsc: ScriptedSmsc, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trying, "WITHIN_S", 0.2)
    smsc.on_bind = lambda *_: None
    with pytest.raises(Unavailable, match="No answer"):
        try_connection(connection(smsc.port), FakeInbox(), clock)
