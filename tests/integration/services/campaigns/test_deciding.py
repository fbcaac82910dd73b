"""Deciding: what changes between a look and the click is judged in the transaction that moves the campaign."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any
from uuid import uuid4

import pytest

from core.domain.accounts.accounts import AccountStatus
from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.imports.lists import ListStatus
from core.domain.people.people import UserStatus
from core.domain.people.permissions import Permission, Viewer
from core.errors import AppError, Conflict, Forbidden, InvalidInput, NotFound
from core.history.lake.connection import Lake
from core.services.campaigns.deciding import decide_sender
from core.services.campaigns.limiting import OwnLimits
from core.services.campaigns.quick_sending import QuickMessage
from core.services.people.adding_people import NewPerson
from core.state.accounts import accounts
from core.state.campaigns import campaigns
from core.state.engine.store import State
from core.state.imports import lists
from core.state.people import users
from tests.integration.services import steps
from tests.support.application.house import PASSWORD, House, contacts

COUNT, CENTS = 10, 5
COST = COUNT * CENTS


@pytest.fixture
def maria(house: House) -> Viewer:
    """Somebody who may send, and whom nobody needs afterwards."""
    new = NewPerson("Maria", "maria@example.com", PASSWORD, "Campaign manager")
    added = house.app.people.adding.add(new, house.now)
    house.app.accounts.managing.join(added.user_id, house.account.account_id)
    with house.app.state.read() as session:
        found = users.find_viewer(session, added.user_id)
    assert found is not None
    return found


@pytest.fixture
def draft(house: House) -> Campaign:
    steps.price(house, str(CENTS))
    return steps.save(house, house.upload(contacts(COUNT)).list_id)


def take_permission(house: House, maria: Viewer) -> None:
    with house.app.state.write() as session:
        left = maria.permissions - {Permission.CAMPAIGN, Permission.QUICK_SEND}
        users.set_access(session, maria.user_id, left, maria.account_ids)


def take_account(house: House, maria: Viewer) -> None:
    with house.app.state.write() as session:
        users.set_access(session, maria.user_id, maria.permissions, ())


def deactivate_person(house: House, maria: Viewer) -> None:
    with house.app.state.write() as session:
        users.move_person(session, maria.user_id, UserStatus.INACTIVE)


def delete_person(house: House, maria: Viewer) -> None:
    with house.app.state.write() as session:
        users.delete_person(session, maria.user_id)


def deactivate_account(house: House, _maria: Viewer) -> None:
    with house.app.state.write() as session:
        accounts.set_status(session, house.account.account_id, AccountStatus.INACTIVE)


def activate_account(house: House, account_id: str) -> None:
    with house.app.state.write() as session:
        accounts.set_status(session, account_id, AccountStatus.ACTIVE)


CLOSINGS: list[Callable[[House, Viewer], None]] = [
    take_permission,
    take_account,
    deactivate_person,
    delete_person,
    deactivate_account,
]


def assert_nothing_goes(house: House, campaign_id: str, status: CampaignStatus) -> None:
    steps.work(house)
    assert house.campaign(campaign_id).status is status
    assert steps.receivers(house) == []


@pytest.mark.parametrize("close", CLOSINGS)
def test_who_may_not_send_any_more_launches_nothing(
    house: House, maria: Viewer, draft: Campaign, close: Callable[[House, Viewer], None]
):
    look = house.app.campaigns.preflighting.look(maria, draft.campaign_id, house.now)
    close(house, maria)
    with pytest.raises(Forbidden, match=r"may (not|no longer) send") as caught:
        house.app.campaigns.launching.decide(maria, look, house.now)
    assert caught.value.hint
    assert_nothing_goes(house, draft.campaign_id, CampaignStatus.INACTIVE)


@pytest.mark.parametrize("close", [take_permission, take_account, deactivate_person, delete_person])
def test_nor_lets_a_campaign_under_way_spend_more_or_go_faster(
    house: House, maria: Viewer, draft: Campaign, close: Callable[[House, Viewer], None]
):
    steps.launch(house, draft)
    close(house, maria)
    with pytest.raises(Forbidden, match="no longer send") as caught:
        house.app.campaigns.limiting.change(maria, draft.campaign_id, OwnLimits(), OwnLimits(None, 5), house.now)
    assert caught.value.hint
    assert house.campaign(draft.campaign_id).rate_tps is None


def test_nor_who_never_might(house: House, maria: Viewer, draft: Campaign):
    # The store would let her: a session that is older than what she was given is judged by what it knows.
    look = house.app.campaigns.preflighting.look(house.viewer, draft.campaign_id, house.now)
    account_id = draft.account_id
    without, elsewhere = replace(maria, permissions=frozenset()), replace(maria, account_ids=frozenset())
    with house.app.state.write() as session:
        with pytest.raises(Forbidden, match="needs the permission"):
            decide_sender(session, without, Permission.CAMPAIGN, account_id)
        with pytest.raises(NotFound):
            decide_sender(session, elsewhere, Permission.CAMPAIGN, account_id)
    # Nor is anybody told how another account's campaign stands.
    with pytest.raises(NotFound):
        house.app.campaigns.launching.decide(elsewhere, look, house.now, "of another look")
    assert_nothing_goes(house, draft.campaign_id, CampaignStatus.INACTIVE)


@pytest.mark.parametrize("close", CLOSINGS)
def test_nor_is_a_quick_send_sent(
    house: House, maria: Viewer, monkeypatch: pytest.MonkeyPatch, close: Callable[[House, Viewer], None]
):
    service = house.app.campaigns.quick_sending
    estimate = service._estimate

    def closed(*arguments: Any) -> object:
        found = estimate(*arguments)
        close(house, maria)
        return found

    monkeypatch.setattr(service, "_estimate", closed)
    order = QuickMessage(str(uuid4()), house.account.account_id, "HELIOGRAPH", ("+491796000001",), "Hello")
    with pytest.raises(Forbidden, match=r"may (not|no longer) send"):
        service.send(maria, order, house.now)
    steps.work(house)
    assert steps.receivers(house) == []


@pytest.mark.parametrize("close", CLOSINGS)
def test_nor_is_a_pause_ended_or_an_overdue_campaign_started(
    house: House, maria: Viewer, draft: Campaign, close: Callable[[House, Viewer], None]
):
    account_id = house.account.account_id
    steps.launch(house, draft)
    house.app.campaigns.launching.freeze(draft.campaign_id, house.clock)
    house.app.campaigns.controlling.pause(house.viewer, draft.campaign_id, house.now)
    at = house.now + timedelta(hours=1)
    overdue = house.launch(draft.list_ids[0], name="Later", schedule_at=at)
    house.wait(timedelta(days=1))
    close(house, maria)
    for action in (house.app.campaigns.controlling.resume, house.app.campaigns.launching.start_overdue):
        campaign_id = draft.campaign_id if action.__name__ == "resume" else overdue.campaign_id
        with pytest.raises(Forbidden, match=r"may (not|no longer) send"):
            action(maria, campaign_id, house.now)
    activate_account(house, account_id)
    assert_nothing_goes(house, draft.campaign_id, CampaignStatus.PAUSED)
    assert house.campaign(overdue.campaign_id).status is CampaignStatus.SCHEDULED


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        (COST, COST - 1, InvalidInput),
        (None, 10 * COST, Conflict),
        (COST, None, None),
        (COST - 1, COST, None),
        (COST, 2 * COST, None),
    ],
)
def test_a_budget_that_was_changed_since_counts_as_it_is_now(
    house: House, draft: Campaign, before: int | None, after: int | None, error: type[AppError] | None
):
    steps.set_budget(house, None if before is None else str(before))
    look = house.app.campaigns.preflighting.look(house.viewer, draft.campaign_id, house.now)
    steps.set_budget(house, None if after is None else str(after))
    if error is None and not look.preflight.is_beyond_budget:
        started = house.app.campaigns.launching.decide(house.viewer, look, house.now)
        assert started.status is CampaignStatus.PROCESSING
        return
    # What a person has seen forbidden is not launched behind his or her back.
    with pytest.raises(error or InvalidInput, match="budget") as caught:
        house.app.campaigns.launching.decide(house.viewer, look, house.now)
    assert caught.value.hint
    assert_nothing_goes(house, draft.campaign_id, CampaignStatus.INACTIVE)


def test_what_is_sent_while_the_rows_are_counted_is_spent_once(
    house: House, draft: Campaign, monkeypatch: pytest.MonkeyPatch
):
    steps.set_budget(house, str(2 * COST))
    other = house.launch(draft.list_ids[0], name="Another")
    house.app.campaigns.launching.freeze(other.campaign_id, house.clock)
    audiences = house.app.campaigns.preflighting._audiences
    count = audiences.count

    def slow(*arguments: Any) -> object:
        # What was under way when the draft was read is sent and settled by the time its rows are counted.
        steps.work(house)
        return count(*arguments)

    monkeypatch.setattr(audiences, "count", slow)
    look = house.app.campaigns.preflighting.look(house.viewer, draft.campaign_id, house.now)
    assert look.preflight.budget_left_eur_cents == COST
    assert house.app.campaigns.launching.decide(house.viewer, look, house.now).status is CampaignStatus.PROCESSING


@pytest.mark.parametrize("gone", [True, False], ids=["deleted", "not ready"])
def test_a_list_that_cannot_be_sent_to_any_more_stops_it(house: House, draft: Campaign, gone: bool):
    look = house.app.campaigns.preflighting.look(house.viewer, draft.campaign_id, house.now)
    if gone:
        house.app.lists.delete(house.viewer, draft.list_ids[0], house.now)
    else:
        with house.app.state.write() as session:
            lists.finish_import(session, draft.list_ids[0], ListStatus.FAULTED, "It cannot be read.")
    with pytest.raises(InvalidInput, match=r"no longer exists|is Faulted") as caught:
        house.app.campaigns.launching.decide(house.viewer, look, house.now)
    assert caught.value.field == "list_id"
    assert_nothing_goes(house, draft.campaign_id, CampaignStatus.INACTIVE)


def test_a_list_that_is_refused_to_be_deleted_is_still_there(house: House, draft: Campaign):
    steps.launch(house, draft)
    with pytest.raises(Conflict, match="reading this list right now"):
        house.app.lists.delete(house.viewer, draft.list_ids[0], house.now)
    assert house.app.lists.get(house.viewer, draft.list_ids[0]).status is ListStatus.READY


def test_of_a_launch_and_a_deletion_of_its_list_at_once_one_is_refused(either: House):
    for number in range(4):
        draft = steps.save(either, either.upload(contacts(COUNT), f"List {number}").list_id, name=f"Round {number}")
        look = either.app.campaigns.preflighting.look(either.viewer, draft.campaign_id, either.now)
        launched, deleted = steps.at_once(
            [
                lambda look=look: either.app.campaigns.launching.decide(either.viewer, look, either.now),
                lambda draft=draft: either.app.lists.delete(either.viewer, draft.list_ids[0], either.now),
            ]
        )
        assert (isinstance(launched, Campaign), isinstance(deleted, Conflict)) in {(True, True), (False, False)}
        steps.work(either)
        wanted = CampaignStatus.COMPLETED if isinstance(launched, Campaign) else CampaignStatus.INACTIVE
        assert either.campaign(draft.campaign_id).status is wanted


def test_a_launch_that_is_being_written_keeps_its_list(either: House, monkeypatch: pytest.MonkeyPatch):
    draft = steps.save(either, either.upload(contacts(COUNT)).list_id)
    look = either.app.campaigns.preflighting.look(either.viewer, draft.campaign_id, either.now)
    decided, looked = Event(), Event()
    move, find = campaigns.move_from, campaigns.find_reader

    def moved(*arguments: Any, **values: Any) -> Campaign:
        found = move(*arguments, **values)
        decided.set()
        # On SQLite, the other one waits for this transaction; on PostgreSQL, for the list.
        looked.wait(1)
        return found

    def noted(*arguments: Any) -> Campaign | None:
        reader = find(*arguments)
        # Not before: the launch must not be written until this one has looked, if it looks before it waits.
        looked.set()
        return reader

    monkeypatch.setattr(campaigns, "move_from", moved)
    monkeypatch.setattr(campaigns, "find_reader", noted)

    def delete() -> None:
        # So that its connection is there, and no time is lost on it later.
        either.app.lists.get(either.viewer, draft.list_ids[0])
        assert decided.wait(steps.PATIENCE_S)
        either.app.lists.delete(either.viewer, draft.list_ids[0], either.now)

    def launch() -> Campaign:
        return either.app.campaigns.launching.decide(either.viewer, look, either.now)

    launched, deleted = steps.at_once([launch, delete])
    assert (type(launched), type(deleted)) == (Campaign, Conflict)


def test_a_look_is_one_reading_and_a_decision_one_transaction(
    house: House, draft: Campaign, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    for name in ("read", "write"):
        monkeypatch.setattr(State, name, told(getattr(State, name), name, asked))
    for name in ("read", "write", "keep_scratch"):
        monkeypatch.setattr(Lake, name, told(getattr(Lake, name), f"lake {name}", asked))
    preflighting, launching = house.app.campaigns.preflighting, house.app.campaigns.launching
    first = preflighting.look(house.viewer, draft.campaign_id, house.now)
    assert asked[0] == "read"
    assert {name for name in asked[1:] if not name.startswith("lake")} == set()
    asked.clear()
    # What has been counted is not counted again.
    look = preflighting.look(house.viewer, draft.campaign_id, house.now)
    launching.decide(house.viewer, look, house.now, first.preflight.fingerprint)
    assert asked == ["read", "write"]


def told(method: Callable[..., Any], name: str, asked: list[str]) -> Callable[..., Any]:
    """Note each call of a method."""
    if name in {"read", "write", "lake read"}:

        @contextmanager
        def opened(self: object) -> Iterator[Any]:
            asked.append(name)
            with method(self) as found:
                yield found

        return opened

    def called(self: object, *arguments: Any) -> Any:
        asked.append(name)
        return method(self, *arguments)

    return called
