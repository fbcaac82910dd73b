"""The gateway against the SMSC of rehearsals, whose log says from outside what was sent."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.domain.messages.messages import OutboundMessage, SubmitOutcome
from core.domain.texts.encoding import Encoding
from core.domain.texts.octets import encode_octets
from core.gateways.base import Observed
from core.gateways.smpp.session import link
from core.gateways.smsc.behavior import ReceiptForm
from core.gateways.smsc.running import SmscThread
from core.gateways.smsc.submits import digest_of
from tests.contract.gateways.gateway_contract import NOW, DepartingContract, GatewayContract, make_outbound
from tests.contract.gateways.smpp.gateways import FakeInbox, smpp_gateway
from tests.support.fakes.calm_smsc import calm_behavior
from tests.support.processes.waiting import wait_until

ACCOUNTS = {"accounts": {"helio": "secret"}}
LONG = "Long enough for several parts: " + "abcdefghi€" * 30
MESSAGES = [
    *(make_outbound(number) for number in range(20)),
    make_outbound(20, text="Grüße aus Köln {und} 5 €"),
    make_outbound(21, text="Привет, мир", encoding="ucs2"),
    make_outbound(22, text=LONG, segment_count=3),
    make_outbound(23, text="Ж👍" * 60, encoding="ucs2", segment_count=3),
    make_outbound(24, sender_id="+4915112345678"),
]
FORMS = [
    pytest.param({form}, "as_they_are", id=form.value)
    for form in ReceiptForm
    if form not in {ReceiptForm.HEX_RESPONSE, ReceiptForm.HEX_RECEIPT}
]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "PAUSE_FIRST_S", 0.02)
    monkeypatch.setattr(link, "PAUSE_MOST_S", 0.05)


class TestRehearsal(GatewayContract, DepartingContract):
    @pytest.fixture
    def smsc(self, tmp_path: Path) -> Iterator[SmscThread]:
        with SmscThread(tmp_path / "smsc.sqlite", calm_behavior({"refused_rate": 0.01}, **ACCOUNTS)) as smsc:
            yield smsc

    @pytest.fixture
    def gateway(self, smsc: SmscThread) -> Iterator[Observed]:
        with smpp_gateway(smsc.port, window=50) as gateway:
            yield Observed(gateway)

    @pytest.fixture
    def left(self, smsc: SmscThread) -> Callable[[], list[str]]:
        return lambda: [accepted.msisdn[1:] for accepted in smsc.journal.list_accepted()]


def digests(messages: list[OutboundMessage]) -> list[str]:
    return sorted(digest_of(item.msisdn, encode_octets(item.text, Encoding(item.encoding))) for item in messages)


@pytest.mark.parametrize(
    ("forms", "ids"),
    [
        *FORMS,
        pytest.param({ReceiptForm.HEX_RESPONSE}, "response_hex", id="hex-response"),
        pytest.param({ReceiptForm.HEX_RECEIPT}, "receipt_hex", id="hex-receipt"),
        pytest.param({*ReceiptForm} - {ReceiptForm.PAYLOAD, ReceiptForm.HEX_RECEIPT}, "response_hex", id="all at once"),
    ],
)
def test_every_message_is_there_once_and_gets_its_receipt(tmp_path: Path, forms: set[ReceiptForm], ids: str):
    inbox = FakeInbox()
    behavior = calm_behavior(forms=frozenset(forms), **ACCOUNTS)
    with SmscThread(tmp_path / "smsc.sqlite", behavior) as smsc:
        with smpp_gateway(smsc.port, inbox, ids=ids) as gateway:
            results = gateway.submit(MESSAGES, NOW)
            wait_until(lambda: smsc.journal.count_owed() == 0, "all receipts are acknowledged", 0.01)
        assert sorted(each.message_id for each in smsc.journal.list_accepted()) == digests(MESSAGES)
    assert {result.outcome for result in results} == {SubmitOutcome.ACCEPTED}
    assert {receipt.gateway_message_id for receipt in inbox.receipts} == {each.gateway_message_id for each in results}
    assert {receipt.receipt_state.upper() for receipt in inbox.receipts} == {"DELIVRD"}


@pytest.mark.parametrize("how", ["udh8", "udh16", "sar", "payload"])
def test_a_long_text_is_one_message_however_it_travels(tmp_path: Path, how: str):
    with (
        SmscThread(tmp_path / "smsc.sqlite", calm_behavior(**ACCOUNTS)) as smsc,
        smpp_gateway(smsc.port, long_texts=how) as gateway,
    ):
        gateway.submit(MESSAGES, NOW)
        assert sorted(each.message_id for each in smsc.journal.list_accepted()) == digests(MESSAGES)
        assert (smsc.journal.count_unfinished(), smsc.journal.list_repeated_parts()) == (0, [])


def test_a_reply_arrives_whole_and_is_acknowledged(tmp_path: Path):
    inbox, texts = FakeInbox(), {"STOP", "Ich höre [auf] für 5 €", LONG, "Ж👍" * 60}
    with (
        SmscThread(tmp_path / "smsc.sqlite", calm_behavior(**ACCOUNTS)) as smsc,
        smpp_gateway(smsc.port, inbox) as gateway,
    ):
        gateway.keep_open()
        for text in sorted(texts):
            smsc.reply("helio", "+491796000001", "12345", text)
        wait_until(lambda: smsc.journal.count_owed() == 0, "all replies are acknowledged", 0.01)
    assert {reply.text for reply in inbox.replies} == texts
    assert {(reply.sender.lstrip("+"), reply.receiver) for reply in inbox.replies} == {("491796000001", "12345")}


@pytest.mark.parametrize("window", [1, 20])
def test_of_a_dropped_connection_no_more_than_the_window_is_unknown_and_nothing_is_there_twice(
    tmp_path: Path, window: int
):
    messages = [make_outbound(number) for number in range(300)]
    with SmscThread(tmp_path / "smsc.sqlite", calm_behavior(**ACCOUNTS)) as smsc:
        smsc.set_faults(drop_every=97)
        with smpp_gateway(smsc.port, window=window) as gateway:
            left, unknown = messages, []
            while left:
                results = gateway.submit(left, NOW)
                unknown += [each.message_id for each in results if each.outcome is SubmitOutcome.UNKNOWN]
                again = {each.message_id for each in results if each.outcome is SubmitOutcome.THROTTLED}
                left = [each for each in left if each.message_id in again]
        logged = {each.msisdn for each in smsc.journal.list_accepted()}
        assert smsc.journal.list_repeated_receivers() == []
    assert 1 <= len(unknown) <= 4 * window
    sure = {each.msisdn for each in messages if each.message_id not in unknown}
    assert sure <= logged <= {each.msisdn for each in messages}
