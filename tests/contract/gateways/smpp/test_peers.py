"""The gateway against SMSCs that others have written."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from core.domain.messages.messages import OutboundMessage
from core.errors import BadCredentials
from core.gateways.base import Observed
from core.gateways.smpp.gateway import SmppGateway
from tests.contract.gateways.gateway_contract import NOW, GatewayContract, make_outbound
from tests.contract.gateways.peers.running import Peer, npm_smsc, perl_smsc
from tests.contract.gateways.smpp.gateways import FakeInbox, smpp_gateway
from tests.support.processes.waiting import wait_until

LONG = "Long enough for several parts: " + "abcdefghij" * 30
MESSAGES = [
    *(make_outbound(number) for number in range(20)),
    make_outbound(20, text="Grüße aus Köln {und} 5 €"),
    make_outbound(21, text="Привет, мир", encoding="ucs2"),
    make_outbound(22, text=LONG, segment_count=3),
    make_outbound(23, text="Ж" * 100, encoding="ucs2", segment_count=2),
    make_outbound(24, sender_id="+4915112345678"),
]


def form(ids: str = "same", receipt: str = "text", when: str = "after") -> dict[str, str]:
    return {"ids": ids, "receipt": receipt, "when": when}


FORMS = [
    pytest.param(form(), "as_they_are", id="as the specification has it"),
    pytest.param(form(ids="hex response"), "response_hex", id="hexadecimal response"),
    pytest.param(form(ids="hex receipt"), "receipt_hex", id="hexadecimal receipt"),
    pytest.param(form(ids="padded"), "as_they_are", id="zeros in front"),
    pytest.param(form(receipt="seconds"), "as_they_are", id="other case, seconds, a second stat"),
    pytest.param(form(receipt="tlv"), "as_they_are", id="parameters alone"),
    pytest.param(form(receipt="payload"), "as_they_are", id="message_payload"),
    pytest.param(form(receipt="unmarked"), "as_they_are", id="esm_class 0"),
    pytest.param(form(when="before"), "as_they_are", id="before the response"),
    pytest.param(form(ids="hex response", receipt="tlv", when="before"), "response_hex", id="all at once"),
]


class TestNpm(GatewayContract):
    @pytest.fixture
    def gateway(self) -> Iterator[Observed]:
        with npm_smsc(form()) as peer, smpp_gateway(peer.port, window=50) as gateway:
            yield Observed(gateway)


class TestPerl(GatewayContract):
    @pytest.fixture
    def gateway(self) -> Iterator[Observed]:
        with perl_smsc() as peer, smpp_gateway(peer.port, window=50, ids="response_hex") as gateway:
            yield Observed(gateway)


@pytest.mark.parametrize(("its_form", "ids"), FORMS)
def test_every_message_of_the_npm_package_gets_its_receipt(its_form: dict[str, str], ids: str):
    check_receipts(npm_smsc(its_form), ids)


def test_every_message_of_perl_gets_its_receipt():
    check_receipts(perl_smsc(), "response_hex")


def test_a_receipt_in_the_segment_of_the_bind_response_is_kept():
    inbox = FakeInbox()
    with npm_smsc(form(when="with bind")) as peer, smpp_gateway(peer.port, inbox) as gateway:
        gateway.keep_open()
        wait_until(lambda: peer.answers == [0], "it is answered")
    assert [receipt.gateway_message_id for receipt in inbox.receipts] == ["early"]


@pytest.mark.parametrize("how", ["udh8", "udh16", "sar", "payload"])
def test_a_long_text_arrives_whole_however_it_travels(how: str):
    with npm_smsc(form()) as peer, smpp_gateway(peer.port, long_texts=how) as gateway:
        gateway.submit([make_outbound(text=LONG, segment_count=3)], NOW)
        wait_until(lambda: "".join(line["text"] for line in peer.submits) == LONG, "it is there, to the letter")
        assert [line["registered"] for line in peer.submits][-1] == 1


def test_a_wrong_password_is_told_as_one():
    with npm_smsc(form()) as peer, smpp_gateway(peer.port, password="wrong") as gateway:
        with pytest.raises(BadCredentials, match="password is wrong"):
            gateway.submit(MESSAGES, NOW)
        assert peer.submits == []


def check_receipts(running: AbstractContextManager[Peer], ids: str) -> None:
    """Send all kinds of messages, and see that each is there once and has the one receipt that says so."""
    inbox = FakeInbox()
    with running as peer, smpp_gateway(peer.port, inbox, ids=ids, window=50) as gateway:
        accepted = submit_all(gateway, MESSAGES)
        wait_until(lambda: len(peer.answers) == len(MESSAGES), "all receipts are answered")
        assert set(peer.answers) == {0}
        asked = [line for line in peer.submits if line["registered"]]
        assert sorted(line["receiver"] for line in asked) == sorted(item.msisdn[1:] for item in MESSAGES)
    assert sorted(receipt.gateway_message_id for receipt in inbox.receipts) == sorted(accepted)
    assert {receipt.receipt_state.upper() for receipt in inbox.receipts} == {"DELIVRD"}


def submit_all(gateway: SmppGateway, messages: list[OutboundMessage]) -> set[str]:
    results = gateway.submit(messages, NOW)
    assert {result.outcome for result in results} == {"accepted"}
    return {result.gateway_message_id for result in results}
