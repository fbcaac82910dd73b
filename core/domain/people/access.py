"""What one person may do to another: nobody raises anybody above himself or herself, or reaches up."""

from dataclasses import dataclass, field
from enum import StrEnum

from core.domain.people.people import Person, UserStatus
from core.domain.people.permissions import Permission, Viewer
from core.errors import AppError, Forbidden, InvalidInput, InvalidTransition, NotFound


class Act(StrEnum):
    """Something done to a person, as a sentence calls it."""

    CHANGE = "change"
    INVITE_AGAIN = "invite"
    DEACTIVATE = "deactivate"
    ACTIVATE = "activate"
    DELETE = "delete"


# Who may do an act is asked first; then whether the person is in a status where it makes sense.
_STATUSES: dict[Act, frozenset[UserStatus]] = {
    Act.CHANGE: frozenset(UserStatus),
    Act.INVITE_AGAIN: frozenset({UserStatus.PENDING}),
    Act.DEACTIVATE: frozenset({UserStatus.PENDING, UserStatus.ACTIVE}),
    Act.ACTIVATE: frozenset({UserStatus.INACTIVE}),
    Act.DELETE: frozenset(UserStatus),
}
_NOT_ONESELF = frozenset({Act.DEACTIVATE, Act.DELETE})


@dataclass(frozen=True)
class Access:
    """What a person may do, and with which accounts' data."""

    permissions: frozenset[Permission] = field(default_factory=frozenset)
    account_ids: frozenset[str] = field(default_factory=frozenset)


def access_of(person: Person) -> Access:
    """Return what *person* may do today."""
    return Access(person.permissions, person.account_ids)


def is_within(viewer: Viewer, person: Person) -> bool:
    """Whether *person* holds nothing that *viewer* does not hold."""
    return viewer.may(*person.permissions)


def check_act(viewer: Viewer, person: Person, act: Act) -> None:
    """
    Raise unless *viewer*, who manages people, may do *act* to *person*.

    Raises: Forbidden: to oneself, or to somebody who may do more. InvalidTransition: not in this status.
    """
    if act in _NOT_ONESELF and person.user_id == viewer.user_id:
        raise Forbidden(f"You cannot {act} yourself.", hint="Ask somebody else who manages users.")
    # With which accounts somebody works is the business of whoever manages users, whatever else that person may do;
    # only administrators are above it. Name and permissions stay as they are: `check_change`.
    reaches_up = person.is_administrator if act is Act.CHANGE else True
    if reaches_up and not is_within(viewer, person):
        raise Forbidden(f"{person.name} has permissions that you do not have.", hint="Ask an administrator.")
    if person.status not in _STATUSES[act]:
        raise InvalidTransition(f"{person.name} is {person.status}.", hint="Reload the page to see what has changed.")


def may(viewer: Viewer, person: Person, act: Act) -> bool:
    """Whether `check_act` lets *viewer* do it."""
    try:
        check_act(viewer, person, act)
    except AppError:
        return False
    return True


def check_grant(viewer: Viewer, wanted: Access, held: Access) -> Access:
    """
    Return what a person who has *held* may have after *viewer* asked for *wanted*.

    Memberships of accounts that are not the viewer's stay as they are: who does not see them cannot take them.

    Raises: Forbidden: a permission the viewer lacks. NotFound: an account that is not the viewer's.
        InvalidInput: no permission at all.
    """
    if not wanted.permissions:
        raise InvalidInput("No permission is chosen.", hint="Choose at least one.", field="permissions")
    beyond = wanted.permissions - held.permissions - viewer.permissions
    if beyond:
        names = ", ".join(sorted(beyond))
        raise Forbidden(f"You cannot give what you do not have: {names}.", hint="Ask an administrator.")
    if wanted.account_ids - held.account_ids - viewer.account_ids:
        raise NotFound("There is no such account.", hint="Choose one of the accounts you belong to.")
    kept = held.account_ids - viewer.account_ids
    return Access(wanted.permissions, (wanted.account_ids & viewer.account_ids) | kept)


def check_change(viewer: Viewer, person: Person, name: str, wanted: Access) -> Access:
    """
    Return what *person* may have after *viewer* changed name and access.

    Raises: as `check_act` and `check_grant`. Forbidden: name or permissions of somebody who may do more.
    """
    check_act(viewer, person, Act.CHANGE)
    if not is_within(viewer, person) and (name, wanted.permissions) != (person.name, person.permissions):
        raise Forbidden(
            f"{person.name} has permissions that you do not have.",
            hint="You can change the traffic accounts. For the rest, ask an administrator.",
        )
    return check_grant(viewer, wanted, access_of(person))
