"""Who is told of a budget, once, in whichever worker."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from core.domain.accounts.budgets import NO_MONTH, Budget, Threshold
from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.people.permissions import Permission
from core.services.sending.spending_limits import SpendingLimits
from core.state.people import users
from core.state.tables.spending_models import BudgetEventRow
from tests.integration.services import steps
from tests.integration.services.paying import CENTS, COST, frozen, told
from tests.support.application.house import House


def test_people_of_the_account_who_may_do_something_about_it_are_told_once_for_each_amount(paying: House):
    people = {
        name: add_person(paying, name, permissions, is_member=is_member)
        for name, permissions, is_member in (
            ("sends", {Permission.CAMPAIGN}, True),
            ("runs", {Permission.TRAFFIC_ACCOUNTS}, True),
            ("reads", {Permission.MESSAGE_HISTORY, Permission.QUICK_SEND}, True),
            ("strange", {Permission.CAMPAIGN, Permission.TRAFFIC_ACCOUNTS}, False),
        )
    }
    steps.set_budget(paying, str(COST))
    frozen(paying)
    steps.work(paying)
    spent = "€\u00a02.50 of €\u00a03.00 is spent."
    warned = [f"80 % of the budget of the account Simulator for March 2026 (UTC) is reached: {spent}"]
    assert {name: told(paying, user_id) for name, user_id in people.items()} == {
        "sends": warned,
        "runs": warned,
        "reads": [],
        "strange": [],
    }
    # A higher budget is another one, and so is the next month's.
    steps.set_budget(paying, str(COST + 10 * CENTS))
    frozen(paying, 7_000_000, count=5, name="A few more")
    steps.work(paying)
    assert len(told(paying)) == 2
    paying.wait(timedelta(days=31))
    steps.set_budget(paying, str(COST))
    frozen(paying, 8_000_000, name="In April")
    steps.work(paying)
    assert [text.rpartition(": ")[2] for text in told(paying)] == [
        "€\u00a02.50 of €\u00a03.00 is spent.",
        "€\u00a03.25 of €\u00a03.50 is spent.",
        "€\u00a02.50 of €\u00a03.00 is spent.",
    ]
    with paying.app.state.read() as session:
        assert len(session.scalars(select(BudgetEventRow)).all()) == 3


def test_a_campaigns_budget_is_told_of_too(paying: House):
    frozen(paying, budget_eur_cents=Decimal(COST))
    steps.work(paying)
    told_so = "80 % of the budget of the campaign Spring greeting is reached: €\u00a02.50 of €\u00a03.00 is spent."
    assert told(paying) == [told_so]
    with paying.app.state.read() as session:
        (event,) = session.scalars(select(BudgetEventRow)).all()
    assert event.month == NO_MONTH


@pytest.mark.parametrize("lowered", ["20", "100", "134"])
def test_of_a_budget_that_is_lowered_to_what_is_spent_only_its_end_is_told(paying: House, lowered: str):
    campaign = frozen(paying)
    # Below what is spent already, to just that, and with room for a part of a sub-window.
    steps.at_submit(paying, lambda: steps.set_budget(paying, lowered), turn=2)
    steps.work(paying)
    assert paying.campaign(campaign.campaign_id).status is CampaignStatus.PAUSED
    assert [text.split(":")[0] for text in told(paying)] == [
        "The budget of the account Simulator for March 2026 (UTC) is used up"
    ]
    # Nor does another worker tell afterwards that most of it was spent.
    budget = Budget(paying.account.account_id, "Simulator", date(2026, 3, 1), Decimal(lowered), Decimal(lowered))
    with paying.app.state.write() as session:
        SpendingLimits(paying.app.accounts.counting).tell(
            session, paying.account.account_id, budget, Threshold.WARNED, paying.now
        )
    assert len(told(paying)) == 1


def add_person(paying: House, name: str, permissions: set[Permission], *, is_member: bool) -> str:
    with paying.app.state.write() as session:
        new = users.NewUser(f"user-{name}", f"{name}@example.com", name, "hash", frozenset(permissions))
        users.add_user(session, new, paying.now)
        if is_member:
            users.add_membership(session, new.user_id, paying.account.account_id)
    return new.user_id


def test_two_workers_that_notice_at_once_tell_once(either_paying: House):
    budget = Budget(either_paying.account.account_id, "Simulator", date(2026, 3, 1), Decimal(COST), Decimal(COST))

    def tell() -> None:
        limits = SpendingLimits(either_paying.app.accounts.counting)
        with either_paying.app.state.write() as session:
            limits.tell(session, either_paying.account.account_id, budget, Threshold.WARNED, either_paying.now)

    assert steps.at_once([tell, tell, tell]) == [None] * 3
    assert len(told(either_paying)) == 1
