"""Who may do what to whom: nobody climbs, nobody reaches up."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.people.access import Access, Act, access_of, check_act, check_change, check_grant, may
from core.domain.people.people import Person, UserStatus
from core.domain.people.permissions import PRESETS, Permission, Viewer
from core.errors import AppError, Forbidden, InvalidInput, InvalidTransition, NotFound

MANAGER = PRESETS["User manager"]


def make_person(permissions: frozenset[Permission] = MANAGER, **overrides: object) -> Person:
    facts = {
        "user_id": "user-2",
        "name": "Ben",
        "email": "ben@example.com",
        "status": UserStatus.ACTIVE,
        "permissions": permissions,
        "account_ids": frozenset({"account-1"}),
    }
    return Person(**(facts | overrides))


def make_viewer(permissions: frozenset[Permission] = MANAGER, *account_ids: str) -> Viewer:
    return Viewer("user-1", "Ada", "ada@example.com", permissions, frozenset(account_ids or ("account-1",)))


@pytest.mark.parametrize("act", Act)
def test_somebody_who_may_do_more_is_out_of_reach(act: Act):
    status = {Act.ACTIVATE: UserStatus.INACTIVE, Act.INVITE_AGAIN: UserStatus.PENDING}.get(act, UserStatus.ACTIVE)
    with pytest.raises(Forbidden) as caught:
        check_act(make_viewer(), make_person(PRESETS["Administrator"], status=status), act)
    assert "administrator" in caught.value.hint
    check_act(make_viewer(PRESETS["Administrator"]), make_person(PRESETS["Administrator"], status=status), act)
    check_act(make_viewer(), make_person(status=status), act)


@pytest.mark.parametrize("act", [Act.DEACTIVATE, Act.DELETE])
def test_nobody_does_this_to_himself_or_herself(act: Act):
    viewer = make_viewer(PRESETS["Administrator"])
    with pytest.raises(Forbidden, match="yourself"):
        check_act(viewer, make_person(PRESETS["Administrator"], user_id=viewer.user_id), act)


@pytest.mark.parametrize(
    ("act", "statuses"),
    [
        (Act.CHANGE, set(UserStatus)),
        (Act.INVITE_AGAIN, {UserStatus.PENDING}),
        (Act.DEACTIVATE, {UserStatus.PENDING, UserStatus.ACTIVE}),
        (Act.ACTIVATE, {UserStatus.INACTIVE}),
        (Act.DELETE, set(UserStatus)),
    ],
)
def test_each_act_has_its_statuses(act: Act, statuses: set[UserStatus]):
    assert {status for status in UserStatus if may(make_viewer(), make_person(status=status), act)} == statuses
    for status in set(UserStatus) - statuses:
        with pytest.raises(InvalidTransition):
            check_act(make_viewer(), make_person(status=status), act)


def test_nobody_gives_what_he_or_she_does_not_have():
    with pytest.raises(Forbidden, match="Campaign"):
        check_grant(make_viewer(), Access(frozenset({Permission.USERS, Permission.CAMPAIGN})), Access())
    with pytest.raises(NotFound):
        check_grant(make_viewer(), Access(MANAGER, frozenset({"account-2"})), Access())
    assert check_grant(make_viewer(), Access(MANAGER, frozenset({"account-1"})), Access()).permissions == MANAGER


def test_somebody_who_may_do_nothing_is_a_mistake():
    with pytest.raises(InvalidInput):
        check_grant(make_viewer(), Access(), Access())


def test_memberships_that_the_viewer_does_not_see_stay():
    held = Access(MANAGER, frozenset({"account-1", "account-9"}))
    for wanted in (frozenset[str](), frozenset({"account-9"})):
        assert check_grant(make_viewer(), Access(MANAGER, wanted), held).account_ids == {"account-9"}
    assert check_grant(make_viewer(), Access(MANAGER, frozenset({"account-1"})), held) == held


def test_of_somebody_who_may_do_more_only_the_accounts_can_be_changed():
    person, viewer = make_person(PRESETS["Campaign manager"]), make_viewer(MANAGER, "account-1", "account-2")
    wanted = Access(person.permissions, frozenset({"account-2"}))
    assert check_change(viewer, person, person.name, wanted) == wanted
    for name, permissions in (("Benny", person.permissions), (person.name, person.permissions - {Permission.CAMPAIGN})):
        with pytest.raises(Forbidden):
            check_change(viewer, person, name, Access(permissions, person.account_ids))
    administrator = make_person(PRESETS["Administrator"])
    with pytest.raises(Forbidden):
        check_change(viewer, administrator, administrator.name, access_of(administrator))


PERMISSIONS = st.frozensets(st.sampled_from(sorted(Permission)), min_size=1)
ACCOUNTS = st.frozensets(st.sampled_from(["account-1", "account-2", "account-3"]))


@given(PERMISSIONS, ACCOUNTS, PERMISSIONS, ACCOUNTS, PERMISSIONS, ACCOUNTS)
def test_no_change_gives_anybody_what_neither_had(mine, my_accounts, theirs, their_accounts, wanted, wanted_accounts):
    viewer = Viewer("user-1", "Ada", "ada@example.com", mine, my_accounts)
    person = make_person(theirs, account_ids=their_accounts)
    try:
        result = check_change(viewer, person, person.name, Access(wanted, wanted_accounts))
    except AppError:
        return
    assert result.permissions <= mine | theirs
    assert result.account_ids <= my_accounts | their_accounts
    assert their_accounts - my_accounts <= result.account_ids
    if not theirs <= mine:
        assert result.permissions == theirs


@pytest.mark.parametrize(("mine", "theirs"), list(combinations(PRESETS, 2)))
def test_of_two_presets_that_differ_at_most_one_reaches_the_other(mine: str, theirs: str):
    viewers = make_viewer(PRESETS[mine]), make_viewer(PRESETS[theirs])
    people = make_person(PRESETS[theirs]), make_person(PRESETS[mine])
    reached = [may(viewer, person, Act.DELETE) for viewer, person in zip(viewers, people, strict=True)]
    assert reached == [mine == "Administrator", theirs == "Administrator"]
