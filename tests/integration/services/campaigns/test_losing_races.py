"""Who is second reads who was first, and what happened; never the names of states."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.people.permissions import Viewer
from core.errors import AppError, Conflict, InvalidTransition
from core.services.people.adding_people import NewPerson
from core.state.people import users
from tests.integration.services import steps
from tests.support.application.house import House, contacts

STATES = [status.value for status in CampaignStatus if status not in (CampaignStatus.ACTIVE, CampaignStatus.INACTIVE)]


@pytest.fixture
def maria(house: House) -> Viewer:
    person = house.app.people.adding.add(NewPerson("Maria", "maria@example.com", "Heliograph-test-2"), house.now)
    house.app.accounts.managing.join(person.user_id, house.account.account_id)
    with house.app.state.read() as session:
        found = users.find_viewer(session, person.user_id)
    assert found is not None
    return found


@pytest.fixture
def draft_id(house: House) -> str:
    return steps.save(house, house.upload(contacts(3)).list_id).campaign_id


def told(action: Callable[[], object]) -> str:
    with pytest.raises(AppError) as caught:
        action()
    assert isinstance(caught.value, InvalidTransition | Conflict)
    assert caught.value.hint
    assert not any(f"is {state}" in caught.value.message for state in STATES), caught.value.message
    return caught.value.message


def launched(house: House, viewer: Viewer, draft_id: str) -> str:
    house.app.campaigns.launching.launch(viewer, draft_id, house.now)
    house.app.campaigns.launching.freeze(draft_id, house.clock)
    return draft_id


def test_a_second_launch_reads_who_launched(house: House, maria: Viewer, draft_id: str):
    house.app.campaigns.launching.launch(maria, draft_id, house.now)
    assert told(lambda: house.app.campaigns.launching.launch(house.viewer, draft_id, house.now)) == (
        "Spring greeting: Maria has just launched it."
    )
    assert "You have just launched it." in told(
        lambda: house.app.campaigns.launching.launch(maria, draft_id, house.now)
    )
    house.wait(timedelta(hours=1))
    again = told(lambda: house.app.campaigns.launching.launch(house.viewer, draft_id, house.now))
    assert "Maria has already launched it." in again


def test_a_launch_overtaken_at_the_last_moment_reads_the_same(
    house: House, maria: Viewer, draft_id: str, monkeypatch: pytest.MonkeyPatch
):
    count = house.app.campaigns.preflighting.count

    def overtaken(*arguments: object) -> object:
        found = count(*arguments)
        monkeypatch.setattr(house.app.campaigns.preflighting, "count", count)
        house.app.campaigns.launching.launch(maria, draft_id, house.now)
        return found

    monkeypatch.setattr(house.app.campaigns.preflighting, "count", overtaken)
    assert "Maria has just launched it." in told(
        lambda: house.app.campaigns.launching.launch(house.viewer, draft_id, house.now)
    )


@pytest.mark.parametrize("action", ["pause", "resume", "cancel", "unschedule"])
def test_what_comes_after_a_cancellation_reads_who_canceled(house: House, maria: Viewer, draft_id: str, action: str):
    launched(house, house.viewer, draft_id)
    house.app.campaigns.controlling.cancel(maria, draft_id, house.now)
    message = told(lambda: getattr(house.app.campaigns.controlling, action)(house.viewer, draft_id, house.now))
    assert message == "Spring greeting: Maria has just canceled it."


def test_a_second_pause_reads_who_paused(house: House, maria: Viewer, draft_id: str):
    launched(house, house.viewer, draft_id)
    house.app.campaigns.controlling.pause(maria, draft_id, house.now)
    assert "Maria has just paused it." in told(
        lambda: house.app.campaigns.controlling.pause(house.viewer, draft_id, house.now)
    )


def test_a_second_resumption_reads_who_resumed(house: House, maria: Viewer, draft_id: str):
    launched(house, house.viewer, draft_id)
    house.app.campaigns.controlling.pause(house.viewer, draft_id, house.now)
    house.app.campaigns.controlling.resume(maria, draft_id, house.now)
    assert "Maria has just resumed it." in told(
        lambda: house.app.campaigns.controlling.resume(house.viewer, draft_id, house.now)
    )


def test_what_comes_when_all_is_sent_reads_so(house: House, draft_id: str):
    launched(house, house.viewer, draft_id)
    steps.work(house)
    assert "It has already been sent completely." in told(
        lambda: house.app.campaigns.controlling.cancel(house.viewer, draft_id, house.now)
    )


def test_a_pause_that_the_worker_made_reads_why(house: House, draft_id: str):
    launched(house, house.viewer, draft_id)
    house.simulator.faults.bad_credentials = True
    house.app.sending.submitting.run(draft_id, house.clock)
    assert "refuses these credentials" in told(
        lambda: house.app.campaigns.controlling.pause(house.viewer, draft_id, house.now)
    )


def test_an_edit_of_what_was_launched_meanwhile_reads_so(house: House, maria: Viewer, draft_id: str):
    seen = house.campaign(draft_id)
    launched(house, maria, draft_id)
    assert "launched in the meantime" in told(
        lambda: house.app.campaigns.composing.save(
            house.viewer, house.draft(seen.list_ids[0]), house.now, campaign_id=draft_id, version=seen.version
        )
    )
