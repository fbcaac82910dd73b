"""Rolling up: what is missing is built, what differs is found and repaired, and only auditors may look."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from core.errors import Forbidden
from core.history.lake.connection import Lake
from core.history.lake.watch import ChangeWatch
from core.history.messages.message_store import MessageStore
from core.history.numbers.number_index import NumberIndex
from core.history.rollups.rollups import MonthOfCalendar, Rollups
from core.services.leases import Leases
from core.services.people.adding_people import NewPerson
from core.services.upkeep.rolling_up import RollingUp
from core.services.upkeep.settled import Settled
from core.services.work_queue import REFRESHING, Work, WorkKind
from core.state.tables.people_models import UserRow
from tests.support.application.house import PASSWORD, House
from tests.support.processes.waiting import wait_until
from tests.support.stores.messages import make_message, message_table, unsent_table


def record(house: House, *batches: str) -> None:
    for batch in batches:
        table = message_table(*(make_message(account=house.account.account_id, sent_at=house.now) for _ in range(5)))
        MessageStore(house.app.lake).append_batch(batch, "campaign-1", table, unsent_table(), house.now)


def months(house: House) -> set[MonthOfCalendar]:
    return set(Rollups(house.app.lake).list_unbuilt([]))


def break_rollups(house: House) -> None:
    def spoil(cursor):
        cursor.execute("UPDATE lake.series_days SET sent = sent + 1")

    house.app.lake.write(spoil)


def test_the_worker_builds_what_is_missing_and_folds_what_came_later(house: House) -> None:
    record(house, "batch-1")
    assert months(house)
    house.app.work.do(Work(WorkKind.ROLLUPS), house.clock)
    assert not months(house)
    record(house, "batch-2", "batch-3")
    rollups = Rollups(house.app.lake)
    assert rollups.count_logged()
    house.app.work.do(Work(WorkKind.ROLLUPS), house.clock)
    assert not rollups.count_logged()
    assert not any(found.difference_count for found in house.app.upkeep.rolling_up.verify(house.viewer, repair=False))


def test_what_differs_is_found_left_alone_or_repaired_as_asked(house: House) -> None:
    record(house, "batch-1")
    house.app.upkeep.rolling_up.refresh()
    break_rollups(house)
    for repair in (False, True):
        wrong = [
            found for found in house.app.upkeep.rolling_up.verify(house.viewer, repair=repair) if found.difference_count
        ]
        assert [(found.calendar, found.month) for found in wrong] == [("UTC", house.now.date().replace(day=1))]
    assert not any(found.difference_count for found in house.app.upkeep.rolling_up.verify(house.viewer, repair=False))


def test_a_worker_that_shall_end_builds_no_further_month(house: House) -> None:
    record(house, "batch-1")
    stop = Event()
    stop.set()
    RollingUp(house.app.state, Rollups(house.app.lake), Settled(ChangeWatch(house.app.lake).number), stop).refresh()
    assert months(house)


def test_only_who_may_see_the_audit_compares(house: House) -> None:
    person = NewPerson("Grace Hopper", "grace@example.com", PASSWORD, "Reporting manager")
    with pytest.raises(Forbidden):
        house.app.upkeep.rolling_up.verify(house.app.people.adding.add(person, house.now), repair=False)


def test_maintenance_by_the_worker_leaves_statistics_as_they_are(house: House) -> None:
    record(house, *(f"batch-{number}" for number in range(10)))
    house.app.work.do(Work(WorkKind.ROLLUPS), house.clock)
    record(house, *(f"late-{number}" for number in range(10)))
    house.app.work.do(Work(WorkKind.ROLLUPS), house.clock)
    before = house.app.reports.reporting.traffic(house.viewer, house.everything())
    house.now = house.now.replace(hour=2)
    house.app.work.do(Work(WorkKind.MAINTENANCE), house.clock)
    house.now = house.now.replace(hour=12)
    assert house.app.reports.reporting.traffic(house.viewer, house.everything()) == before
    assert not any(found.difference_count for found in house.app.upkeep.rolling_up.verify(house.viewer, repair=False))


def test_a_lake_that_nobody_has_changed_is_not_looked_through_every_minute(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(house, "batch-1")
    other = Lake(house.app.settings)
    asked: list[str] = []
    for name in ("count_logged", "list_unbuilt"):
        monkeypatch.setattr(Rollups, name, told(getattr(Rollups, name), asked))
    for name in ("list_unindexed", "list_unsorted"):
        monkeypatch.setattr(NumberIndex, name, told(getattr(NumberIndex, name), asked))

    def looks() -> int:
        asked.clear()
        house.app.work.do(Work(WorkKind.ROLLUPS), house.clock)
        return len(asked)

    # What was done may leave something to do; what found nothing is not asked again.
    assert [looks() > 0 for _ in range(4)] == [True, True, False, False]
    # People who live elsewhere have days of their own, and days end.
    with house.app.state.write() as session:
        session.query(UserRow).update({"time_zone": "Asia/Tokyo"})
    assert looks() > 0
    while looks():
        pass
    house.now += timedelta(days=1)
    assert looks() > 0
    while looks():
        pass
    # What another process commits is seen.
    table = message_table(make_message(account=house.account.account_id, sent_at=house.now))
    MessageStore(other).append_batch("batch-2", "campaign-1", table, unsent_table(), house.now)
    other.close()
    wait_until(lambda: looks() > 0, "it is looked at again")
    assert not Rollups(house.app.lake).count_logged()


def told(method: Callable[..., Any], asked: list[str]) -> Callable[..., Any]:
    """Note each call of a method."""

    def called(*arguments: Any) -> Any:
        asked.append(method.__name__)
        return method(*arguments)

    return called


def test_of_two_workers_one_builds(house: House) -> None:
    record(house, "batch-1")
    with Leases(house.app.state, house.app.settings.lease_s).alone(REFRESHING, house.clock):
        house.app.work.do(Work(WorkKind.ROLLUPS), house.clock)
        assert months(house)
    house.app.work.do(Work(WorkKind.ROLLUPS), house.clock)
    assert not months(house)
