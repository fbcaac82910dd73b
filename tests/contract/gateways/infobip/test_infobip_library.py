"""Infobip's own library as the witness: what it sends, and how it reads what is reported."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from infobip_api_client import ApiClient, Configuration, SmsApi
from infobip_api_client.models import (
    SmsDeliveryReport,
    SmsDestination,
    SmsInboundMessageResult,
    SmsMessage,
    SmsMessageContent,
    SmsMessageDeliveryReporting,
    SmsMessageOptions,
    SmsRequest,
    SmsTextContent,
    SmsWebhooks,
    ValidityPeriod,
)

from core.domain.messages.messages import OutboundMessage, Receipt, Reply
from core.gateways.infobip.callbacks import make_reader
from core.gateways.infobip.form import FORM
from core.gateways.infobip.gateway import open_gateway
from tests.contract.gateways.gateway_contract import NOW, make_outbound
from tests.contract.gateways.http.http_gateways import CALLBACK_URL, NAME, callback, connect, opened
from tests.contract.gateways.http.scripted_provider import Asked, Said, ScriptedProvider, provider, said_json

KEY = "infobip-key-1"
TEXTS = [make_outbound(1, text="Hello"), make_outbound(2, text="Grüße 😀", encoding="ucs2")]
DONE = datetime(2026, 3, 1, 11, 58, 7, tzinfo=UTC)


def take(asked: Asked) -> Said:
    assert asked.headers["authorization"] == f"App {KEY}"
    status = {"groupId": 1, "groupName": "PENDING", "id": 26, "name": "PENDING_ACCEPTED", "description": "on its way"}
    destinations = [message["destinations"][0] for message in asked.json["messages"]]
    items = [{"messageId": each["messageId"], "destination": each["to"], "status": status} for each in destinations]
    return said_json(200, {"messages": items})


@pytest.fixture
def server() -> Iterator[ScriptedProvider]:
    with provider(take) as running:
        yield running


def send_by_library(server: ScriptedProvider) -> None:
    configuration = Configuration(host=server.url, api_key=KEY)
    with ApiClient(configuration) as client:
        SmsApi(client).send_sms_messages(SmsRequest(messages=[in_their_words(message) for message in TEXTS]))


def in_their_words(message: OutboundMessage) -> SmsMessage:
    delivery = SmsMessageDeliveryReporting(url=CALLBACK_URL, intermediate_report=False)
    return SmsMessage(
        sender=message.sender_id,
        destinations=[SmsDestination(to=message.msisdn.removeprefix("+"), message_id=message.message_id)],
        content=SmsMessageContent(SmsTextContent(text=message.text)),
        options=SmsMessageOptions(validity_period=ValidityPeriod(amount=60, time_unit="MINUTES")),
        webhooks=SmsWebhooks(delivery=delivery, content_type="application/json"),
    )


def test_the_same_messages_are_asked_for_in_the_same_words(server: ScriptedProvider):
    send_by_library(server)
    with opened(open_gateway, connect(FORM, {"url": server.url, "api_key": KEY, "validity_min": 60})) as gateway:
        gateway.submit(TEXTS, NOW)
    theirs, ours = server.asked
    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    assert ours.json == theirs.json
    assert ours.headers["content-type"] == theirs.headers["content-type"]


def test_a_report_and_a_reply_say_what_the_library_reads_in_them():
    report = {
        "bulkId": "BULK-1",
        "messageId": "018f",
        "to": "491796000001",
        "sender": "HELIOGRAPH",
        "sentAt": "2026-03-01T11:58:00.000+0000",
        "doneAt": "2026-03-01T12:58:07.000+0100",
        "messageCount": 1,
        "mccMnc": "26201",
        "price": {"pricePerMessage": 0.01, "currency": "EUR"},
        "status": {"groupId": 2, "groupName": "UNDELIVERABLE", "id": 9, "name": "UNDELIVERABLE_NOT_DELIVERED"},
        "error": {"groupId": 1, "groupName": "HANDSET_ERRORS", "id": 27, "name": "EC_ABSENT_SUBSCRIBER"},
    }
    answer = {
        "messageId": "r1",
        "from": "4917",
        "to": "4930",
        "text": "Stop it",
        "cleanText": "it",
        "keyword": "STOP",
        "receivedAt": "2026-03-01T11:59:00.000+0000",
        "smsCount": 1,
    }
    theirs, their_reply = SmsDeliveryReport.from_dict(report), SmsInboundMessageResult.from_dict({"results": [answer]})
    read = make_reader(connect(FORM, {"url": "https://x.api.infobip.com", "api_key": KEY}))
    heard = read(callback(json.dumps({"results": [report, answer]}).encode(), "application/json"))
    done_at = theirs.done_at.astimezone(UTC)
    assert heard.receipts == (Receipt(NAME, theirs.message_id, "UNDELIV", str(theirs.error.id), done_at),)
    assert done_at == DONE
    (told,) = their_reply.results
    received_at = told.received_at.astimezone(UTC)
    assert heard.replies == (Reply(NAME, told.var_from, told.to, told.text, received_at, told.message_id),)
