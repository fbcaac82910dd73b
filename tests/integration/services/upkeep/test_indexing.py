"""Indexing numbers: the worker does it, a worker that shall end does not, and only auditors may compare."""

from datetime import timedelta
from threading import Event

import pytest

from core.errors import Forbidden
from core.history.lake.watch import ChangeWatch
from core.history.messages.message_store import MessageStore
from core.history.numbers.number_index import NumberIndex
from core.services.people.adding_people import NewPerson
from core.services.upkeep.indexing import Indexing
from core.services.upkeep.settled import Settled
from tests.support.application.house import PASSWORD, House
from tests.support.stores.messages import make_message, message_table, unsent_table


def test_a_day_that_is_over_is_indexed_unless_the_worker_shall_end(house: House) -> None:
    table = message_table(make_message(sent_at=house.now))
    MessageStore(house.app.lake).append_batch("batch-1", "campaign-1", table, unsent_table(), house.now)
    index, later = NumberIndex(house.app.lake), house.now + timedelta(days=2)
    stop = Event()
    stop.set()
    Indexing(index, Settled(ChangeWatch(house.app.lake).number), stop).refresh(later)
    assert house.now.date() in index.list_unindexed(later)
    house.app.upkeep.indexing.refresh(later)
    assert house.now.date() not in index.list_unindexed(later)
    assert [found.missing_count for found in house.app.upkeep.indexing.verify(house.viewer, repair=True)] == [0]


def test_a_day_that_ended_is_looked_for_though_nobody_wrote_anything(house: House) -> None:
    table = message_table(make_message(sent_at=house.now))
    MessageStore(house.app.lake).append_batch("batch-1", "campaign-1", table, unsent_table(), house.now)
    index, later = NumberIndex(house.app.lake), house.now + timedelta(days=2)
    house.app.upkeep.indexing.refresh(house.now)
    house.app.upkeep.indexing.refresh(later)
    assert house.now.date() not in index.list_unindexed(later)


def test_only_who_may_see_the_audit_compares(house: House) -> None:
    person = NewPerson("Grace Hopper", "grace@example.com", PASSWORD, "Reporting manager")
    with pytest.raises(Forbidden):
        house.app.upkeep.indexing.verify(house.app.people.adding.add(person, house.now), repair=False)
