import random
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.domain.messages.messages import DeliveryStatus
from core.domain.messages.receipts import Effect, Settled, merge, settle
from core.errors import Forbidden, NotFound
from core.history.messages.message_store import MessageStore
from core.services.reports.tracing import MessageTrace
from tests.support.application.house import House, contacts
from tests.support.stores.messages import make_message, make_update, merge_receipts, message_table, unsent_table

STATES = ["DELIVRD", "UNDELIV", "EXPIRED", "ENROUTE", "BUFFRD", ""]


def uuid7(moment: datetime) -> str:
    milliseconds = round(moment.timestamp() * 1_000)
    return str(uuid.UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62) | random.getrandbits(62)))


def record(house: House, *messages: dict) -> None:
    account_id = house.account.account_id
    table = message_table(*({**message, "account": account_id} for message in messages))
    MessageStore(house.app.lake).append_batch("batch-1", "", table, unsent_table(), house.now)


def settled(trace: MessageTrace) -> Settled:
    return Settled(trace.message.delivery_status, trace.message.error_code, trace.message.delivered_at)


def test_the_receipts_that_count_are_what_is_stored(house: House) -> None:
    source = random.Random(3)
    messages = [make_message(sent_at=house.now, gateway_message_id=f"theirs-{number}") for number in range(40)]
    record(house, *messages)
    updates = [
        make_update(
            DeliveryStatus.SUBMITTED,
            gateway_message_id=source.choice(messages)["gateway_message_id"],
            receipt_state=source.choice(STATES),
            error_code=source.choice(["", "000", "27"]),
            done_at=house.now + timedelta(seconds=source.randrange(9)),
        )
        for _ in range(160)
    ]
    # They reach us in another order than the gateway's times have, several at once.
    received = [
        replace(update, received_at=house.now + timedelta(seconds=20 + number // 3))
        for number, update in enumerate(updates)
    ]
    store = MessageStore(house.app.lake)
    while received:
        count = source.randrange(1, 30)
        merge_receipts(store, received[:count])
        received = received[count:]
    seen = set()
    for message in messages:
        trace = house.app.reports.tracing.get(house.viewer, message["message_id"])
        state = Settled(DeliveryStatus.SUBMITTED)
        for came in trace.receipts:
            after = merge(state, settle(came.receipt))
            assert came.effect.counts == (after != state)
            state = after if came.effect.counts else state
            seen.add(came.effect)
        assert state == settled(trace)
        assert trace.is_explained
        assert [came.received_at for came in trace.receipts] == sorted(came.received_at for came in trace.receipts)
    assert seen == set(Effect)


@pytest.mark.parametrize("days", [0, 5, 60])
def test_a_message_is_found_however_long_its_campaign_was_paused(house: House, days: int) -> None:
    message = make_message(sent_at=house.now, message_id=uuid7(house.now - timedelta(days=days)))
    record(house, message, make_message(sent_at=house.now))
    assert house.app.reports.tracing.get(house.viewer, message["message_id"]).message.sent_at == house.now


@pytest.mark.parametrize(
    "message_id", ["3f2b8a54-8c0e-4b6e-9d5a-0c1f6f3a7e21", str(uuid.UUID(int=(2**48 - 1) << 80 | 7 << 76))]
)
def test_an_id_that_tells_no_time_is_looked_for_everywhere(house: House, message_id: str) -> None:
    record(house, make_message(sent_at=house.now, message_id=message_id))
    assert house.app.reports.tracing.get(house.viewer, message_id).receipts == ()


def test_a_campaigns_message_knows_its_queue(house: House) -> None:
    campaign = house.launch(house.upload(contacts(3)).list_id)
    launched_at = house.now
    house.app.work.run_until_idle(house.clock)
    house.wait(timedelta(days=15))
    house.app.sending.receiving.collect(house.clock)
    house.app.sending.receiving.merge(house.clock)
    with house.app.lake.read() as cursor:
        ids = [row for (row,) in cursor.execute("SELECT message_id::VARCHAR FROM lake.messages").fetchall()]
    assert ids
    for message_id in ids:
        trace = house.app.reports.tracing.get(house.viewer, message_id)
        assert (trace.launched_at, trace.queued_at) == (launched_at, launched_at)
        assert trace.campaign
        assert trace.campaign.campaign_id == campaign.campaign_id
        assert trace.is_explained


def test_what_was_settled_before_receipts_were_kept_says_so(house: House) -> None:
    message = make_message(sent_at=house.now, delivery_status="Delivered", delivered_at=house.now)
    record(house, message)
    assert not house.app.reports.tracing.get(house.viewer, message["message_id"]).is_explained


def test_nobody_sees_the_messages_of_others(house: House) -> None:
    message = make_message(sent_at=datetime(2026, 3, 1, tzinfo=UTC))
    record(house, message)
    stranger = replace(house.viewer, account_ids=frozenset({"another"}))
    with pytest.raises(NotFound):
        house.app.reports.tracing.get(stranger, message["message_id"])
    with pytest.raises(Forbidden):
        house.app.reports.tracing.get(replace(house.viewer, permissions=frozenset()), message["message_id"])
