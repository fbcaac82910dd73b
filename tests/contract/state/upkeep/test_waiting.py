"""One question sees what each kind of work lists: nothing waits for a worker that the worker does not hear of."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from core.domain.accounts.suppressions import SuppressionImport, SuppressionImportStatus
from core.domain.campaigns.campaigns import OVERDUE_AFTER, CampaignStatus
from core.domain.messages.replies import Keyword
from core.domain.reports.exports import ExportStatus
from core.services.work_queue import WorkKind
from core.state.accounts import accounts, gateways
from core.state.campaigns import campaigns, ledger, receipts, replies
from core.state.campaigns.ledger import Batch, Claim
from core.state.campaigns.replies import HeardReply
from core.state.engine.store import State
from core.state.imports import lists, traffic_imports
from core.state.people import users
from core.state.reports import exports
from core.state.suppressions import imports as suppression_imports
from core.state.tables.base import Base
from core.state.tables.models import BatchRow, CampaignRow, DemoRow, ExportRow, ListRow, TrafficImportRow
from core.state.tables.suppression_models import SuppressionImportRow
from core.state.upkeep import installation
from core.state.upkeep.waiting import Waiting, look
from tests.support.application.factories import (
    NOW,
    make_account,
    make_campaign,
    make_list,
    make_receipt,
    make_reply,
    make_user,
)
from tests.support.application.house import make_house

LEASE = timedelta(seconds=15)


def add_demo(session: Session) -> None:
    installation.request_demo(session, "user-1", NOW)


def add_list(session: Session) -> None:
    lists.add_list(session, make_list())


def add_import(session: Session) -> None:
    facts = {"user_id": "user-1", "file_name": "cdr.csv", "columns": [], "signature": "", "mapping": {}}
    row = TrafficImportRow(
        import_id="import-1", account_id="account-1", status="In Progress", created_at=NOW, created_by="Ada", **facts
    )
    session.add(row)


def add_export(session: Session) -> None:
    facts = {"user_id": "user-1", "name": "a", "format": "csv", "request": "{}", "account_ids": []}
    session.add(ExportRow(export_id="export-1", status=ExportStatus.WAITING, created_at=NOW, expires_at=NOW, **facts))


def add_campaign(session: Session, status: CampaignStatus, **facts: object) -> None:
    campaigns.add_campaign(session, make_campaign(status=status, **facts))


def add_due(session: Session) -> None:
    add_campaign(session, CampaignStatus.SCHEDULED, schedule_at=NOW)


def add_suppression_import(session: Session) -> None:
    status = SuppressionImportStatus.IN_PROGRESS
    new = SuppressionImport("import-1", "account-1", "opt-outs.csv", "", status, NOW, "Ada")
    suppression_imports.add_import(session, new)


def add_processing(session: Session) -> None:
    add_campaign(session, CampaignStatus.PROCESSING, launched_at=NOW)


def add_canceled(session: Session) -> None:
    add_campaign(session, CampaignStatus.CANCELED, launched_at=NOW)
    ledger.add_batches(session, "campaign-1", [(1, 1)])


def add_sendable(session: Session) -> None:
    add_campaign(session, CampaignStatus.ACTIVE, launched_at=NOW)
    ledger.add_batches(session, "campaign-1", [(1, 1)])


def add_abandoned(session: Session) -> None:
    add_campaign(session, CampaignStatus.PAUSED, launched_at=NOW)
    ledger.add_batches(session, "campaign-1", [(1, 1)])
    batch = Batch("campaign-1-1", "campaign-1", 1, 1)
    ledger.claim(session, batch, [Claim("message-1", "+491796000000", "simulator")], NOW)
    session.query(BatchRow).update({"lease_owner": "somebody", "lease_until": NOW - LEASE})


# Who makes it wait, who lists it, and what is leased by whoever does it; a start is leased by nobody.
Kind = tuple[Callable[[Session], None], Callable[[Session, datetime], list[str]], type[Base] | None]
KINDS: dict[WorkKind, Kind] = {
    WorkKind.DEMO: (add_demo, installation.list_demo_requests, DemoRow),
    WorkKind.IMPORT: (add_list, lists.list_waiting, ListRow),
    WorkKind.TRAFFIC: (add_import, traffic_imports.list_waiting, TrafficImportRow),
    WorkKind.START: (add_due, campaigns.list_due, None),
    WorkKind.SUPPRESSIONS: (add_suppression_import, suppression_imports.list_waiting, SuppressionImportRow),
    WorkKind.FREEZE: (add_processing, campaigns.list_processing, CampaignRow),
    WorkKind.CANCEL: (add_canceled, campaigns.list_canceled_open, BatchRow),
    WorkKind.EXPORT: (add_export, exports.list_waiting, ExportRow),
    WorkKind.SEND: (add_sendable, ledger.list_sendable, BatchRow),
    WorkKind.GIVE_UP: (add_abandoned, ledger.list_abandoned, BatchRow),
}


@pytest.fixture
def store(state: State) -> State:
    with state.write() as session:
        users.add_user(session, make_user(), NOW)
        accounts.add_account(session, make_account(), NOW)
    return state


def look_at(store: State, now: datetime) -> Waiting:
    with store.ask() as connection:
        return look(connection, now)


def is_heard(store: State, now: datetime) -> bool:
    return look_at(store, now).has_work


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_work_is_heard_of_while_it_waits(store: State, kind: WorkKind):
    add, list_waiting, leased = KINDS[kind]
    assert not is_heard(store, NOW)
    with store.write() as session:
        add(session)
    with store.write() as session:
        assert len(list_waiting(session, NOW)) == 1
    assert is_heard(store, NOW)
    if leased is None:
        return
    with store.write() as session:
        session.query(leased).update({"lease_until": NOW + LEASE})
    assert not is_heard(store, NOW)
    # Whoever took it has died.
    assert is_heard(store, NOW + LEASE * 2)


def test_a_start_is_heard_of_from_its_time_until_it_is_overdue(store: State):
    with store.write() as session:
        add_due(session)
    assert not is_heard(store, NOW - timedelta(seconds=1))
    assert is_heard(store, NOW + OVERDUE_AFTER - timedelta(seconds=1))
    assert not is_heard(store, NOW + OVERDUE_AFTER)


def test_receipts_are_heard_of_when_they_are_due(store: State):
    with store.write() as session:
        receipts.add_receipts(session, [make_receipt()], NOW)
    for now, is_due in {NOW - timedelta(seconds=1): False, NOW: True}.items():
        with store.read() as session:
            assert receipts.is_any_due(session, now) is is_due
        # Nobody is told of work because of them.
        assert look_at(store, now) == Waiting(
            has_work=False, has_receipts=is_due, has_replies=False, gateways={"simulator": 1}
        )


def test_replies_are_heard_of_when_they_are_due(store: State):
    with store.write() as session:
        replies.add_replies(session, [HeardReply(make_reply(), "+491796000001", Keyword.NONE, ())], NOW)
    for now, is_due in {NOW - timedelta(seconds=1): False, NOW: True}.items():
        assert look_at(store, now) == Waiting(
            has_work=False, has_receipts=False, has_replies=is_due, gateways={"simulator": 1}
        )


def test_a_gateway_that_fails_is_heard_of_until_it_works(store: State):
    assert not look_at(store, NOW).has_failing_gateways
    with store.write() as session:
        gateways.set_failing(session, "simulator", "Nothing listens.", NOW, needs_person=False)
    assert look_at(store, NOW).has_failing_gateways
    with store.write() as session:
        gateways.set_working(session, "simulator", NOW)
    assert not look_at(store, NOW).has_failing_gateways


def test_gateways_that_no_account_uses_any_more_are_asked_too(state: State):
    assert look_at(state, NOW) == Waiting(
        has_work=False, has_receipts=False, has_replies=False, gateways={"simulator": 1}
    )


def test_a_look_that_finds_nothing_is_one_question(tmp_path: Path):
    house = make_house(tmp_path)
    asked: list[str] = []
    event.listen(house.app.state._engine, "before_cursor_execute", lambda *called: asked.append(called[2]))
    assert house.app.work.find(house.now, [WorkKind.RECEIPTS, WorkKind.REPLIES]) == []
    assert [sql.split()[0] for sql in asked] == ["BEGIN", "SELECT"]
    house.app.close()


def test_no_kind_that_is_found_is_left_out(tmp_path: Path):
    house = make_house(tmp_path)
    assert house.app.work._found.keys() == KINDS.keys()
    house.app.close()
