from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from core.domain.people.permissions import Viewer
from core.errors import StorageError
from core.services.people.managing_people import Change
from pages._ui import session
from tests.support.application.campaigns import save_draft, send
from tests.support.application.page_tests import House, choosing, clicking
from tests.support.stores.messages import make_message

KEY = "message_history"
GUIDE = [
    "Sent Date",
    "Receiver",
    "Sender",
    "Country",
    "Network",
    "MCCMNC",
    "Error Code",
    "Delivery Status",
    "Delivery Date",
    "DLR Time",
    "Price [EUR c]",
    "Unicode",
    "Message ID",
    "Gateway Message ID",
    "Account",
]


def mine(viewer: Viewer, **overrides: Any) -> dict[str, Any]:
    """Return a message of the viewer's account, sent a minute ago."""
    (account_id,) = viewer.account_ids
    return make_message(**({"account": account_id, "sent_at": datetime.now(UTC) - timedelta(minutes=1)} | overrides))


def table(at) -> pd.DataFrame:
    return at.dataframe[0].value


def receivers(at) -> list[str]:
    return list(table(at)["Receiver"])


def keys(at) -> set[str]:
    return {button.key for button in at.button}


def search(at, **fields: str) -> None:
    """Open Filter By, fill in its text fields and click Search."""
    at.button(key=f"{KEY}_filter_by").click().run()
    for name, value in fields.items():
        at.text_input(key=f"{KEY}_filter_{name}").set_value(value)
    at.button(key=f"{KEY}_filter_search").click().run()
    assert not at.exception


def test_without_messages_the_page_says_what_to_do(house: House) -> None:
    house.sign_in()
    at = house.open(KEY)
    assert not at.exception
    assert not at.dataframe
    assert at.subheader[0].value == "No messages"


def test_message_is_shown_as_the_guide_says(house: House) -> None:
    viewer = house.sign_in()
    sent_at = datetime.now(UTC) - timedelta(minutes=1)
    message = mine(
        viewer,
        sent_at=sent_at,
        delivery_status="Delivered",
        delivered_at=sent_at + timedelta(seconds=4.2),
        price_eur_cents=Decimal("7.25"),
        unicode=True,
    )
    house.record([message])
    at = house.open(KEY)
    for name in GUIDE:
        at.checkbox(key=f"{KEY}_column_{name}").check()
    at.run()
    assert not at.exception
    assert list(table(at).columns) == [*GUIDE, "view"]
    row = table(at).iloc[0]
    assert (row["Receiver"], row["Country"], row["Network"]) == ("+491796548754", "Germany", "Telekom")
    assert (list(row["Delivery Status"]), row["Unicode"], row["Message ID"]) == (
        ["Delivered"],
        "Yes",
        message["message_id"],
    )
    assert row["DLR Time"] == pytest.approx(4.2)
    assert row["Price [EUR c]"] == pytest.approx(7.25)


def test_messages_of_other_accounts_are_not_there(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer), mine(viewer, account="somebody-else", receiver="+491790000000")])
    assert receivers(house.open(KEY)) == ["+491796548754"]


def test_numbers_are_covered_for_those_who_do_not_upload_them(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer)])
    house.sign_in("Reporting manager")
    (shown,) = receivers(house.open(KEY))
    assert shown.startswith("+4")
    assert not any(digit in shown[2:] for digit in "0123456789")


def test_pages_hold_what_was_asked_for(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer) for _ in range(26)])
    at = house.open(KEY)
    assert len(receivers(at)) == 15
    assert at.selectbox(key=f"{KEY}_size").options == ["15 per page", "25 per page", "50 per page", "100 per page"]
    assert any("1–15 of 26" in caption.value for caption in at.caption)
    at.selectbox(key=f"{KEY}_size").select(25).run()
    assert len(receivers(at)) == 25
    assert len(receivers(house.open(KEY, message_history_page="2", message_history_size="25"))) == 1


def test_filters_narrow_the_table_and_go_away_by_their_chips(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer), mine(viewer, receiver="+491791111111", sender="OTHER")])
    at = house.open(KEY)
    search(at, receiver="4875", sender="helio")
    assert receivers(at) == ["+491796548754"]
    assert (at.query_params["receiver"], at.query_params["sender"]) == ("4875", "helio")
    assert at.button(key=f"{KEY}_chip_receiver").label == "Receiver: 4875"
    at.button(key=f"{KEY}_chip_receiver").click().run()
    at.button(key=f"{KEY}_chip_sender").click().run()
    assert "receiver" not in at.query_params
    assert len(receivers(at)) == 2


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [
        ("receiver", "+49 179 654", 1),
        ("sender", "HELIO", 1),
        ("country", "FR", 1),
        ("network", "orange", 1),
        ("mccmnc", "208", 1),
        ("delivery_status", "Undelivered", 1),
        ("error_code", "27", 1),
        ("message_id", "no such thing", 0),
    ],
)
def test_each_of_the_guides_filters_works_from_the_address(house: House, name: str, value: str, count: int) -> None:
    viewer = house.sign_in()
    french = {"country": "FR", "network": "Orange", "mccmnc": "20801", "receiver": "+33612345678", "sender": "ALLO"}
    failed = {"delivery_status": "Undelivered", "error_code": "27"}
    house.record([mine(viewer), mine(viewer, **french, **failed)])
    at = house.open(KEY, **{name: value})
    assert not at.exception
    assert len(at.dataframe[0].value if at.dataframe else []) == count
    assert f"{KEY}_chip_{name}" in keys(at)


def test_canceled_filter_changes_nothing(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer)])
    at = house.open(KEY)
    at.button(key=f"{KEY}_filter_by").click().run()
    at.text_input(key=f"{KEY}_filter_sender").set_value("nobody")
    at.button(key=f"{KEY}_filter_cancel").click().run()
    assert len(receivers(at)) == 1
    assert "sender" not in at.query_params


def test_search_starts_again_at_the_first_page(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer) for _ in range(20)])
    at = house.open(KEY, message_history_page="2")
    assert len(receivers(at)) == 5
    search(at, sender="helio")
    assert len(receivers(at)) == 15


def test_columns_left_out_stay_out_and_none_at_all_is_said(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer)])
    at = house.open(KEY)
    at.checkbox(key=f"{KEY}_column_Sender").uncheck().run()
    assert "Sender" not in table(at).columns
    for name in GUIDE:
        at.checkbox(key=f"{KEY}_column_{name}").uncheck()
    at.run()
    assert not at.exception
    assert at.info[0].value == "No column is chosen."


def test_period_is_applied_only_by_apply(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer, sent_at=datetime.now(UTC) - timedelta(days=20))])
    at = house.open(KEY)
    assert not at.dataframe
    at.radio(key=f"{KEY}_period").set_value("Last 30 Days").run()
    assert not at.dataframe
    at.button(key=f"{KEY}_apply").click().run()
    assert not at.exception
    assert len(receivers(at)) == 1
    assert at.query_params["period"] == "Last 30 Days"


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("2026-03-02", "2026-03-01", "before it starts"),
        ("", "2026-03-01", "has no dates"),
        ("2026-03-01", "", "has no dates"),
        ("yesterday", "2026-03-01", "cannot be used"),
        ("0001-01-01", "2026-03-01", "out of bounds"),
    ],
)
def test_range_that_makes_no_sense_is_explained(house: House, first: str, last: str, message: str) -> None:
    house.sign_in()
    at = house.open(KEY, period="Custom range", **{"from": first, "to": last})
    assert not at.exception
    assert message in at.error[0].value


def test_campaigns_messages_are_shown_whenever_they_were_sent(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer, receiver="+491791111111")])
    campaign = send(house, viewer, save_draft(house, viewer))
    at = house.open(KEY, campaign=campaign.campaign_id, period="Yesterday")
    assert not at.exception
    sent_count = house.app.reports.reporting.reconciliation(viewer, campaign.campaign_id).sent_count
    assert len(receivers(at)) == sent_count
    assert at.button(key=f"{KEY}_chip_campaign_id").label == "Campaign: Spring greeting"
    search(at, receiver="8754")
    assert receivers(at) == ["+491796548754"]
    at.button(key=f"{KEY}_chip_campaign_id").click().run()
    assert "campaign" not in at.query_params
    assert not at.exception


def test_campaign_filter_holds_for_those_who_may_not_see_its_name(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer, receiver="+491791111111")])
    campaign = send(house, viewer, save_draft(house, viewer))
    sent_count = house.app.reports.reporting.reconciliation(viewer, campaign.campaign_id).sent_count
    house.sign_in("Reporting manager")
    at = house.open(KEY, campaign=campaign.campaign_id)
    assert not at.exception
    assert len(receivers(at)) == sent_count
    assert at.button(key=f"{KEY}_chip_campaign_id").label == "One campaign"


@pytest.mark.parametrize("presets", [("Administrator",), ("Administrator", "Reporting manager")])
def test_unknown_campaign_is_an_error_with_a_way_out(house: House, presets: Sequence[str]) -> None:
    viewer = house.sign_in(presets[0])
    house.record([mine(viewer)])
    for preset in presets[1:]:
        house.sign_in(preset)
    at = house.open(KEY, campaign="nope")
    assert not at.exception
    assert "There is no such campaign" in at.error[0].value
    assert "Check the address" in at.error[0].value
    assert not at.dataframe
    at.button(key=f"{KEY}_all").click().run()
    assert not at.error
    assert len(at.dataframe) == 1


def test_no_way_out_is_offered_where_it_would_lead_to_the_same(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.sign_in()

    def fail(*_: object) -> None:
        raise StorageError("The history does not answer.", hint="Try again.")

    monkeypatch.setattr(house.app.reports.reporting, "messages", fail)
    at = house.open(KEY)
    assert "The history does not answer" in at.error[0].value
    assert f"{KEY}_all" not in keys(at)


def test_another_accounts_campaign_is_as_unknown_to_those_who_see_no_campaigns(house: House) -> None:
    admin = house.sign_in()
    campaign = save_draft(house, admin)
    reader = house.sign_in("Reporting manager")
    nowhere = Change("Ben", reader.permissions, frozenset())
    house.app.people.managing.change(admin, reader.user_id, nowhere, datetime.now(UTC))
    at = house.open(KEY, campaign=campaign.campaign_id)
    assert not at.exception
    assert "There is no such campaign" in at.error[0].value


@pytest.mark.usefixtures("stopped_clock")
def test_the_filter_and_the_chosen_columns_are_exported(house: House) -> None:
    viewer = house.sign_in()
    (account_id,) = viewer.account_ids
    now = session.now()
    house.record([make_message(account=account_id, sent_at=now, country=country) for country in ("DE", "FR", "FR")])
    at = house.open("message_history", period="Today", country="FR")
    at.button(key="message_history_export_csv").click().run()
    assert not at.exception
    (ordered,) = house.app.reports.exporting.list_mine(viewer)
    house.app.reports.exporting.run(ordered.export_id, lambda: now)
    path = house.app.reports.exporting.fetch(viewer, ordered.export_id, now).path
    header, *rows = path.read_text("utf-8-sig").splitlines()
    assert header.startswith('"Sent Date","Receiver","Sender"')
    assert "Message ID" not in header
    assert len(rows) == 2


@pytest.mark.usefixtures("stopped_clock")
def test_the_chosen_columns_are_found_again_in_another_browser(house: House) -> None:
    viewer = house.sign_in()
    (account_id,) = viewer.account_ids
    house.record([make_message(account=account_id, sent_at=session.now())])
    at = house.open("message_history", period="Today")
    at.checkbox(key="message_history_column_Unicode").set_value(True).run()
    at.checkbox(key="message_history_column_Sender").set_value(False).run()
    assert not at.exception
    another = house.open("message_history", period="Today")
    columns = list(another.dataframe[0].value.columns)
    assert "Unicode" in columns
    assert "Sender" not in columns


@pytest.mark.usefixtures("stopped_clock")
def test_what_another_browser_still_shows_does_not_undo_the_choice(house: House) -> None:
    viewer = house.sign_in()
    (account_id,) = viewer.account_ids
    house.record([make_message(account=account_id, sent_at=session.now())])
    here, there = (house.open("message_history", period="Today") for _ in range(2))
    here.checkbox(key="message_history_column_Unicode").set_value(True).run()
    there.run()
    assert "Unicode" in (house.app.reports.views.find_columns(viewer, "message_history") or ())


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("price", ["NaN", "Infinity", "1e400", "123456789012345", "seven", "-"])
def test_a_price_in_the_address_that_is_none_is_passed_over(house: House, price: str) -> None:
    viewer = house.sign_in()
    (account_id,) = viewer.account_ids
    house.record([make_message(account=account_id, sent_at=session.now())])
    at = house.open("message_history", period="Today", price=price)
    assert not at.exception
    assert not at.error
    assert len(at.dataframe[0].value) == 1


def exported(house: House, viewer: Viewer) -> list[str]:
    """Write the export that was ordered, as the worker would, and return its lines without the header."""
    (ordered,) = house.app.reports.exporting.list_mine(viewer)
    house.app.reports.exporting.run(ordered.export_id, lambda: datetime.now(UTC))
    path = house.app.reports.exporting.fetch(viewer, ordered.export_id, datetime.now(UTC)).path
    return path.read_text("utf-8-sig").splitlines()[1:]


def test_the_eye_opens_the_message_and_takes_the_filters_along(house: House) -> None:
    viewer = house.sign_in()
    first = mine(viewer, sent_at=datetime.now(UTC) - timedelta(minutes=1))
    house.record([first, mine(viewer, sent_at=datetime.now(UTC) - timedelta(minutes=2))])
    with clicking("view", 0):
        at = house.open(KEY, sender="helio")
    assert not at.exception
    assert at.query_params["id"] == first["message_id"]
    assert "sender=helio" in at.query_params["back"]
    assert at.header[0].value == r"\+491796548754"


def test_a_selection_is_exported_whatever_comes_meanwhile(house: House) -> None:
    viewer = house.sign_in()
    numbers = [f"+49179654875{digit}" for digit in range(4)]
    sent_at = datetime.now(UTC) - timedelta(hours=1)
    house.record(
        mine(viewer, receiver=number, sent_at=sent_at - timedelta(minutes=digit))
        for digit, number in enumerate(numbers)
    )
    at = house.open(KEY)
    assert f"{KEY}_selection_clear" not in keys(at)
    with choosing([0, 2]):
        at.run()
        assert any("2 selected" in text.value for text in at.markdown)
        house.record([mine(viewer, receiver="+491790000000")], batch_id="batch-2")
        at.run()
        assert receivers(at)[0] == "+491790000000"
        assert any("2 selected" in text.value for text in at.markdown)
        at.button(key=f"{KEY}_selection_export_csv").click().run()
    assert not at.exception
    lines = exported(house, viewer)
    assert len(lines) == 2
    assert [number in line for line, number in zip(lines, (numbers[0], numbers[2]), strict=True)] == [True, True]


def test_another_page_or_clear_ends_the_selection(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer) for _ in range(20)])
    at = house.open(KEY)
    with choosing([0, 1]):
        at.run()
    at.selectbox(key=f"{KEY}_size").select(25).run()
    assert f"{KEY}_selection_clear" not in keys(at)
    with choosing([3]):
        at.run()
        assert f"{KEY}_selection_clear" in keys(at)
    at.button(key=f"{KEY}_selection_clear").click().run()
    assert not at.exception
    assert f"{KEY}_selection_clear" not in keys(at)


def test_a_selection_is_exported_masked_for_those_who_see_it_masked(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer), mine(viewer)])
    reader = house.sign_in("Reporting manager")
    at = house.open(KEY)
    with choosing([1]):
        at.run()
        at.button(key=f"{KEY}_selection_export_csv").click().run()
    (line,) = exported(house, reader)
    assert "+4••••" in line
    assert "6548754" not in line
