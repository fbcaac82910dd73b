"""Two people at one table: an icon belongs to the row it was clicked in, wherever that row is by now."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.people.permissions import Viewer
from core.services.traffic.importing_traffic import TrafficUpload
from tests.support.application import cdr
from tests.support.application.campaigns import save_draft
from tests.support.application.page_tests import House, clicking


def now() -> datetime:
    return datetime.now(UTC)


def add_list(house: House, viewer: Viewer, name: str) -> str:
    return house.upload(viewer, f"Guests {name}", b"PhoneNumber\n491796000001\n").list_id


def add_draft(house: House, viewer: Viewer, name: str) -> str:
    return save_draft(house, viewer, name=f"Spring {name}", list_ids=(), placeholders={}, message="Hello").campaign_id


def add_account(house: House, viewer: Viewer, name: str, kind: AccountType = AccountType.SMPP) -> str:
    account = Account("", f"aaa {name}", f"Account {name}", kind, AccountStatus.ACTIVE, "", 100)
    opened = house.app.accounts.managing.open_account(account, [], now())
    house.app.accounts.managing.join(viewer.user_id, opened.account_id)
    return opened.account_id


def add_import(house: House, viewer: Viewer, name: str) -> str:
    if name == "first":
        add_account(house, viewer, "booking")
    member = house.app.people.adding.get_viewer(viewer.email)
    (account,) = house.app.traffic.list_accounts(member)
    upload = TrafficUpload(account.account_id, f"{name}.csv")
    return house.app.traffic.upload(member, upload, io.BytesIO(cdr.records(1)), now()).import_id


@dataclass(frozen=True)
class Table:
    """A page with a table, an icon of it that asks or opens something, and how a row comes above all others."""

    icon: str
    add: Callable[[House, Viewer, str], str]


TABLES = {
    "distribution_lists": Table("delete", add_list),
    "campaigns": Table("clone", add_draft),
    "traffic_accounts": Table("rename", add_account),
    "import_traffic": Table("delete", add_import),
}


def row_of(at, name: str) -> int:
    return next(row for row, cells in enumerate(at.dataframe[0].value.to_dict("records")) if name in str(cells))


@pytest.mark.parametrize("page", TABLES)
def test_an_icon_acts_on_the_row_it_was_clicked_in(house: House, page: str) -> None:
    # As it was: on the row that stands there by now; Delete asked for another list.
    viewer, table = house.sign_in(), TABLES[page]
    wanted = table.add(house, viewer, "first")
    at = house.open(page)
    row = row_of(at, "first")
    # By name or by date, one of the two comes above it.
    table.add(house, viewer, "aside")
    assert row_of(house.open(page), "first") != row
    with clicking(table.icon, row):
        at.run()
    assert not at.exception
    assert at.session_state["widgets_panel"].subject == wanted


def test_an_icon_of_a_row_that_is_gone_says_so(house: House) -> None:
    # As it was: "This app has encountered an error" where it was the last row.
    viewer = house.sign_in()
    gone = add_list(house, viewer, "first")
    add_list(house, viewer, "aside")
    at = house.open("distribution_lists")
    row = row_of(at, "first")
    house.app.lists.delete(viewer, gone, now())
    with clicking("delete", row):
        at.run()
    assert not at.exception
    assert "There is no such distribution list" in at.error[0].value.replace("\\", "")
