"""Scheduled campaigns whose time comes while somebody takes them off the schedule, or closes their account."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.errors import InvalidTransition
from core.state.campaigns import campaigns
from tests.integration.services import steps
from tests.support.application.house import House, contacts

COUNT = 3
# Who comes second waits for the first one's transaction, on SQLite, or for the row that it has locked, on PostgreSQL:
# whoever is not done after so long does wait.
WAITS_S = 1.0


@pytest.fixture
def due(either: House) -> Campaign:
    campaign = either.launch(either.upload(contacts(COUNT)).list_id, schedule_at=either.now + timedelta(hours=1))
    either.wait(timedelta(hours=1))
    # So that no time is lost on it later.
    either.app.campaigns.composing.get(either.viewer, campaign.campaign_id)
    return campaign


class Between:
    """Lets the second come once the first is in the middle of its transaction, and go on when the second is done."""

    def __init__(self) -> None:
        self._first, self._second = Event(), Event()
        self.overtaken: list[bool] = []

    def within(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """Return a *step* of the first one's transaction after which the second comes."""

        def stepped(*arguments: Any, **values: Any) -> Any:
            found = step(*arguments, **values)
            if not self._first.is_set():
                self._first.set()
                self.overtaken.append(self._second.wait(WAITS_S))
            return found

        return stepped

    def run(self, first: Callable[[], object], second: Callable[[], object]) -> list[object]:
        """Return what each returned or raised."""

        def come_second() -> object:
            assert self._first.wait(steps.PATIENCE_S)
            try:
                return second()
            finally:
                self._second.set()

        return steps.at_once([first, come_second])


@pytest.fixture
def between() -> Between:
    return Between()


def start(house: House, campaign: Campaign) -> Callable[[], None]:
    return lambda: house.app.campaigns.launching.start(campaign.campaign_id, house.clock)


def close(house: House) -> Callable[[], object]:
    return lambda: house.app.accounts.managing.deactivate(house.viewer, house.account.account_id, house.now)


def unschedule(house: House, campaign: Campaign) -> Callable[[], object]:
    return lambda: house.app.campaigns.controlling.unschedule(house.viewer, campaign.campaign_id, house.now)


def test_an_account_is_not_closed_between_the_look_at_it_and_the_start(
    either: House, due: Campaign, between: Between, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(campaigns, "move_from", between.within(campaigns.move_from))
    started, closed = between.run(start(either, due), close(either))
    assert (started, between.overtaken) == (None, [False])
    assert not isinstance(closed, Exception)
    assert either.campaign(due.campaign_id).status is CampaignStatus.PROCESSING


def test_what_starts_while_its_account_is_being_closed_does_not(
    either: House, due: Campaign, between: Between, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(campaigns, "list_active", between.within(campaigns.list_active))
    closed, started = between.run(close(either), start(either, due))
    assert (started, between.overtaken) == (None, [False])
    assert not isinstance(closed, Exception)
    found = either.campaign(due.campaign_id)
    assert (found.status, "may no longer send" in found.fault) == (CampaignStatus.INACTIVE, True)
    steps.work(either)
    assert steps.receivers(either) == []


def test_what_is_being_taken_off_the_schedule_does_not_start(
    either: House, due: Campaign, between: Between, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(campaigns, "move_from", between.within(campaigns.move_from))
    unscheduled, started = between.run(unschedule(either, due), start(either, due))
    assert isinstance(unscheduled, Campaign)
    assert (started, between.overtaken) == (None, [False])
    assert either.campaign(due.campaign_id).status is CampaignStatus.INACTIVE
    steps.work(either)
    assert steps.receivers(either) == []


def test_what_is_being_started_is_not_taken_off_the_schedule(
    either: House, due: Campaign, between: Between, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(campaigns, "move_from", between.within(campaigns.move_from))
    started, unscheduled = between.run(start(either, due), unschedule(either, due))
    assert (started, between.overtaken) == (None, [False])
    assert isinstance(unscheduled, InvalidTransition)
    steps.work(either)
    assert either.campaign(due.campaign_id).status is CampaignStatus.COMPLETED
    assert len(steps.receivers(either)) == len(set(steps.receivers(either))) == COUNT


def test_workers_that_start_it_at_once_start_it_once(either: House, due: Campaign):
    assert steps.at_once([start(either, due)] * 4) == [None] * 4
    steps.work(either)
    assert len(steps.receivers(either)) == len(set(steps.receivers(either))) == COUNT
