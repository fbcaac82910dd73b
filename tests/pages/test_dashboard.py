from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import update

from core.errors import StorageError
from core.state.tables.models import AccountRow
from pages._ui import session
from tests.support.application.campaigns import freeze, now, save_draft
from tests.support.application.page_tests import House
from tests.support.stores.messages import make_message


def numbers(at) -> dict[str, str]:
    return {tile.label: tile.value for tile in at.metric}


def test_empty_dashboard_has_no_rate_instead_of_zero_percent(house: House) -> None:
    house.sign_in()
    at = house.open("dashboard")
    assert not at.exception
    assert numbers(at) == {
        "SMS Traffic Quantity": "0",
        "SMS Traffic Cost": "€\u00a00.00",
        "SMS Traffic Delivery Rate": "–",
    }


def steps(at) -> str:
    return " ".join(item.value for item in at.markdown if "Add a distribution list" in item.value)


def first_buttons(at) -> set[str]:
    return {button.key for button in at.button if button.key.startswith("dashboard_first")}


def test_who_has_sent_nothing_is_told_what_to_do_until_the_first_launch(house: House) -> None:
    viewer = house.sign_in()
    at = house.open("dashboard")
    assert steps(at).startswith("1. **Set up a gateway**")
    assert "2. **Choose it for a traffic account**" in steps(at)
    always = {f"dashboard_first_{name}" for name in ("gateways", "traffic_accounts", "list", "create_campaign")}
    assert first_buttons(at) == always
    assert any("simulator" in caption.value for caption in at.caption)
    draft = save_draft(house, viewer)
    assert steps(house.open("dashboard")).count(":material/check_circle:") == 2
    # A test is no campaign.
    house.app.campaigns.quick_sending.send_test(viewer, draft.campaign_id, "+491796548754", 0, str(uuid4()), now())
    house.app.work.run_until_idle(now)
    at = house.open("dashboard")
    assert steps(at)
    assert at.metric[0].value == "1"
    freeze(house, viewer, draft)
    assert not steps(house.open("dashboard"))


def test_who_sets_up_no_gateways_is_told_to_write_first(house: House) -> None:
    house.sign_in("Campaign manager")
    at = house.open("dashboard")
    assert steps(at).startswith("1. **Add a distribution list**")
    assert first_buttons(at) == {"dashboard_first_list", "dashboard_first_create_campaign"}


@pytest.mark.usefixtures("administrator")
def test_a_gateway_that_an_account_uses_is_a_step_done(keyed: House) -> None:
    done = ":material/check_circle: "
    assert steps(keyed.open("dashboard")).startswith(f"1. {done}**Set up")
    with keyed.app.state.write() as state:
        state.execute(update(AccountRow).values(gateway="Berlin"))
    at = keyed.open("dashboard")
    assert f"2. {done}**Choose it" in steps(at)
    assert not any("simulator" in caption.value for caption in at.caption)


def test_who_may_not_send_is_told_no_steps(house: House) -> None:
    house.sign_in("Reporting manager")
    assert not steps(house.open("dashboard"))


@pytest.mark.usefixtures("stopped_clock")
def test_dashboard_shows_todays_traffic_of_the_viewers_account(house: House) -> None:
    viewer = house.sign_in()
    (account_id,) = viewer.account_ids
    now = session.now()
    mine = {"account": account_id, "sent_at": now, "price_eur_cents": Decimal("7.25")}
    delivered = [make_message(delivery_status="Delivered", delivered_at=now, **mine) for _ in range(3)]
    others = [make_message(sent_at=now, account="somebody-else")]
    house.record([*delivered, make_message(delivery_status="Undelivered", error_code="27", **mine), *others])
    at = house.open("dashboard")
    assert not at.exception
    assert numbers(at) == {
        "SMS Traffic Quantity": "4",
        "SMS Traffic Cost": "€\u00a00.29",
        "SMS Traffic Delivery Rate": "75.0\u00a0%",
    }


@pytest.mark.usefixtures("stopped_clock")
def test_another_period_shows_its_own_traffic(house: House) -> None:
    viewer = house.sign_in()
    (account_id,) = viewer.account_ids
    house.record([make_message(account=account_id, sent_at=session.now())])
    at = house.open("dashboard")
    assert at.selectbox(key="dashboard_period").options == [
        "Today",
        "Yesterday",
        "Last 7 Days",
        "Last 30 Days",
        "This Month",
        "Last Month",
    ]
    at.selectbox(key="dashboard_period").select("Yesterday").run()
    assert numbers(at)["SMS Traffic Quantity"] == "0"


def test_shortcuts_are_only_those_the_viewer_may_follow(house: House) -> None:
    house.sign_in()
    shortcuts = {button.key for button in house.open("dashboard").button}
    assert {"dashboard_add_list", "dashboard_create"} <= shortcuts
    house.sign_in("Reporting manager")
    shortcuts = {button.key for button in house.open("dashboard").button}
    assert not {"dashboard_add_list", "dashboard_create"} & shortcuts


@pytest.mark.parametrize("key", ["dashboard_add_list", "dashboard_first_list"])
def test_a_list_is_added_without_a_second_click(house: House, key: str) -> None:
    house.sign_in()
    at = house.open("dashboard")
    at.button(key=key).click().run()
    assert at.title[0].value == "Distribution Lists"
    assert at.text_input(key="distribution_lists_name").label == "List Name"


def test_storage_that_does_not_answer_is_an_error_on_the_page(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.sign_in()

    def fail(*_: object) -> None:
        raise StorageError("The history does not answer.", hint="Try again.")

    monkeypatch.setattr(house.app.reports.reporting, "traffic", fail)
    at = house.open("dashboard")
    assert not at.exception
    assert "The history does not answer" in at.error[0].value


def test_nobody_sees_anything_without_a_session(house: House) -> None:
    at = house.open("dashboard")
    assert not at.title
    assert not at.metric


def test_an_ended_session_leaves_for_the_login_page(house: House) -> None:
    house.sign_in()
    at = house.open("dashboard")
    at.button(key="frame_log_out").click().run()
    assert any("location.replace('/login')" in html.value for html in at.html)
    assert house.app.people.signing_in.identify(next(iter(house.cookies.values())), datetime.now(UTC)) is None


def test_another_persons_session_state_is_never_taken_over(house: House) -> None:
    house.sign_in()
    at = house.open("dashboard")
    at.session_state["secret"] = "the administrator's"
    house.sign_in("Reporting manager")
    at.run()
    assert "secret" not in at.session_state
    assert [page for page in at.title if page.value == "Dashboard"]
