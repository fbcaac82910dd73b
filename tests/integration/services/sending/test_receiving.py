from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

import pyarrow as pa
import pytest
from sqlalchemy.orm import Session

from core.domain.messages.messages import Receipt
from core.gateways.simulator.gateway import SimulatorGateway
from core.history.messages.message_store import MessageStore
from core.services.sending import receiving
from core.services.sending.batch_history import BatchHistory
from core.state.campaigns import receipts
from tests.support.application.factories import make_account, make_receipt
from tests.support.application.house import MONTH, House, contacts


@pytest.fixture
def sent(house: House) -> House:
    house.launch(house.upload(contacts(50)).list_id)
    house.app.work.run_until_idle(house.clock)
    house.wait(MONTH / 2)
    return house


def test_a_gateway_that_is_no_longer_there_does_not_hold_up_the_others(sent: House):
    sent.app.accounts.managing.open_account(make_account(name="old", gateway="a gateway of the past"), (), sent.now)
    assert sent.app.sending.receiving.collect(sent.clock) > 0


def test_one_that_is_told_its_receipts_is_not_worth_a_lease(sent: House, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    alone = sent.app.sending.receiving._leases.alone

    def note(name: str, clock: Callable[[], datetime]) -> object:
        asked.append(name)
        return alone(name, clock)

    monkeypatch.setattr(sent.app.sending.receiving._leases, "alone", note)
    assert sent.app.sending.receiving.collect(sent.clock) > 0
    assert asked == ["receipts of simulator"]
    assert sent.app.sending.receiving.collect(sent.clock) == 0
    assert asked == ["receipts of simulator"]


def test_receipts_of_a_gateway_that_is_down_come_later(sent: House):
    sent.simulator.faults.unavailable = True
    assert sent.app.sending.receiving.collect(sent.clock) == 0
    sent.simulator.faults.unavailable = False
    assert sent.app.sending.receiving.collect(sent.clock) > 0


def test_a_receipt_is_not_acknowledged_before_it_is_stored(sent: House, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise RuntimeError("killed before the inbox had it")

    with monkeypatch.context() as patch:
        patch.setattr("core.services.sending.receiving.receipts.add_receipts", broken)
        with pytest.raises(RuntimeError):
            sent.app.sending.receiving.collect(sent.clock)
    waiting = sent.app.sending.receiving.collect(sent.clock)
    assert waiting == sent.app.sending.receiving.count_waiting() > 0


def test_receipts_that_come_twice_change_nothing(sent: House, monkeypatch: pytest.MonkeyPatch):
    def lost(*_: object) -> None:
        """The acknowledgement never arrives."""

    with monkeypatch.context() as patch:
        patch.setattr(SimulatorGateway, "acknowledge", lost)
        first = sent.app.sending.receiving.collect(sent.clock)
    sent.app.sending.receiving.merge(sent.clock)
    once = sent.app.reports.reporting.traffic(sent.viewer, sent.everything())
    assert sent.app.sending.receiving.collect(sent.clock) == first
    sent.app.sending.receiving.merge(sent.clock)
    twice = sent.app.reports.reporting.traffic(sent.viewer, sent.everything())
    assert (twice.delivered, twice.undelivered, twice.transmitted) == (
        once.delivered,
        once.undelivered,
        once.transmitted,
    )
    assert sent.app.sending.receiving.count_waiting() == 0


def kept(house: House) -> list[tuple[object, ...]]:
    sql = """
        SELECT gateway_message_id, receipt_state, error_code, done_at, received_at FROM lake.receipts ORDER BY ALL
    """
    with house.app.lake.read() as cursor:
        return cursor.execute(sql).fetchall()


def test_receipts_are_kept_once_when_the_inbox_did_not_hear_of_the_merge(sent: House, monkeypatch: pytest.MonkeyPatch):
    def killed(*_: object) -> None:
        raise RuntimeError("killed between the lake's commit and the inbox's")

    came = sent.app.sending.receiving.collect(sent.clock)
    with monkeypatch.context() as patch:
        patch.setattr("core.services.sending.receiving.receipts.delete_receipts", killed)
        with pytest.raises(RuntimeError):
            sent.app.sending.receiving.merge(sent.clock)
    once = kept(sent)
    assert len(once) == came == sent.app.sending.receiving.count_waiting()
    sent.wait(MONTH / 2)
    assert sent.app.sending.receiving.merge(sent.clock).merged_count == came
    assert kept(sent) == once


def test_what_piles_up_is_fetched_in_portions_and_merged_in_one_commit(sent: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(receiving, "AT_ONCE", 10)
    monkeypatch.setattr(receiving, "MERGE_LIMIT", 30)
    fetched, fetch = [], sent.simulator.fetch_receipts

    def noted(limit: int, now: datetime) -> list[tuple[str, Receipt]]:
        fetched.append(limit)
        return fetch(limit, now)

    monkeypatch.setattr(sent.simulator, "fetch_receipts", noted)
    assert sent.app.sending.receiving.collect(sent.clock) == 30
    assert fetched == [10, 10, 10]
    before = sent.app.lake.changes
    assert sent.app.sending.receiving.merge(sent.clock).merged_count == 30
    assert sent.app.lake.changes == (before[0], before[1] + 1)
    assert sent.app.sending.receiving.count_waiting() == 0


def test_who_ends_while_the_inbox_is_emptied_merges_the_rest_once_more(sent: House, monkeypatch: pytest.MonkeyPatch):
    came, forget, portions = sent.app.sending.receiving.collect(sent.clock), receipts.delete_receipts, []

    def killed(session: Session, receipt_ids: Collection[int]) -> None:
        portions.append(len(receipt_ids))
        if len(portions) == 3:
            raise RuntimeError("killed between two portions")
        forget(session, receipt_ids)

    with monkeypatch.context() as patch:
        patch.setattr(receiving, "AT_ONCE", 10)
        patch.setattr("core.services.sending.receiving.receipts.delete_receipts", killed)
        with pytest.raises(RuntimeError):
            sent.app.sending.receiving.merge(sent.clock)
    once = kept(sent)
    assert portions == [10, 10, 10]
    assert (len(once), sent.app.sending.receiving.count_waiting()) == (came, came - 20)
    sent.wait(MONTH / 2)
    assert sent.app.sending.receiving.merge(sent.clock).merged_count == came - 20
    assert kept(sent) == once


def test_a_receipt_of_no_message_we_know_waits_and_is_not_kept(sent: House):
    sent.app.sending.receiving.merge(sent.clock)
    with sent.app.state.write() as session:
        stranger = make_receipt(gateway_message_id="nobody's", receipt_state="BUFFRD", done_at=sent.now)
        receipts.add_receipts(session, [stranger], sent.now)
    before = kept(sent)
    assert sent.app.sending.receiving.merge(sent.clock).postponed_count == 1
    assert kept(sent) == before
    assert sent.app.sending.receiving.count_waiting() == 1


def test_a_receipt_of_no_message_is_given_up_after_three_days_and_seldom_tried(sent: House):
    sent.app.sending.receiving.merge(sent.clock)
    with sent.app.state.write() as session:
        receipts.add_receipts(session, [make_receipt(gateway_message_id="nobody's", done_at=sent.now)], sent.now)
    came = []
    for _ in range(4 * 24 * 6):
        came.append(sent.app.sending.receiving.merge(sent.clock))
        sent.wait(timedelta(minutes=10))
    # Another system's may come by the hundred thousand: each is looked for in the history that campaigns write to.
    assert sum(merged.postponed_count for merged in came) < 40
    given_up = [number for number, merged in enumerate(came) if merged.abandoned_count]
    assert [number // (24 * 6) for number in given_up] == [3]


def test_a_receipt_whose_acknowledgement_was_lost_is_kept_once(sent: House, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setattr(SimulatorGateway, "acknowledge", lambda *_: None)
        came = sent.app.sending.receiving.collect(sent.clock)
        sent.app.sending.receiving.collect(sent.clock)
        assert sent.app.sending.receiving.count_waiting() == came
        sent.app.sending.receiving.merge(sent.clock)
    once = kept(sent)
    assert len(once) == came
    sent.wait(timedelta(minutes=1))
    assert sent.app.sending.receiving.collect(sent.clock) == came
    sent.app.sending.receiving.merge(sent.clock)
    assert kept(sent) == once
    assert sent.app.sending.receiving.count_waiting() == 0


def during(monkeypatch: pytest.MonkeyPatch, house: House, action: Callable[[], object]) -> None:
    """Let *action* happen once, when receipts have been fetched and are not stored yet."""
    fetch = house.simulator.fetch_receipts

    def interrupted(limit: int, now: datetime) -> list[tuple[str, Receipt]]:
        fetched = fetch(limit, now)
        monkeypatch.setattr(house.simulator, "fetch_receipts", fetch)
        action()
        return fetched

    monkeypatch.setattr(house.simulator, "fetch_receipts", interrupted)


def test_one_worker_at_a_time_collects_from_a_gateway(sent: House, monkeypatch: pytest.MonkeyPatch):
    others = []
    during(monkeypatch, sent, lambda: others.append(sent.app.sending.receiving.collect(sent.clock)))
    came = sent.app.sending.receiving.collect(sent.clock)
    assert others == [0]
    assert sent.app.sending.receiving.count_waiting() == came > 0


def test_a_collector_that_slept_too_long_stores_nothing_that_another_has_merged(
    sent: House, monkeypatch: pytest.MonkeyPatch
):
    def overtake() -> None:
        sent.wait(timedelta(seconds=sent.app.settings.lease_s + 1))
        assert sent.app.sending.receiving.collect(sent.clock) > 0
        sent.app.sending.receiving.merge(sent.clock)

    during(monkeypatch, sent, overtake)
    assert sent.app.sending.receiving.collect(sent.clock) == 0
    once = kept(sent)
    assert len(once) > 0
    assert sent.app.sending.receiving.count_waiting() == 0


def test_merges_that_overlap_keep_every_receipt_once(sent: House, monkeypatch: pytest.MonkeyPatch):
    came = sent.app.sending.receiving.collect(sent.clock)
    history = sent.app.sending.receiving._history
    merge = history.merge_receipts
    others = []

    def interrupted(due: pa.Table) -> frozenset[int]:
        monkeypatch.setattr(history, "merge_receipts", merge)
        others.append(sent.app.sending.receiving.merge(sent.clock))
        # And one that holds no lease any more, as after a long sleep.
        sent.wait(timedelta(seconds=sent.app.settings.lease_s + 1))
        others.append(sent.app.sending.receiving.merge(sent.clock))
        return merge(due)

    monkeypatch.setattr(history, "merge_receipts", interrupted)
    sent.app.sending.receiving.merge(sent.clock)
    assert [merged.merged_count for merged in others] == [0, came]
    assert len(kept(sent)) == came
    assert sent.app.sending.receiving.count_waiting() == 0


def test_receipts_that_came_before_their_batch_are_merged_as_soon_as_it_is_in_history(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    append, early = MessageStore.append_batch, []

    def late(store: MessageStore, *values: object) -> bool:
        house.wait(timedelta(hours=1))
        house.app.sending.receiving.collect(house.clock)
        # Tried in vain again and again, they are put off for ever longer.
        for _ in range(5):
            house.wait(timedelta(minutes=1))
            early.append(house.app.sending.receiving.merge(house.clock))
        return append(store, *values)

    monkeypatch.setattr(MessageStore, "append_batch", late)
    house.launch(house.upload(contacts(50)).list_id)
    house.app.work.run_until_idle(house.clock)
    assert early[0].postponed_count > 0
    assert {merged.merged_count for merged in early} == {0}
    assert house.app.sending.receiving.count_waiting() == 0


def test_a_merge_that_looked_before_the_batch_came_puts_nothing_off(house: House, monkeypatch: pytest.MonkeyPatch):
    append, settle, merge = MessageStore.append_batch, BatchHistory.settle, MessageStore.merge_receipts
    looked, go_on, merging = Event(), Event(), []

    def slow(store: MessageStore, due: pa.Table) -> frozenset[int]:
        missed = merge(store, due)
        looked.set()
        assert go_on.wait(60)
        return missed

    def meanwhile(store: MessageStore, *values: object) -> bool:
        house.wait(timedelta(hours=1))
        house.app.sending.receiving.collect(house.clock)
        merging.append(pool.submit(house.app.sending.receiving.merge, house.clock))
        assert looked.wait(60)
        monkeypatch.setattr(MessageStore, "merge_receipts", merge)
        return append(store, *values)

    def settled(settling: BatchHistory, *values: object) -> None:
        settle(settling, *values)
        go_on.set()
        merging[0].result()

    monkeypatch.setattr(MessageStore, "merge_receipts", slow)
    monkeypatch.setattr(MessageStore, "append_batch", meanwhile)
    monkeypatch.setattr(BatchHistory, "settle", settled)
    house.launch(house.upload(contacts(50)).list_id)
    with ThreadPoolExecutor() as pool:
        house.app.work.run_until_idle(house.clock)
    assert (merging[0].result().merged_count, merging[0].result().postponed_count > 0) == (0, True)
    house.app.sending.receiving.merge(house.clock)
    assert house.app.sending.receiving.count_waiting() == 0
