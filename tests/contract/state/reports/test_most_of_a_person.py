"""A person has so many views and unfinished exports at most: also with two tabs, in which all is done at once."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from core.domain.reports.exports import Export, ExportFormat, ExportStatus
from core.domain.reports.views import SavedView
from core.errors import NotFound
from core.state.engine.store import State
from core.state.people import users
from core.state.reports import exports, views
from tests.support.application.factories import NOW, make_user

MOST = 2
# What does not wait has ended long before; what does wait is let go after it.
LOOK_S, PATIENCE_S = 0.5, 30


def add_view(session: Session, number: int, name: str = "", user_id: str = "user-1") -> str | None:
    view = SavedView(f"view-{number}", user_id, "statistics", name or f"View {number}", f"group={number}", False, NOW)
    kept = views.put_view(session, view, MOST)
    return kept.view_id if kept else None


def add_export(session: Session, number: int, user_id: str = "user-1") -> str | None:
    waiting, key = ExportStatus.WAITING, f"export-{number}"
    new = Export(key, user_id, "Messages", ExportFormat.CSV, "{}", waiting, NOW, NOW)
    return key if exports.add_export(session, new, MOST) else None


Add = Callable[[Session, int], str | None]
BOTH = pytest.mark.parametrize("add", [add_view, add_export])


@pytest.fixture
def store(state: State) -> State:
    with state.write() as session:
        users.add_user(session, make_user(), NOW)
        users.add_user(session, replace(make_user(), user_id="user-2", email="grace@example.com"), NOW)
    return state


def beside(store: State, first: Callable[[Session], object], second: Callable[[Session], object]) -> list[object]:
    """Do the *second* in another thread before the *first* is committed; return what came of both."""
    found: list[object] = [None, None]

    def work() -> None:
        with store.write() as session:
            found[1] = second(session)

    thread = threading.Thread(target=work)
    with store.write() as session:
        found[0] = first(session)
        thread.start()
        thread.join(LOOK_S)
    thread.join(PATIENCE_S)
    return found


@BOTH
def test_of_two_that_are_added_at_once_only_one_is_the_last(store: State, add: Add):
    with store.write() as session:
        first = add(session, 1)
    assert [first, *beside(store, lambda session: add(session, 2), lambda session: add(session, 3))] == [
        first,
        add.__name__.removeprefix("add_") + "-2",
        None,
    ]


@BOTH
def test_what_another_person_has_does_not_count(store: State, add: Callable[..., str | None]):
    with store.write() as session:
        assert all(add(session, number) for number in range(MOST))
        assert add(session, 8) is None
        assert add(session, 9, user_id="user-2")


@BOTH
def test_who_is_gone_is_given_nothing(store: State, add: Callable[..., str | None]):
    with store.write() as session, pytest.raises(NotFound):
        add(session, 1, user_id="nobody")


def test_two_views_of_one_name_that_are_saved_at_once_are_one(store: State):
    found = beside(store, lambda session: add_view(session, 1, "Mine"), lambda session: add_view(session, 2, "MINE"))
    assert found == ["view-1", "view-1"]
    with store.read() as session:
        assert [(each.name, each.address) for each in views.list_views(session, "user-1", "statistics")] == [
            ("MINE", "group=2")
        ]


def test_columns_chosen_for_the_first_time_in_two_tabs_are_those_of_the_later(store: State):
    def choose(labels: str) -> Callable[[Session], None]:
        return lambda session: views.set_preference(session, "user-1", "columns", labels)

    beside(store, choose("[]"), choose('["Receiver"]'))
    with store.read() as session:
        assert views.find_preference(session, "user-1", "columns") == '["Receiver"]'
