"""Messages that an SMSC answers only after the response timer: unknown at first, then sent, and never sent again."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import smpp34
from sqlalchemy import func, select

from core.domain.campaigns.campaigns import Campaign
from core.gateways.smpp.pdu import Pdu
from core.history.messages.answered_late import AnsweredLate
from core.services.accounts.encryption import make_key
from core.services.accounts.managing_accounts import AccountSettings
from core.services.accounts.setting_up_gateways import GatewayForm
from core.services.reports.reporting import Reconciliation
from core.state.campaigns import campaigns
from core.state.tables.models import LateAnswerRow
from tests.contract.gateways.smpp.scripted_smsc import ScriptedSmsc, Session
from tests.support.application.house import House, contacts, make_house
from tests.support.processes.waiting import wait_until

COUNT, LATE = 12, 5


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path / "house", secret_key=make_key(), sub_window=50)
    # The gateway has the clock of the machine.
    made.now = datetime.now(UTC)
    yield made
    made.app.accounts.gateways.close_all()
    made.app.close()


@pytest.fixture
def smsc() -> Iterator[ScriptedSmsc]:
    with ScriptedSmsc() as running:
        yield running


@pytest.fixture
def held(smsc: ScriptedSmsc) -> list[tuple[Session, Pdu]]:
    """Return what the SMSC has not answered: the first messages."""
    waiting: list[tuple[Session, Pdu]] = []

    def take(session: Session, frame: Pdu) -> None:
        if len(waiting) < LATE:
            waiting.append((session, frame))
        else:
            session.answer(frame, message_id=f"id-{frame.sequence}")

    smsc.on_submit = take
    return waiting


def clock() -> datetime:
    return datetime.now(UTC)


def send(house: House, smsc: ScriptedSmsc) -> Campaign:
    values = {"host": "127.0.0.1", "port": smsc.port, "system_id": "me", "password": "secret", "response_s": 1}
    house.app.accounts.setting_up.create(house.viewer, "Berlin", "smpp", GatewayForm(values), house.now)
    settings = AccountSettings("Berlin", 1_000_000)
    house.app.accounts.managing.change(house.viewer, house.account.account_id, settings, house.now)
    campaign = house.launch(house.upload(contacts(COUNT)).list_id)
    house.app.work.run_until_idle(clock)
    return campaign


def answer(house: House, smsc: ScriptedSmsc, held: list[tuple[Session, Pdu]]) -> None:
    """Let the SMSC say all that it owes, the receipts before the answers, and wait until it is kept."""

    def say() -> None:
        say_delivered(held)
        say_taken(held)

    smsc.in_loop(say)
    wait_until(lambda: len(smsc.responses) >= LATE, "the receipts are kept")
    wait_until(lambda: _count_open(house) >= LATE, "the answers are kept")


def say_delivered(held: list[tuple[Session, Pdu]]) -> None:
    for session, frame in held:
        said = f"id:id-{frame.sequence} sub:001 dlvrd:001 stat:DELIVRD err:000 text:".encode()
        session.deliver(smpp34.DeliverSm("4917960000001", "HELIOGRAPH", said, esm_class=4).encode()[16:])


def say_taken(held: list[tuple[Session, Pdu]]) -> None:
    for session, frame in held:
        session.answer(frame, message_id=f"id-{frame.sequence}")


def reconcile(house: House, campaign: Campaign) -> Reconciliation:
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert found.balances
    return found


def test_an_unknown_message_is_sent_once_its_answer_comes_and_its_receipt_finds_it(
    house: House, smsc: ScriptedSmsc, held: list[tuple[Session, Pdu]]
):
    campaign = send(house, smsc)
    before = reconcile(house, campaign)
    # On a busy machine more of them come late by themselves.
    assert before.sent_count + before.unknown_count == COUNT
    assert before.unknown_count >= LATE
    answer(house, smsc, held)
    house.app.work.run_until_idle(clock)
    after = reconcile(house, campaign)
    assert (after.sent_count, after.unknown_count) == (COUNT, 0)
    assert house.app.reports.reporting.traffic(house.viewer, house.everything()).delivered == LATE
    with house.app.lake.read() as cursor:
        rows = cursor.execute(
            "SELECT receiver, gateway, gateway_message_id, segment_count FROM lake.messages"
        ).fetchall()
        assert cursor.execute("SELECT count(*) FROM lake.unsent").fetchone() == (0,)
    assert len({receiver for receiver, *_ in rows}) == len(rows) == COUNT
    assert {row[1:] for row in rows} == {("Berlin", f"id-{frame.sequence}", 1) for frame in smsc.submits}
    # Nothing was submitted a second time, and nothing is left to do.
    assert len(smsc.submits) == COUNT
    assert house.app.sending.answering_late.settle(clock) == 0


def test_who_was_killed_before_the_counts_is_followed_by_one_who_counts_once(
    house: House, smsc: ScriptedSmsc, held: list[tuple[Session, Pdu]], monkeypatch: pytest.MonkeyPatch
):
    campaign = send(house, smsc)
    answer(house, smsc, held)

    def killed(*_: object) -> None:
        raise RuntimeError("killed between history and counts")

    with monkeypatch.context() as patch:
        patch.setattr(campaigns, "add_outcomes", killed)
        with pytest.raises(RuntimeError):
            house.app.sending.answering_late.settle(clock)
    assert house.app.sending.answering_late.settle(clock) >= LATE
    assert house.app.sending.answering_late.settle(clock) == 0
    after = reconcile(house, campaign)
    assert (after.sent_count, after.unknown_count) == (COUNT, 0)


def test_who_was_held_up_before_the_counts_counts_nothing_that_another_has_counted(
    house: House, smsc: ScriptedSmsc, held: list[tuple[Session, Pdu]], monkeypatch: pytest.MonkeyPatch
):
    campaign = send(house, smsc)
    answer(house, smsc, held)
    find_sent, counted = AnsweredLate.find_sent, list[int]()

    def held_up(history: AnsweredLate, answered_at: Mapping[str, datetime]) -> dict[str, str]:
        if not counted:
            counted.append(0)
            # The lease has run out meanwhile.
            counted.append(house.app.sending.answering_late.settle(lambda: clock() + timedelta(hours=1)))
        return find_sent(history, answered_at)

    monkeypatch.setattr(AnsweredLate, "find_sent", held_up)
    assert house.app.sending.answering_late.settle(clock) == 0
    assert counted[1] >= LATE
    after = reconcile(house, campaign)
    assert (after.sent_count, after.unknown_count) == (COUNT, 0)


def test_a_receipt_that_was_looked_for_before_the_answer_is_looked_for_again_at_once(
    house: House, smsc: ScriptedSmsc, held: list[tuple[Session, Pdu]]
):
    send(house, smsc)
    smsc.in_loop(lambda: say_delivered(held))
    wait_until(lambda: len(smsc.responses) >= LATE, "the receipts are kept")
    at = clock()
    assert house.app.sending.receiving.merge(lambda: at).postponed_count == LATE
    smsc.in_loop(lambda: say_taken(held))
    wait_until(lambda: _count_open(house) >= LATE, "the answers are kept")
    house.app.sending.answering_late.settle(lambda: at)
    assert house.app.sending.receiving.merge(lambda: at).merged_count == LATE


def test_an_answer_waits_while_its_batch_is_in_the_ledger(
    house: House, smsc: ScriptedSmsc, held: list[tuple[Session, Pdu]], monkeypatch: pytest.MonkeyPatch
):
    settle = house.app.sending.batch_history.settle
    seen: list[int] = []

    def late_before(*args: object) -> None:
        smsc.in_loop(lambda: say_taken(held))
        wait_until(lambda: _count_open(house) >= LATE, "the answers are kept")
        seen.append(house.app.sending.answering_late.settle(clock))
        settle(*args)

    monkeypatch.setattr(house.app.sending.batch_history, "settle", late_before)
    campaign = send(house, smsc)
    assert seen == [0]
    house.app.work.run_until_idle(clock)
    after = reconcile(house, campaign)
    assert (after.sent_count, after.unknown_count) == (COUNT, 0)


def test_what_is_not_unknown_stays_as_it_is(house: House, smsc: ScriptedSmsc, held: list[tuple[Session, Pdu]]):
    campaign = send(house, smsc)
    with house.app.lake.read() as cursor:
        messages = cursor.execute(
            "SELECT * REPLACE (message_id::VARCHAR AS message_id) FROM lake.messages"
        ).to_arrow_table()
    AnsweredLate(house.app.lake).take(campaign.campaign_id, messages)
    with house.app.lake.read() as cursor:
        assert cursor.execute("SELECT count(*) FROM lake.messages").fetchone() == (messages.num_rows,)
    assert AnsweredLate(house.app.lake).find_unknown(messages["message_id"].to_pylist()).num_rows == 0
    assert held


def _count_open(house: House) -> int:
    with house.app.state.read() as session:
        return session.scalar(select(func.count()).select_from(LateAnswerRow)) or 0
