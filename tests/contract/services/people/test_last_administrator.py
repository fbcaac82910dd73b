"""One active administrator is always left, whoever asks at the same time; on both databases."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.domain.people.people import UserStatus
from core.domain.people.permissions import PRESETS, Viewer
from core.errors import AppError, Forbidden, NotFound
from core.services.people.inviting import MOST, WINDOW, Invitation, Inviting
from core.services.people.mailing import Mailing
from core.services.people.managing_people import Change, ManagingPeople
from core.state.engine.store import State
from core.state.people import users
from tests.contract.state.test_concurrency import at_once
from tests.support.application.factories import NOW, make_user
from tests.support.fakes.mail import FakePost

IDS = ("user-1", "user-2", "user-3")
MANAGER = PRESETS["User manager"]
Removal = Callable[[ManagingPeople, Viewer, str], object]

REMOVALS: dict[str, Removal] = {
    "deactivate": lambda service, viewer, other: service.deactivate(viewer, other, NOW),
    "delete": lambda service, viewer, other: service.delete(viewer, other, NOW),
    "demote": lambda service, viewer, other: service.change(viewer, other, Change("Ada", MANAGER), NOW),
}


@pytest.fixture
def service(state: State) -> ManagingPeople:
    with state.write() as session:
        for number, user_id in enumerate(IDS):
            users.add_user(session, make_user(user_id=user_id, email=f"ada{number}@example.com"), NOW)
    return ManagingPeople(state)


def viewer_of(state: State, user_id: str) -> Viewer:
    with state.read() as session:
        found = users.find_viewer(session, user_id)
    assert found
    return found


def count_administrators(state: State) -> int:
    with state.read() as session:
        return sum(person.is_administrator for person in users.list_active(session))


@pytest.mark.parametrize("removal", REMOVALS)
def test_the_last_administrator_stays(state: State, service: ManagingPeople, removal: str):
    first, second, third = (viewer_of(state, user_id) for user_id in IDS)
    service.deactivate(first, second.user_id, NOW)
    service.delete(first, third.user_id, NOW)
    # Somebody who was an administrator when the page was drawn, and is none any more.
    with pytest.raises(Forbidden, match="last active administrator"):
        REMOVALS[removal](service, second, first.user_id)
    assert count_administrators(state) == 1
    service.activate(first, second.user_id, NOW)
    REMOVALS[removal](service, second, first.user_id)
    assert count_administrators(state) == 1


def test_the_last_administrator_cannot_step_down(state: State, service: ManagingPeople):
    first = viewer_of(state, IDS[0])
    for other in IDS[1:]:
        service.change(first, other, Change("Ada", MANAGER), NOW)
    with pytest.raises(Forbidden, match="last active administrator"):
        service.change(first, first.user_id, Change("Ada", MANAGER), NOW)
    assert service.change(first, first.user_id, Change("Ada L.", first.permissions), NOW).name == "Ada L."


@pytest.mark.parametrize("removal", REMOVALS)
def test_administrators_who_remove_each_other_at_once_leave_one(state: State, service: ManagingPeople, removal: str):
    viewers = [viewer_of(state, user_id) for user_id in IDS]

    def remove(number: int) -> str:
        REMOVALS[removal](service, viewers[number], IDS[(number + 1) % len(IDS)])
        return "removed"

    results = at_once(remove, len(IDS))
    refused = [result for result in results if isinstance(result, Forbidden)]
    assert count_administrators(state) == 1
    assert results.count("removed") == 2
    assert [error.message for error in refused] == ["Ada Lovelace is the last active administrator."]


def test_a_person_is_deleted_and_activated_once(state: State, service: ManagingPeople):
    viewer = viewer_of(state, IDS[0])
    service.deactivate(viewer, IDS[1], NOW)

    def do(number: int) -> str:
        if number % 2:
            return service.activate(viewer, IDS[1], NOW).status
        return service.delete(viewer, IDS[1], NOW).name

    results = at_once(do)
    assert results.count("Ada Lovelace") == 1
    assert results.count(UserStatus.ACTIVE) <= 1
    # Nothing but refusals in words: whoever comes late is told so.
    assert all(isinstance(result, str | AppError) for result in results)
    with pytest.raises(NotFound):
        service.get(viewer, IDS[1])


def test_invitations_at_once_are_counted_one_by_one(state: State, service: ManagingPeople):
    post = FakePost()
    inviting = Inviting(state, Mailing(post, "https://example.org"), 168)
    viewer = viewer_of(state, IDS[0])

    def invite(number: int, now=NOW) -> str:
        return inviting.invite(viewer, Invitation("Ben", f"ben{number}@example.com", MANAGER), now).status

    for number in range(MOST - 1):
        invite(number)
    results = at_once(lambda number: invite(MOST + number))
    assert results.count(UserStatus.PENDING) == 1
    assert {type(result).__name__ for result in results} == {"UserStatus", "TooManyAttempts"}
    assert len(post.mails) == MOST
    assert invite(1_000, NOW + WINDOW + timedelta(seconds=1)) == UserStatus.PENDING


def test_of_invitations_for_one_email_one_is_taken(state: State, service: ManagingPeople):
    inviting = Inviting(state, Mailing(FakePost(), "https://example.org"), 168)
    viewer = viewer_of(state, IDS[0])

    def invite(number: int) -> str:
        email = "BEN@example.com" if number % 2 else "ben@example.com"
        return inviting.invite(viewer, Invitation("Ben", email, MANAGER), NOW).status

    results = at_once(invite)
    assert results.count(UserStatus.PENDING) == 1
    assert {getattr(result, "field", "") for result in results if isinstance(result, AppError)} == {"email"}
