"""Who is told of a budget, once, in whichever worker."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from core.domain.accounts.budgets import NO_MONTH, Budget, Threshold
from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.people.permissions import Permission
from core.services.sending import batches
from core.services.sending.spending_limits import SpendingLimits
from core.state.people import users
from core.state.tables.spending_models import BudgetEventRow
from tests.integration.services import steps
from tests.integration.services.sending.paying import CENTS, COST, frozen, make_paying, told
from tests.support.application.house import House


@pytest.fixture(autouse=True)
def no_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "NAP_MAX_S", 0.001)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = request.getfixturevalue("new_state_database")() if request.param == "postgres" else ""
    made = make_paying(tmp_path, url)
    yield made
    made.app.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_paying(tmp_path)
    yield made
    made.app.close()


def test_people_of_the_account_who_may_do_something_about_it_are_told_once_for_each_amount(house: House):
    people = {
        name: add_person(house, name, permissions, is_member=is_member)
        for name, permissions, is_member in (
            ("sends", {Permission.CAMPAIGN}, True),
            ("runs", {Permission.TRAFFIC_ACCOUNTS}, True),
            ("reads", {Permission.MESSAGE_HISTORY, Permission.QUICK_SEND}, True),
            ("strange", {Permission.CAMPAIGN, Permission.TRAFFIC_ACCOUNTS}, False),
        )
    }
    steps.set_budget(house, str(COST))
    frozen(house)
    steps.work(house)
    warned = ["80 % of the budget of the account Simulator for March 2026 (UTC) is reached: 2.50 of 3.00 EUR is spent."]
    assert {name: told(house, user_id) for name, user_id in people.items()} == {
        "sends": warned,
        "runs": warned,
        "reads": [],
        "strange": [],
    }
    # A higher budget is another one, and so is the next month's.
    steps.set_budget(house, str(COST + 10 * CENTS))
    frozen(house, 7_000_000, count=5, name="A few more")
    steps.work(house)
    assert len(told(house)) == 2
    house.wait(timedelta(days=31))
    steps.set_budget(house, str(COST))
    frozen(house, 8_000_000, name="In April")
    steps.work(house)
    assert [text.rpartition(": ")[2] for text in told(house)] == [
        "2.50 of 3.00 EUR is spent.",
        "3.25 of 3.50 EUR is spent.",
        "2.50 of 3.00 EUR is spent.",
    ]
    with house.app.state.read() as session:
        assert len(session.scalars(select(BudgetEventRow)).all()) == 3


def test_a_campaigns_budget_is_told_of_too(house: House):
    frozen(house, budget_eur_cents=Decimal(COST))
    steps.work(house)
    assert told(house) == ["80 % of the budget of the campaign Spring greeting is reached: 2.50 of 3.00 EUR is spent."]
    with house.app.state.read() as session:
        (event,) = session.scalars(select(BudgetEventRow)).all()
    assert event.month == NO_MONTH


@pytest.mark.parametrize("lowered", ["20", "100", "134"])
def test_of_a_budget_that_is_lowered_to_what_is_spent_only_its_end_is_told(house: House, lowered: str):
    campaign = frozen(house)
    # Below what is spent already, to just that, and with room for a part of a sub-window.
    steps.at_submit(house, lambda: steps.set_budget(house, lowered), turn=2)
    steps.work(house)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.PAUSED
    assert [text.split(":")[0] for text in told(house)] == [
        "The budget of the account Simulator for March 2026 (UTC) is used up"
    ]
    # Nor does another worker tell afterwards that most of it was spent.
    budget = Budget(house.account.account_id, "Simulator", date(2026, 3, 1), Decimal(lowered), Decimal(lowered))
    with house.app.state.write() as session:
        SpendingLimits(house.app.accounts.counting).tell(
            session, house.account.account_id, budget, Threshold.WARNED, house.now
        )
    assert len(told(house)) == 1


def add_person(house: House, name: str, permissions: set[Permission], *, is_member: bool) -> str:
    with house.app.state.write() as session:
        new = users.NewUser(f"user-{name}", f"{name}@example.com", name, "hash", frozenset(permissions))
        users.add_user(session, new, house.now)
        if is_member:
            users.add_membership(session, new.user_id, house.account.account_id)
    return new.user_id


def test_two_workers_that_notice_at_once_tell_once(either: House):
    budget = Budget(either.account.account_id, "Simulator", date(2026, 3, 1), Decimal(COST), Decimal(COST))

    def tell() -> None:
        limits = SpendingLimits(either.app.accounts.counting)
        with either.app.state.write() as session:
            limits.tell(session, either.account.account_id, budget, Threshold.WARNED, either.now)

    assert steps.at_once([tell, tell, tell]) == [None] * 3
    assert len(told(either)) == 1
