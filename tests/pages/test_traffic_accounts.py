from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.accounts.pricing import ALWAYS, Price
from core.domain.people.permissions import Viewer
from core.domain.reports.paging import PageRequest
from core.services.accounts.encryption import make_key
from core.services.accounts.managing_accounts import NewAccount
from core.services.accounts.setting_up_gateways import GatewayForm
from core.state.accounts import accounts
from tests.support.application.campaigns import save_draft, send
from tests.support.application.page_tests import House, clicking
from tests.support.application.page_tests import house as open_house
from tests.support.fakes.fake_gateway import KIND as PROVIDER
from tests.support.fakes.fake_gateway import VALUES, FakeKind
from tests.support.stores.messages import make_message

KEY = "traffic_accounts"
PRICES = b'Country,Price EUR cents\nDE,6\nFR,"7,25"\n'


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, secret_key=make_key()) as found:
        yield found


def table(at) -> pd.DataFrame:
    return at.dataframe[0].value


def account(house: House, viewer: Viewer) -> Account:
    return house.app.accounts.managing.page(viewer, PageRequest()).items[0]


def keys(at) -> set[str]:
    return {button.key for button in at.button}


def run_panel(house: House, row: int = 0):
    at = house.open(KEY)
    with clicking("run", row):
        at.run()
    assert not at.exception
    return at


def test_the_table_shows_what_the_guide_says(house: House) -> None:
    house.sign_in()
    at = house.open(KEY)
    assert not at.exception
    assert list(table(at).columns[:4]) == ["Account Name", "Display Name", "Account Type", "Status"]
    row = table(at).iloc[0]
    assert (row["Account Name"], row["Display Name"], row["Account Type"], list(row["Status"])) == (
        "simulator",
        "Simulator",
        "Campaign",
        ["Active"],
    )


def test_accounts_are_paged_and_searched(house: House) -> None:
    viewer = house.sign_in()
    for number in range(11):
        new = NewAccount(f"http {number:02}", f"Booking {number:02}", AccountType.HTTP)
        house.app.accounts.managing.create(viewer, new, datetime.now(UTC))
    at = house.open(KEY)
    assert list(table(at)["Display Name"])[:2] == ["Booking 00", "Booking 01"]
    assert len(table(at)) == 10
    assert at.selectbox(key=f"{KEY}_size").options == ["10 per page", "25 per page", "50 per page"]
    at.text_input(key=f"{KEY}_search").set_value("SIMUL").run()
    assert list(table(at)["Account Name"]) == ["simulator"]
    at.text_input(key=f"{KEY}_search").set_value("nothing like it").run()
    assert not at.exception
    assert not at.dataframe


def test_the_pencil_edits_the_display_name(house: House) -> None:
    viewer = house.sign_in()
    at = house.open(KEY)
    with clicking("rename", 0):
        at.run()
    item = account(house, viewer)
    at.text_input(key=f"{KEY}_rename_{item.account_id}_name").set_value("*Great* <b>Britain</b>")
    at.button(key=f"{KEY}_rename_save").click().run()
    assert not at.exception
    assert account(house, viewer).display_name == "*Great* <b>Britain</b>"
    assert list(table(at)["Display Name"]) == ["*Great* <b>Britain</b>"]
    # Nothing a person wrote is markup.
    at = run_panel(house)
    assert not [item for item in at.markdown if "<b>" in item.value]


def test_a_name_that_cannot_be_is_explained_and_the_panel_stays(house: House) -> None:
    viewer = house.sign_in()
    at = house.open(KEY)
    with clicking("rename", 0):
        at.run()
    field = f"{KEY}_rename_{account(house, viewer).account_id}_name"
    at.text_input(key=field).set_value("ab")
    at.button(key=f"{KEY}_rename_save").click().run()
    assert "2 characters" in at.error[0].value
    assert at.text_input(key=field).value == "ab"


def test_a_user_manager_names_accounts_and_runs_none(house: House) -> None:
    house.sign_in()
    house.sign_in("User manager")
    at = house.open(KEY)
    assert list(table(at)["Account Name"]) == ["simulator"]
    assert f"{KEY}_create" not in keys(at)
    with clicking("run", 0):
        at.run()
    # As somebody who forges the click.
    assert "administrator" in at.error[0].value
    assert f"{KEY}_sending_save" not in keys(at)


def test_who_belongs_to_no_account_is_told(house: House) -> None:
    house.sign_in()
    house.cookies.clear()
    house.sign_in("User manager")
    at = house.open(KEY)
    assert not at.exception
    assert at.subheader[0].value == "No traffic accounts"


def test_a_created_account_belongs_to_its_creator(house: House) -> None:
    viewer = house.sign_in()
    at = house.open(KEY)
    at.button(key=f"{KEY}_create").click().run()
    at.text_input(key=f"{KEY}_create_name").set_value("marketing")
    at.text_input(key=f"{KEY}_create_display_name").set_value("Marketing")
    at.number_input(key=f"{KEY}_create_rate").set_value(25)
    at.number_input(key=f"{KEY}_create_budget").set_value(99.5)
    at.button(key=f"{KEY}_create_save").click().run()
    assert not at.exception
    assert not at.error
    viewer = house.app.people.adding.get_viewer(viewer.email)
    (new,) = [item for item in house.app.accounts.managing.list_sending(viewer) if item.name == "marketing"]
    assert (new.rate_tps, new.monthly_budget_eur_cents) == (25, Decimal(9950))


def test_an_account_of_outside_traffic_asks_for_no_gateway(house: House) -> None:
    viewer = house.sign_in()
    at = house.open(KEY)
    at.button(key=f"{KEY}_create").click().run()
    at.radio(key=f"{KEY}_create_type").set_value(AccountType.SMPP).run()
    assert not at.number_input
    at.text_input(key=f"{KEY}_create_name").set_value("simulator")
    at.text_input(key=f"{KEY}_create_display_name").set_value("Booking")
    at.button(key=f"{KEY}_create_save").click().run()
    assert "already" in at.error[0].value
    at.text_input(key=f"{KEY}_create_name").set_value("booking")
    at.button(key=f"{KEY}_create_save").click().run()
    assert not at.error
    assert house.app.accounts.managing.page(viewer, PageRequest()).total == 2
    at = run_panel(house, 0)
    assert f"{KEY}_sending_save" not in keys(at)
    assert "outside the tool" in at.info[0].value


def test_an_account_is_deactivated_only_after_ok_and_activated_again(house: House) -> None:
    viewer = house.sign_in()
    at = house.open(KEY)
    with clicking("switch", 0):
        at.run()
    assert account(house, viewer).status is AccountStatus.ACTIVE
    at.button(key=f"{KEY}_deactivate_ok").click().run()
    assert not at.exception
    assert account(house, viewer).status is AccountStatus.INACTIVE
    assert list(table(at)["Status"][0]) == ["Inactive"]
    at = house.open(KEY)
    with clicking("switch", 0):
        at.run()
    at.button(key=f"{KEY}_activate_ok").click().run()
    assert account(house, viewer).status is AccountStatus.ACTIVE


def test_sending_settings_are_saved(house: House) -> None:
    viewer = house.sign_in()
    at = run_panel(house)
    prefix = f"{KEY}_{account(house, viewer).account_id}"
    at.number_input(key=f"{prefix}_rate").set_value(7)
    at.number_input(key=f"{prefix}_budget").set_value(0.0)
    at.text_area(key=f"{prefix}_stop_confirmation").set_value("You will get no more messages.")
    at.button(key=f"{KEY}_sending_save").click().run()
    assert not at.exception
    found = account(house, viewer)
    assert (found.rate_tps, found.monthly_budget_eur_cents) == (7, Decimal(0))
    assert found.stop_confirmation == "You will get no more messages."
    # What is not touched stays.
    at.number_input(key=f"{prefix}_rate").set_value(8)
    at.button(key=f"{KEY}_sending_save").click().run()
    assert account(house, viewer).stop_confirmation == "You will get no more messages."
    # A budget that is saved can be taken away.
    again = run_panel(house)
    again.number_input(key=f"{prefix}_budget").set_value(None)
    again.button(key=f"{KEY}_sending_save").click().run()
    assert account(house, viewer).monthly_budget_eur_cents is None


@pytest.mark.parametrize(
    ("budget", "cell", "warning"),
    [
        (None, "€\u00a00.15, no budget", ""),
        (Decimal(20), "€\u00a00.15 of €\u00a00.20", ""),
        (Decimal(18), "€\u00a00.15 of €\u00a00.18: over 80 %", "**More than 80 % of the budget of Simulator for"),
        (Decimal(15), "€\u00a00.15 of €\u00a00.15: used up", "**The budget of Simulator for"),
    ],
)
def test_what_is_spent_this_month_stands_beside_the_budget(
    house: House, budget: Decimal | None, cell: str, warning: str
) -> None:
    viewer = house.sign_in()
    account_id = account(house, viewer).account_id
    with house.app.state.write() as session:
        accounts.set_prices(session, account_id, [Price("", "", Decimal(5))])
    send(house, viewer, save_draft(house, viewer))
    with house.app.state.write() as session:
        accounts.set_budget(session, account_id, budget)
    at = house.open(KEY)
    assert not at.exception
    assert list(table(at)["Spent this month"]) == [cell]
    assert [item.value[: len(warning)] for item in at.warning] == ([warning] if warning else [])
    at = run_panel(house)
    said = " ".join(item.value for item in (*at.markdown, *at.warning))
    assert "€\u00a00.15" in said


@pytest.mark.parametrize(("priced", "budget"), [(False, Decimal(500)), (False, None), (True, Decimal(500))])
def test_a_budget_without_prices_says_that_it_stops_nothing(house: House, priced: bool, budget: Decimal | None) -> None:
    account_id = account(house, house.sign_in()).account_id
    with house.app.state.write() as session:
        accounts.replace_prices(session, account_id, [Price("", "", Decimal(5))] if priced else [], ALWAYS)
        accounts.set_budget(session, account_id, budget)
    at = run_panel(house)
    is_said = budget is not None and not priced
    assert ["the budget stops nothing" in item.value for item in at.warning] == [True] * is_said


def test_gateway_and_fallback_are_chosen_from_those_that_are_set_up(
    keyed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeKind().register(monkeypatch)
    viewer = keyed.sign_in()
    keyed.app.accounts.setting_up.create(viewer, "Berlin", PROVIDER, GatewayForm(VALUES), datetime.now(UTC))
    at = run_panel(keyed)
    prefix = f"{KEY}_{account(keyed, viewer).account_id}"
    fields = [at.selectbox(key=f"{prefix}_{name}") for name in ("gateway", "fallback_gateway")]
    assert [field.options for field in fields] == [["Berlin", "simulator"], ["None", "Berlin", "simulator"]]
    assert [field.value for field in fields] == ["simulator", ""]
    fields[1].set_value("simulator")
    at.button(key=f"{KEY}_sending_save").click().run()
    assert "gateway itself" in at.error[0].value
    at.selectbox(key=f"{prefix}_fallback_gateway").set_value("Berlin")
    at.button(key=f"{KEY}_sending_save").click().run()
    assert not at.error
    assert account(keyed, viewer).fallback_gateway == "Berlin"
    at = run_panel(keyed)
    at.selectbox(key=f"{prefix}_fallback_gateway").set_value("")
    at.button(key=f"{KEY}_sending_save").click().run()
    assert account(keyed, viewer).fallback_gateway == ""


def test_a_price_list_is_looked_at_and_then_imported(house: House) -> None:
    viewer = house.sign_in()
    at = run_panel(house)
    at.file_uploader(key=f"{KEY}_prices_0").upload("prices.csv", PRICES).run()
    assert not at.exception
    item, now = account(house, viewer), datetime.now(UTC)
    assert len(house.app.accounts.pricing.list_lists(viewer, item.account_id, now)) == 1
    at.button(key=f"{KEY}_prices_import").click().run()
    assert not at.exception
    newest = house.app.accounts.pricing.list_lists(viewer, item.account_id, now)[0]
    assert (newest.valid_from, newest.price_count, newest.is_current) == (now.date(), 2, True)
    # The same day again: only when the box is checked.
    at.file_uploader(key=f"{KEY}_prices_1").upload("prices.csv", PRICES).run()
    assert at.button(key=f"{KEY}_prices_import").disabled
    at.checkbox(key=f"{KEY}_prices_replace").check().run()
    at.button(key=f"{KEY}_prices_import").click().run()
    assert not at.error
    assert len(house.app.accounts.pricing.list_lists(viewer, item.account_id, now)) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"Country,Price EUR cents\nXX,6\n*,-1\n", "2\N{NO-BREAK SPACE}rows"), (b"\x00\x01", "neither"), (b"", "empty")],
)
def test_a_price_list_with_faults_cannot_be_imported(house: House, content: bytes, message: str) -> None:
    house.sign_in()
    at = run_panel(house)
    at.file_uploader(key=f"{KEY}_prices_0").upload("prices.csv", content).run()
    assert not at.exception
    assert any(message in error.value for error in at.error)
    assert f"{KEY}_prices_import" not in keys(at)


def test_message_history_names_the_accounts_that_are_closed(house: House) -> None:
    viewer = house.sign_in()
    item = account(house, viewer)
    house.record([make_message(account=item.account_id, sent_at=datetime.now(UTC) - timedelta(minutes=1))])
    assert len(house.open("message_history").dataframe[0].value) == 1
    house.app.accounts.managing.deactivate(viewer, item.account_id, datetime.now(UTC))
    at = house.open("message_history")
    assert not at.dataframe
    assert any("messages of Simulator" in caption.value for caption in at.caption)
