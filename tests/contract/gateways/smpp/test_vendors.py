"""What providers do otherwise than the others, and what the form's answers make of it."""

from collections.abc import Iterator

import pytest
import smpp34

from core.domain.messages.messages import SubmitOutcome
from core.errors import InvalidInput
from core.gateways.smpp.form import read_form
from core.gateways.smpp.gateway import NOT_IN_ALPHABET
from core.gateways.smpp.pdu import Pdu, response, text
from core.gateways.smpp.settings import SmppSettings
from tests.contract.gateways.gateway_contract import NOW, make_outbound
from tests.contract.gateways.smpp.gateways import FakeInbox, connection, smpp_gateway
from tests.contract.gateways.smpp.scripted_smsc import ScriptedSmsc, Session
from tests.support.processes.waiting import wait_until


@pytest.fixture
def smsc() -> Iterator[ScriptedSmsc]:
    with ScriptedSmsc() as running:
        yield running


def deliver_body(said: bytes, *, esm_class: int = 4, data_coding: int = 0) -> bytes:
    return smpp34.DeliverSm("4917960000001", "HELIOGRAPH", said, esm_class=esm_class, data_coding=data_coding).encode()[
        16:
    ]


def test_what_was_set_up_before_a_field_was_added_is_set_up_as_ever():
    old = connection(2775)
    for name in ("alphabet", "states", "long_receipts"):
        del old.settings[name]
    assert read_form(old).settings == SmppSettings()


def test_a_line_that_explains_nothing_is_refused_with_its_field():
    with pytest.raises(InvalidInput) as refused:
        read_form(connection(2775, states="SUCCESS = GOOD"))
    assert refused.value.field == "states"


def test_a_vendor_s_word_means_what_the_settings_say(smsc: ScriptedSmsc):
    inbox = FakeInbox()
    with smpp_gateway(smsc.port, inbox, states="ACCEPTD = DELIVRD\nbounced = undeliv") as gateway:
        gateway.keep_open()
        wait_until(lambda: all(link.is_bound for link in gateway.links()), "it is bound")
        for word in ("ACCEPTD", "Bounced", "Teleported"):
            said = f"id:{word} sub:001 dlvrd:001 submit date:2611281630 done date:2611281631 stat:{word} err:000 text:"
            _deliver(smsc, said.encode())
        wait_until(lambda: len(inbox.receipts) == 3, "three receipts")
    assert [receipt.receipt_state for receipt in inbox.receipts] == ["DELIVRD", "UNDELIV", "Teleported"]


def test_texts_go_out_and_come_in_in_the_default_alphabet_that_was_chosen(smsc: ScriptedSmsc):
    inbox, texts = FakeInbox(), ("Grüße @ [1]", "€ 5", "€" + "x" * 100, "Привет", "bye")
    outbound = [
        make_outbound(number, text=text, encoding="ucs2" if text == "Привет" else "gsm7")
        for number, text in enumerate(texts)
    ]
    with smpp_gateway(smsc.port, inbox, alphabet="latin1") as gateway:
        results = gateway.submit(outbound, NOW)
        _deliver(smsc, "Grüße @ [1]".encode("latin-1"), esm_class=0)
        wait_until(lambda: inbox.replies, "a reply")
    assert inbox.replies[0].text == "Grüße @ [1]"
    assert [result.message_id for result in results] == [message.message_id for message in outbound]
    assert [result.outcome for result in results] == [
        SubmitOutcome.ACCEPTED,
        SubmitOutcome.ACCEPTED,
        SubmitOutcome.REJECTED,
        SubmitOutcome.ACCEPTED,
        SubmitOutcome.ACCEPTED,
    ]
    assert results[2].error_code == NOT_IN_ALPHABET
    sent = [smpp34.decode(frame.raw) for frame in smsc.submits]
    assert [(each.data_coding, bytes(each.short_message)) for each in sent] == [
        (0, "Grüße @ [1]".encode("latin-1")),
        (8, "€ 5".encode("utf-16-be")),
        (8, "Привет".encode("utf-16-be")),
        (0, b"bye"),
    ]


def test_where_none_of_them_can_be_written_nothing_leaves(smsc: ScriptedSmsc):
    with smpp_gateway(smsc.port, alphabet="ascii") as gateway:
        (result,) = gateway.submit([make_outbound(text="ü" * 100)], NOW)
    assert (result.outcome, result.error_code, smsc.submits) == (SubmitOutcome.REJECTED, NOT_IN_ALPHABET, [])


def _deliver(smsc: ScriptedSmsc, said: bytes, *, esm_class: int = 4) -> None:
    smsc.deliver(deliver_body(said, esm_class=esm_class))


@pytest.mark.parametrize(
    ("chosen", "asking", "part_ids"),
    [("last_part", [0, 0, 1], ()), ("any_part", [1, 1, 1], ("part-1", "part-2"))],
)
def test_who_reports_one_part_alone_is_asked_for_all_and_each_id_is_known(
    smsc: ScriptedSmsc, chosen: str, asking: list[int], part_ids: tuple[str, ...]
):
    smsc.on_submit = lambda session, frame: session.answer(frame, message_id=f"part-{len(smsc.submits)}")
    with smpp_gateway(smsc.port, long_receipts=chosen) as gateway:
        (result,) = gateway.submit([make_outbound(text="x" * 400, segment_count=3)], NOW)
    assert [smpp34.decode(frame.raw).registered_delivery for frame in smsc.submits] == asking
    assert (result.gateway_message_id, result.part_ids) == ("part-3", part_ids)


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [(("same", "same", "same"), ("same", ())), (("one", "", ""), ("one", ())), (("a", "b", ""), ("a", ("b",)))],
)
def test_parts_with_one_id_between_them_have_that_one(
    smsc: ScriptedSmsc, theirs: tuple[str, ...], expected: tuple[str, tuple[str, ...]]
):
    def answer(session: Session, frame: Pdu) -> None:
        smsc.answered_count += 1
        session.say(response(frame, text(theirs[len(smsc.submits) - 1])))

    smsc.on_submit = answer
    with smpp_gateway(smsc.port, long_receipts="any_part") as gateway:
        (result,) = gateway.submit([make_outbound(text="x" * 400, segment_count=3)], NOW)
    assert (result.gateway_message_id, result.part_ids) == expected
