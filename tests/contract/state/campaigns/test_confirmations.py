"""Confirmations of STOP, on both databases."""

from datetime import timedelta

from core.state.accounts import accounts
from core.state.campaigns import confirmations
from core.state.campaigns.confirmations import StopConfirmation
from core.state.engine.store import State
from tests.support.application.factories import NOW, make_account


def test_however_many_of_an_account_wait_others_have_their_turn(state: State):
    """The first account may be closed, or have no money."""
    with state.write() as session:
        for name in ("a-1", "a-2"):
            accounts.add_account(session, make_account(account_id=name, name=f"name of {name}"), NOW)
        for number in range(4):
            asked_at = NOW + timedelta(seconds=number)
            account_id = "a-2" if number == 3 else "a-1"
            confirmations.ask(session, StopConfirmation(f"+4917960000{number}", account_id, "HELIOGRAPH", asked_at))
    with state.read() as session:
        found = confirmations.list_waiting(session, 2)
    assert [(each.account_id, each.msisdn[-1]) for each in found] == [("a-1", "0"), ("a-1", "1"), ("a-2", "3")]
