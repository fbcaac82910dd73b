"""Two workers at the same thing, or one that slept too long: whoever holds the lease decides, once."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.imports.lists import ListStatus
from core.domain.messages.messages import LedgerState, OutboundMessage, SubmitResult
from core.domain.reports.paging import PageRequest
from core.errors import InvalidInput
from core.history.audience.audience_store import FreezeSpec, FrozenAudience
from core.services.leases import Lease
from core.services.lists.reading_entries import EntryReader
from core.services.sending.batches import BatchRun
from core.services.sending.handing_over import Handed
from core.state.accounts import accounts
from core.state.campaigns import campaigns, late_answers, ledger
from tests.integration.services.paying import BATCH, CENTS, SUB_WINDOW, die_with_claims, frozen, resume, spent
from tests.support.application.house import House, contacts
from tests.support.fakes.naps import Naps

LEASE_OVER = timedelta(seconds=60)


def before_submit(house: House, action: Callable[[], None]) -> None:
    """Let *action* happen once, while the next messages are on their way to the gateway."""
    gateway = house.simulator
    submit = gateway.submit

    def interrupted(messages: list[OutboundMessage], now: object, *rest: object) -> list[SubmitResult]:
        gateway.submit = submit
        action()
        return submit(messages, now, *rest)

    gateway.submit = interrupted


def start(house: House, count: int) -> str:
    campaign_id = house.launch(house.upload(contacts(count)).list_id).campaign_id
    house.app.campaigns.launching.freeze(campaign_id, house.clock)
    return campaign_id


def move(house: House, campaign_id: str, status: CampaignStatus) -> None:
    with house.app.state.write() as session:
        campaigns.move_campaign(session, campaign_id, status)


def test_refused_credentials_after_somebody_else_paused_leave_nothing_unknown(house: House):
    campaign_id = start(house, 100)
    house.simulator.faults.bad_credentials = True
    before_submit(house, lambda: move(house, campaign_id, CampaignStatus.PAUSED))
    house.app.sending.submitting.run(campaign_id, house.clock)
    move(house, campaign_id, CampaignStatus.ACTIVE)
    house.simulator.faults.bad_credentials = False
    house.wait(LEASE_OVER)
    house.app.work.run_until_idle(house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.pending_count, found.unknown_count, found.balances) == (0, 0, True)
    assert house.simulator.journal.list_repeated() == []


def test_a_pause_takes_effect_with_the_next_sub_window(house: House):
    campaign_id = start(house, 1_200)
    before_submit(house, lambda: move(house, campaign_id, CampaignStatus.PAUSED))
    house.app.sending.submitting.run(campaign_id, house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert found.balances
    assert found.pending_count == 1_200 - house.app.settings.sub_window
    move(house, campaign_id, CampaignStatus.ACTIVE)
    # The batch was given back: nobody has to wait for a lease to run out.
    house.app.work.run_until_idle(house.clock)
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED
    assert house.simulator.journal.list_repeated() == []


def test_an_answer_after_the_lease_moved_on_counts_once_the_batch_is_in_history(house: House):
    campaign_id = start(house, 800)

    def oversleep() -> None:
        house.wait(LEASE_OVER)
        with house.app.state.write() as session:
            until = house.now + timedelta(seconds=5)
            assert ledger.lease_batch(session, campaign_id, "another", house.now, until)

    before_submit(house, oversleep)
    house.app.sending.submitting.run(campaign_id, house.clock)
    sub_window = house.app.settings.sub_window
    with house.app.state.read() as session:
        outcomes = ledger.list_recorded(session, f"{campaign_id}-1")
    assert {outcome.state for outcome in outcomes} == {LedgerState.UNKNOWN}
    assert len(outcomes) == sub_window
    house.wait(LEASE_OVER)
    house.app.work.run_until_idle(house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.pending_count, found.unknown_count, found.balances) == (0, 0, True)
    assert found.sent_count + sum(found.failed.values()) == 800
    with house.app.state.read() as session:
        assert not late_answers.list_due(session, 1)
    assert house.simulator.journal.list_repeated() == []


def test_an_outcome_that_stands_and_is_said_again_after_the_lease_moved_on_counts_once(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    # The store died between a commit and the word of it, and somebody else settled the batch meanwhile.
    campaign_id = start(house, 100)
    write = BatchRun._write
    said: list[Handed] = []

    def remembering(run: BatchRun, session: Session, handed: Handed | None, unsent: Sequence[OutboundMessage]) -> bool:
        said.extend([handed] if handed else [])
        return write(run, session, handed, unsent)

    monkeypatch.setattr(BatchRun, "_write", remembering)
    house.app.work.run_until_idle(house.clock)
    before = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert said
    with house.app.state.write() as session:
        for handed in said:
            late_answers.add_late_answers(session, handed.accepted_at(house.now + timedelta(seconds=1)))
    house.wait(timedelta(seconds=2))
    house.app.work.run_until_idle(house.clock)
    assert house.app.reports.reporting.reconciliation(house.viewer, campaign_id) == before


def test_answers_after_a_pause_longer_than_the_lease_count_when_nobody_took_the_batch(house: House):
    campaign_id = start(house, 800)
    before_submit(house, lambda: house.wait(LEASE_OVER))
    house.app.sending.submitting.run(campaign_id, house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.sent_count, found.unknown_count, found.balances) == (house.app.settings.sub_window, 0, True)
    house.app.work.run_until_idle(house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.sent_count, found.unknown_count, found.pending_count) == (800, 0, 0)
    assert house.simulator.journal.list_repeated() == []


def test_a_refusal_after_a_pause_longer_than_the_lease_leaves_nothing_unknown(house: House):
    campaign_id = start(house, 100)
    house.simulator.faults.unavailable = True
    before_submit(house, lambda: house.wait(LEASE_OVER))
    house.app.sending.submitting.run(campaign_id, house.clock)
    house.simulator.faults.unavailable = False
    house.app.work.run_until_idle(house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.sent_count, found.unknown_count, found.balances) == (100, 0, True)


@pytest.mark.parametrize("status", [CampaignStatus.PAUSED, CampaignStatus.ACTIVE, CampaignStatus.CANCELED])
def test_what_a_dead_worker_had_claimed_is_unknown_once_its_lease_is_over_whatever_the_campaign_waits_for(
    either_paying: House, monkeypatch: pytest.MonkeyPatch, status: CampaignStatus
):
    house, count = either_paying, BATCH + SUB_WINDOW
    campaign_id = frozen(house, count=count).campaign_id
    die_with_claims(house, house.campaign(campaign_id), monkeypatch)
    if status is not CampaignStatus.ACTIVE:
        move(house, campaign_id, status)
    house.app.work.run_until_idle(house.clock)

    def found() -> tuple[int, int, int]:
        numbers = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
        assert numbers.balances
        return numbers.sent_count, numbers.pending_count, numbers.unknown_count

    # It may be at work still.
    assert found()[2] == 0
    house.wait(LEASE_OVER)
    house.app.work.run_until_idle(house.clock)
    kept = {CampaignStatus.PAUSED: (0, count - SUB_WINDOW), CampaignStatus.CANCELED: (0, 0)}
    assert found() == (*kept.get(status, (count - SUB_WINDOW, 0)), SUB_WINDOW)
    # What may have been sent is paid for.
    assert spent(house) == (SUB_WINDOW + found()[0]) * CENTS
    assert house.app.work.find(house.now) == []
    if status is CampaignStatus.PAUSED:
        resume(house, house.campaign(campaign_id))
        house.app.work.run_until_idle(house.clock)
        assert found() == (count - SUB_WINDOW, 0, SUB_WINDOW)


def test_who_was_only_held_up_does_not_undo_that_its_claims_were_given_up(house: House):
    campaign_id = start(house, 100)

    def oversleep() -> None:
        move(house, campaign_id, CampaignStatus.PAUSED)
        house.wait(LEASE_OVER)
        house.app.work.run_until_idle(house.clock)

    before_submit(house, oversleep)
    house.app.sending.submitting.run(campaign_id, house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.unknown_count, found.sent_count, found.balances) == (100, 0, True)
    move(house, campaign_id, CampaignStatus.ACTIVE)
    house.app.work.run_until_idle(house.clock)
    assert house.simulator.journal.list_repeated() == []


def test_a_gateway_that_is_down_does_not_hold_its_thread(house: House):
    campaign_id = start(house, 100)
    house.simulator.faults.unavailable = True
    house.app.sending.submitting._stop = Naps(house)
    began = house.now
    house.app.sending.submitting.run(campaign_id, house.clock)
    assert timedelta(seconds=5) < house.now - began < timedelta(seconds=30)
    # The batch waits for its next turn, with nothing lost.
    assert house.app.sending.submitting.list_sendable(house.now) == [campaign_id]
    house.simulator.faults.unavailable = False
    house.app.work.run_until_idle(house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.pending_count, found.balances) == (0, True)


def test_a_slow_account_does_not_hold_its_thread(house: House):
    campaign_id = start(house, 100)
    house.app.sending.submitting._stop = Naps(house)
    with house.app.state.write() as session:
        accounts.set_rate(session, house.account.account_id, 1)
    began = house.now
    house.app.sending.submitting.run(campaign_id, house.clock)
    assert house.now - began < timedelta(seconds=30)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert found.balances
    assert 60 < found.pending_count < 100
    assert house.app.sending.submitting.list_sendable(house.now) == [campaign_id]


def test_an_audience_frozen_by_two_workers_is_sent_once(house: House, monkeypatch: pytest.MonkeyPatch):
    campaign_id = house.launch(house.upload(contacts(50)).list_id).campaign_id
    audiences = house.app.campaigns.launching._tools.audiences
    freeze = audiences.freeze

    def slept(spec: FreezeSpec) -> FrozenAudience:
        frozen = freeze(spec)
        monkeypatch.setattr(audiences, "freeze", freeze)
        house.wait(LEASE_OVER)
        house.app.campaigns.launching.freeze(campaign_id, house.clock)
        return frozen

    monkeypatch.setattr(audiences, "freeze", slept)
    house.app.campaigns.launching.freeze(campaign_id, house.clock)
    house.app.work.run_until_idle(house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.audience_count, found.pending_count, found.balances) == (50, 0, True)
    assert house.simulator.journal.list_repeated() == []


@pytest.mark.parametrize("error", [InvalidInput("Not like this.", hint="Like that."), RuntimeError("a defect")])
def test_an_audience_that_cannot_be_frozen_can_be_launched_again_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    campaign_id = house.launch(house.upload(contacts(5)).list_id).campaign_id

    def broken(_spec: FreezeSpec) -> FrozenAudience:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(house.app.campaigns.launching._tools.audiences, "freeze", broken)
        try_to(lambda: house.app.campaigns.launching.freeze(campaign_id, house.clock), error)
    stopped = house.campaign(campaign_id)
    assert stopped.status is CampaignStatus.INACTIVE
    assert stopped.fault
    house.app.campaigns.launching.launch(house.viewer, campaign_id, house.now)
    # No lease is left over that somebody would have to wait for.
    assert house.app.campaigns.launching.list_processing(house.now) == [campaign_id]
    house.app.work.run_until_idle(house.clock)
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED
    assert house.campaign(campaign_id).fault == ""


def test_a_worker_that_fails_late_does_not_undo_what_another_did(house: House, monkeypatch: pytest.MonkeyPatch):
    campaign_id = house.launch(house.upload(contacts(5)).list_id).campaign_id
    audiences = house.app.campaigns.launching._tools.audiences
    freeze = audiences.freeze

    def overtaken(_spec: FreezeSpec) -> FrozenAudience:
        monkeypatch.setattr(audiences, "freeze", freeze)
        house.wait(LEASE_OVER)
        house.app.campaigns.launching.freeze(campaign_id, house.clock)
        raise InvalidInput("Not like this.")

    monkeypatch.setattr(audiences, "freeze", overtaken)
    house.app.campaigns.launching.freeze(campaign_id, house.clock)
    assert house.campaign(campaign_id).status is CampaignStatus.ACTIVE
    assert house.campaign(campaign_id).fault == ""


def test_a_list_imported_by_two_workers_is_ready_with_the_right_counts(house: House, monkeypatch: pytest.MonkeyPatch):
    tables = EntryReader.tables

    def overtaken(reader: EntryReader) -> object:
        monkeypatch.setattr(EntryReader, "tables", tables)
        house.wait(LEASE_OVER)
        (waiting,) = house.app.lists.list_waiting(house.now)
        house.app.lists.run(waiting, house.clock)
        return tables(reader)

    monkeypatch.setattr(EntryReader, "tables", overtaken)
    found = house.upload(contacts(20) + "12345,Nobody,\n")
    assert (found.status, found.read_count, found.entry_count, found.rejected_count) == (ListStatus.READY, 21, 20, 1)
    assert house.app.lists.preview(house.viewer, found.list_id, 0, 100).num_rows == 20
    assert b"12345" in house.app.lists.rejected_csv(house.viewer, found.list_id)


def test_a_worker_that_finds_the_file_gone_does_not_fault_a_ready_list(house: House, monkeypatch: pytest.MonkeyPatch):
    read = house.app.lists._read

    def overtaken(list_id: str, lease: Lease) -> object:
        monkeypatch.setattr(house.app.lists, "_read", read)
        house.wait(LEASE_OVER)
        house.app.lists.run(list_id, house.clock)
        return read(list_id, lease)

    monkeypatch.setattr(house.app.lists, "_read", overtaken)
    with pytest.raises(FileNotFoundError):
        house.upload(contacts(20))
    (found,) = house.app.lists.page_ready(house.viewer, house.account.account_id, PageRequest()).items
    assert (found.status, found.entry_count, found.fault) == (ListStatus.READY, 20, "")


def try_to(action: Callable[[], None], error: Exception) -> None:
    """Do it; a defect is raised, so that it is logged, while what a person did wrong is not."""
    if isinstance(error, InvalidInput):
        action()
        return
    with pytest.raises(type(error)):
        action()
