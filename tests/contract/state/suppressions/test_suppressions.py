"""Suppressions, on both databases."""

from datetime import timedelta
from itertools import chain

import numpy as np
import pytest

from core.domain.accounts.suppressions import EVERYWHERE, Suppression, SuppressionSource
from core.domain.messages.messages import Exclusion
from core.state.accounts import accounts
from core.state.engine.store import State
from core.state.suppressions import changes, listing
from core.state.suppressions.listing import SuppressionQuery
from core.state.suppressions.numbers import pack, to_msisdn, to_numbers, unpack
from core.state.suppressions.suppressions import (
    Lifting,
    add_suppressions,
    find_stopped,
    find_suppressed,
    lift_suppressions,
)
from tests.support.application.factories import NOW, make_account, make_origin

FIRST, SECOND, THIRD = "+491796000001", "+491796000002", "+491796000003"
MINE, ALL = Exclusion.SUPPRESSED, Exclusion.SUPPRESSED_EVERYWHERE
STOP, IMPORT, PERSON = SuppressionSource
LIFTING = Lifting("Ben", NOW + timedelta(hours=1), "A mistake")


@pytest.fixture
def two(state: State) -> State:
    """Return a store with two accounts, each with a number it does not send to."""
    with state.write() as session:
        for account_id, msisdn in (("account-1", FIRST), ("account-2", SECOND)):
            accounts.add_account(session, make_account(account_id=account_id, name=account_id), NOW)
            add_suppressions(session, account_id, [msisdn], make_origin())
    return state


def listed(state: State, *account_ids: str, source: SuppressionSource | None = None) -> tuple[Suppression, ...]:
    """Return all suppressions as a page lists them, after a look whether its total says as many."""
    with state.read() as session:
        query = query_of(session, *account_ids, source=source)
        total = listing.count_suppressions(session, query)
        found = listing.page_suppressions(session, query, 1_000, 0)
        assert total == len(found)
        # A page at a time they are the same.
        pages = [listing.page_suppressions(session, query, 2, start) for start in range(0, total + 2, 2)]
        assert tuple(chain(*pages)) == found
        everything = chain(*listing.iterate_suppressions(session, query))
        assert sorted(everything, key=repr) == sorted(found, key=repr)
    return found


def query_of(session: object, *account_ids: str, source: SuppressionSource | None = None) -> SuppressionQuery:
    scopes = changes.find_scopes(session, account_ids)
    return SuppressionQuery({scope.scope_no: scope.account_id for scope in scopes}, source)


def test_each_account_has_its_own(two: State):
    with two.read() as session:
        assert find_suppressed(session, "account-1", [FIRST, SECOND]) == {FIRST: MINE}
        assert find_suppressed(session, "account-2", [FIRST, SECOND]) == {SECOND: MINE}


def test_those_of_all_accounts_count_for_each_and_its_own_is_said_first(two: State):
    with two.write() as session:
        assert add_suppressions(session, EVERYWHERE, [FIRST, THIRD], make_origin()) == 2
    with two.read() as session:
        assert find_suppressed(session, "account-1", [FIRST, SECOND, THIRD]) == {FIRST: MINE, THIRD: ALL}
        assert find_suppressed(session, "account-2", [FIRST, THIRD]) == {FIRST: ALL, THIRD: ALL}
        assert find_suppressed(session, "account-3", [THIRD]) == {THIRD: ALL}


def test_more_numbers_than_a_statement_takes_are_looked_up(two: State):
    many = [f"+49151{number:07d}" for number in range(5_000)]
    with two.read() as session:
        assert find_suppressed(session, "account-1", [*many, FIRST]) == {FIRST: MINE}
        assert find_suppressed(session, "account-1", []) == {}


def test_a_stop_and_a_person_s_wish_are_both_kept_and_each_lifted_by_itself(two: State):
    with two.write() as session:
        assert add_suppressions(session, "account-1", [FIRST], make_origin(source=STOP)) == 1
        assert find_stopped(session, "account-1", [FIRST, SECOND]) == {FIRST}
        assert lift_suppressions(session, "account-1", [FIRST], PERSON, LIFTING) == 1
        assert find_suppressed(session, "account-1", [FIRST]) == {FIRST: MINE}
        assert find_suppressed(session, "account-1", [FIRST], by_people=True) == {}
        assert lift_suppressions(session, "account-1", [FIRST], PERSON, LIFTING) == 0
        assert lift_suppressions(session, "account-1", [FIRST], STOP, LIFTING) == 1
        assert find_suppressed(session, "account-1", [FIRST]) == {}


@pytest.mark.parametrize("first", [STOP, PERSON])
def test_whichever_came_first_hides_no_other(two: State, first: SuppressionSource):
    (second,) = {STOP, PERSON} - {first}
    with two.write() as session:
        for source in (first, second):
            assert add_suppressions(session, "account-2", [THIRD], make_origin(source=source)) == 1
        assert lift_suppressions(session, "account-2", [THIRD], first, LIFTING) == 1
        assert find_suppressed(session, "account-2", [THIRD]) == {THIRD: MINE}


def test_what_is_suppressed_by_the_same_source_stays_as_it_was(two: State):
    with two.write() as session:
        assert add_suppressions(session, "account-1", [FIRST, THIRD], make_origin(reason="again")) == 1
    found = {each.key.msisdn: each.origin.reason for each in listed(two, "account-1")}
    assert found == {FIRST: "opt-out", THIRD: "again"}


def test_what_was_lifted_is_kept_with_who_when_and_why(two: State):
    with two.write() as session:
        lift_suppressions(session, "account-1", [FIRST], PERSON, LIFTING)
        add_suppressions(session, "account-1", [FIRST], make_origin(source=IMPORT, reason="From opt-outs.csv"))
    (now,) = listed(two, "account-1")
    assert (now.key.source, now.origin.reason) == (IMPORT, "From opt-outs.csv")
    with two.read() as session:
        query = query_of(session, "account-1")
        (before,) = listing.list_lifted(session, query.scopes, int(FIRST))
        assert listing.list_lifted(session, query_of(session, "account-2").scopes, int(FIRST)) == ()
    assert (before.lifted_by, before.lifted_at, before.reason) == ("Ben", LIFTING.at, "A mistake")
    assert (before.suppression.origin, before.suppression.key.source) == (make_origin(), PERSON)


def test_they_are_listed_newest_first_within_scopes_and_sources(two: State):
    with two.write() as session:
        add_suppressions(session, "account-1", [THIRD, SECOND], make_origin(source=STOP, reason=""))
        add_suppressions(session, EVERYWHERE, [FIRST], make_origin(source=IMPORT))
    seen = [(each.key.account_id, each.key.msisdn) for each in listed(two, "account-1", EVERYWHERE)]
    assert seen == [(EVERYWHERE, FIRST), ("account-1", SECOND), ("account-1", THIRD), ("account-1", FIRST)]
    assert [each.key.msisdn for each in listed(two, "account-1", source=STOP)] == [SECOND, THIRD]
    assert listed(two, "account-3") == ()
    with two.read() as session:
        query = query_of(session, "account-1", "account-2")
        found = listing.list_of_numbers(session, query, to_numbers([SECOND]))
    assert [(each.key.account_id, each.key.source) for each in found] == [("account-1", STOP), ("account-2", PERSON)]


def test_changes_tell_what_came_to_count_and_what_no_longer_does(two: State):
    with two.write() as session:
        add_suppressions(session, "account-1", [FIRST, SECOND], make_origin(source=STOP))
        lift_suppressions(session, "account-1", [FIRST, SECOND], STOP, LIFTING)
        # Nothing new, nothing lifted: nothing has changed.
        add_suppressions(session, "account-1", [FIRST], make_origin())
        lift_suppressions(session, "account-1", [THIRD], STOP, LIFTING)
    with two.read() as session:
        (scope,) = changes.find_scopes(session, ["account-1"])
        found = changes.list_changes(session, scope.scope_no, 0)
        (numbers,) = changes.iterate_numbers(session, scope.scope_no)
    told = [(each.change_no, each.is_lifted, list(map(to_msisdn, each.numbers.tolist()))) for each in found]
    # The first one's is still what a person wants.
    assert told == [(1, False, [FIRST]), (2, False, [FIRST, SECOND]), (3, True, [SECOND])]
    assert scope.change_no == 3
    assert numbers.tolist() == [int(FIRST)]
    assert len({each.token for each in found}) == 3


def test_old_changes_are_forgotten_but_for_the_last_of_each_scope(two: State):
    with two.write() as session:
        add_suppressions(session, "account-1", [SECOND], make_origin())
        assert changes.delete_old(session, NOW + timedelta(days=1)) == 1
        (scope,) = changes.find_scopes(session, ["account-1"])
        assert changes.find_token(session, scope.scope_no, 1) is None
        assert changes.find_token(session, scope.scope_no, 2) is not None


@pytest.mark.parametrize("numbers", [[], [7], [491796000001, 491796000002, 999999999999999]])
def test_packed_numbers_come_back(numbers: list[int]):
    assert unpack(pack(np.array(numbers, np.int64))).tolist() == numbers
