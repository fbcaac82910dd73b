import pytest

from core.domain.accounts.accounts import Account, AccountStatus, AccountType, label_accounts
from core.domain.reports.statistics import GroupBy, NameFilter, Operator


def account(name: str, display_name: str) -> Account:
    return Account(name, name, display_name, AccountType.HTTP, AccountStatus.ACTIVE, "", 1)


@pytest.mark.parametrize(
    ("operator", "term", "fits"),
    [
        (Operator.EQUAL, "SHOP-DE", True),
        (Operator.EQUAL, "shop", False),
        (Operator.STARTS_WITH, "the", True),
        (Operator.ENDS_WITH, "-de", True),
        (Operator.CONTAINS, "p-d", True),
        (Operator.NOT_EQUAL, "shop-de", False),
        (Operator.NOT_EQUAL, "shop", True),
        (Operator.DOES_NOT_CONTAIN, "the", False),
    ],
)
def test_any_name_fulfils_a_condition_and_each_must_keep_one_that_denies(
    operator: Operator, term: str, fits: bool
) -> None:
    assert NameFilter(GroupBy.ACCOUNT, operator, term).matches("The Shop", "shop-de") is fits


def test_accounts_are_called_by_their_display_name_unless_another_one_is_called_so_too() -> None:
    assert label_accounts([account("de", "Shop"), account("fr", "shop"), account("x", "Y")]) == {
        "de": "Shop (de)",
        "fr": "shop (fr)",
        "x": "Y",
    }
    # Else a condition on the one's display name would find the other by its name.
    assert label_accounts([account("de", "Shop"), account("shop", "Z")]) == {"de": "Shop (de)", "shop": "Z"}
