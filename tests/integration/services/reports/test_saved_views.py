"""Remembering: views are found by who saved them, shared ones by all who may open the page; columns by their person."""

import pytest

from core.domain.people.permissions import Viewer
from core.domain.reports.views import SavedView
from core.errors import Forbidden, InvalidInput, NotFound
from core.services.people.adding_people import NewPerson
from core.services.reports import saved_views
from tests.support.application.house import PASSWORD, House

PAGE = "statistics"


def add_person(house: House, preset: str = "Administrator") -> Viewer:
    person = NewPerson("Grace Hopper", f"{preset[:3].lower()}@example.com", PASSWORD, preset)
    return house.app.people.adding.add(person, house.now)


def save(house: House, name: str = "By country", address: str = "group=Country", *, shared: bool = False) -> SavedView:
    return house.app.reports.views.save_view(house.viewer, PAGE, name, address, shared=shared, now=house.now)


def names(house: House, viewer: Viewer, page: str = PAGE) -> list[str]:
    return [view.name for view in house.app.reports.views.list_views(viewer, page)]


def test_views_are_listed_by_name_and_page_to_who_saved_them(house: House) -> None:
    for name in ("b", "A", "c"):
        save(house, f"View {name}")
    assert names(house, house.viewer) == ["View A", "View b", "View c"]
    assert names(house, house.viewer, "message_history") == []
    assert names(house, add_person(house)) == []


def test_a_shared_view_is_seen_by_all_and_deleted_by_one(house: House) -> None:
    view, other = save(house, shared=True), add_person(house)
    assert names(house, other) == ["By country"]
    with pytest.raises(NotFound):
        house.app.reports.views.delete_view(other, view.view_id)
    house.app.reports.views.delete_view(house.viewer, view.view_id)
    assert names(house, other) == names(house, house.viewer) == []


def test_saving_under_a_known_name_replaces_the_view(house: House) -> None:
    first, second = save(house), save(house, "by COUNTRY", "group=Day", shared=True)
    assert first.view_id == second.view_id
    (found,) = house.app.reports.views.list_views(house.viewer, PAGE)
    assert (found.name, found.address, found.is_shared) == ("by COUNTRY", "group=Day", True)


@pytest.mark.parametrize(("name", "address"), [("ab", "x"), ("x" * 51, "x"), ("Fine", "x" * 2_001)])
def test_what_cannot_be_kept_is_refused(house: House, name: str, address: str) -> None:
    with pytest.raises(InvalidInput):
        save(house, name, address)
    assert names(house, house.viewer) == []


def test_a_number_is_not_shared_with_people_who_may_not_see_it(house: House) -> None:
    page, address = "message_history", "period=Today&receiver=%2B491796548754"
    save_mine = house.app.reports.views.save_view
    with pytest.raises(InvalidInput, match="cannot be shared"):
        save_mine(house.viewer, page, "One person", address, shared=True, now=house.now)
    assert save_mine(house.viewer, page, "One person", address, shared=False, now=house.now).address == address


@pytest.mark.parametrize("search", ["%2B49179654", "0179+6548-754", "hello+491796"])
def test_a_search_for_a_number_among_replies_is_not_shared_either(house: House, search: str) -> None:
    save_mine = house.app.reports.views.save_view
    with pytest.raises(InvalidInput, match="cannot be shared"):
        save_mine(house.viewer, "replies", "One person", f"replies_search={search}", shared=True, now=house.now)
    words = save_mine(house.viewer, "replies", "Room 12", "replies_search=room+12", shared=True, now=house.now)
    assert words.is_shared


def test_there_is_an_end_to_views(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 2)
    save(house, "One more")
    save(house, "And another")
    save(house, "one more")
    with pytest.raises(InvalidInput, match="already have 2 views"):
        save(house, "Too many")


def test_only_who_may_open_the_page_has_its_views_and_columns(house: House) -> None:
    other = add_person(house, "Campaign manager")
    service = house.app.reports.views
    for call in (
        lambda: service.list_views(other, PAGE),
        lambda: service.save_view(other, PAGE, "View", "", shared=True, now=house.now),
        lambda: service.choose_columns(other, "message_history", ["Sender"]),
        lambda: service.find_columns(other, "message_history"),
    ):
        with pytest.raises(Forbidden):
            call()
    with pytest.raises(NotFound):
        service.list_views(house.viewer, "dashboard")


def test_columns_are_kept_per_person(house: House) -> None:
    service, other = house.app.reports.views, add_person(house)
    assert service.find_columns(house.viewer, "message_history") is None
    for labels in (["Sender"], ["Sender", "Price [EUR c]"], []):
        service.choose_columns(house.viewer, "message_history", labels)
        assert service.find_columns(house.viewer, "message_history") == labels
    assert service.find_columns(other, "message_history") is None
