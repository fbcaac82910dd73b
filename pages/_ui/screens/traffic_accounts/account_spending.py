"""What an account has spent this month against its budget, in words."""

from collections.abc import Iterable, Mapping

import streamlit as st

from core.domain.accounts.accounts import Account
from core.services.accounts.account_spending import MonthSpending
from pages._ui import formats, tables


def _in_short(found: MonthSpending) -> str:
    """Return it for a cell of a table."""
    spent = formats.euros(found.spent_eur_cents)
    if found.budget is None:
        return f"{spent}, no budget"
    words = f"{spent} of {formats.euros(found.budget.eur_cents)}"
    if not found.budget.left_eur_cents:
        return f"{words}: used up"
    return f"{words}: over 80 %" if found.budget.is_warned_of else words


def columns(months: Mapping[str, MonthSpending]) -> tuple[tables.Column, ...]:
    """Return the guide's columns, and what is spent this month of which budget."""

    def spent(item: Account) -> str:
        return _in_short(months[item.account_id]) if item.account_id in months else formats.NOTHING

    return (
        tables.text("Account Name", "name"),
        tables.text("Display Name", "display_name"),
        tables.text("Account Type", "account_type"),
        tables.status("Status", "status"),
        tables.text("Spent this month", spent),
    )


def warn(months: Iterable[MonthSpending]) -> None:
    """Say which budgets are nearly, or wholly, spent."""
    for found in months:
        if found.budget is not None and found.budget.is_warned_of:
            st.warning(_sentence(found), icon=":material/savings:")


def show(found: MonthSpending) -> None:
    """Draw it above the settings of one account."""
    spent = f"**{formats.euros(found.spent_eur_cents)}** spent this month (UTC)"
    if found.budget is None:
        st.markdown(f"{spent}. There is no budget.")
    elif found.budget.is_warned_of:
        st.warning(_sentence(found), icon=":material/savings:")
    else:
        left = formats.euros(found.budget.left_eur_cents)
        st.markdown(f"{spent}, of a budget of {formats.euros(found.budget.eur_cents)}. {left} is left.")


def _sentence(found: MonthSpending) -> str:
    budget = found.budget
    assert budget is not None
    spent = f"{formats.euros(budget.spent_eur_cents)} of {formats.euros(budget.eur_cents)}"
    name = formats.plain(budget.name)
    if not budget.left_eur_cents:
        return (
            f"**The budget of {name} for {budget.month:%B} is used up** ({spent}). Campaigns pause until it is "
            "raised, or the next month begins (UTC)."
        )
    return (
        f"**More than 80 % of the budget of {name} for {budget.month:%B} is spent**: {spent}. Sending pauses before it "
        "would be exceeded."
    )
