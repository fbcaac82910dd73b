"""Suppressions, on both databases."""

import pytest

from core.state.accounts import accounts
from core.state.accounts.suppressions import add_suppressions, find_suppressed
from core.state.engine.store import State
from tests.support.application.factories import NOW, make_account

FIRST, SECOND = "+491796000001", "+491796000002"


@pytest.fixture
def two(state: State) -> State:
    """Return a store with two accounts, each with a number it does not send to."""
    with state.write() as session:
        for account_id, msisdn in (("account-1", FIRST), ("account-2", SECOND)):
            accounts.add_account(session, make_account(account_id=account_id, name=account_id), NOW)
            add_suppressions(session, account_id, [msisdn], "opt-out", "Ada", NOW)
    return state


def test_each_account_has_its_own(two: State):
    with two.read() as session:
        assert find_suppressed(session, "account-1", [FIRST, SECOND]) == {FIRST}
        assert find_suppressed(session, "account-2", [FIRST, SECOND]) == {SECOND}


def test_more_numbers_than_a_statement_takes_are_looked_up(two: State):
    many = [f"+49151{number:07d}" for number in range(5_000)]
    with two.read() as session:
        assert find_suppressed(session, "account-1", [*many, FIRST]) == {FIRST}
        assert find_suppressed(session, "account-1", []) == frozenset()
