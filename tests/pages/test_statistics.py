import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from core.domain.people.permissions import Viewer
from core.domain.reports.statistics import NAMED, Measure
from core.services.people.managing_people import Change
from pages._ui import session
from pages._ui.filters import name_filter
from tests.support.application.page_tests import House
from tests.support.stores.messages import make_message

# Days are counted from today.
pytestmark = pytest.mark.usefixtures("stopped_clock")

KEY = "statistics"


def day(ago: int) -> date:
    return session.now().date() - timedelta(days=ago)


def mine(viewer: Viewer, ago: int = 1, **overrides: Any) -> dict[str, Any]:
    """Return a message of the viewer's account, sent at midnight so many days ago."""
    (account_id,) = viewer.account_ids
    sent_at = datetime.combine(day(ago), time(), UTC)
    return make_message(**({"account": account_id, "sent_at": sent_at, "price_eur_cents": Decimal(10)} | overrides))


def mixed(viewer: Viewer) -> list[dict[str, Any]]:
    """Return two messages to Germany on different days and one to France: each of another delivery status."""
    delivered = datetime.combine(day(3), time(1), UTC)
    return [
        mine(viewer, ago=3, delivery_status="Delivered", delivered_at=delivered),
        mine(viewer, ago=1, delivery_status="Undelivered", error_code="27"),
        mine(viewer, ago=1, country="FR", network="Orange", mccmnc="20801"),
    ]


def table(at) -> pd.DataFrame:
    """Return the groups, without the row of everything below them."""
    found = at.dataframe[0].value
    assert found.iloc[-1, 0] == "Total"
    return found.iloc[:-1]


def total(at) -> pd.Series:
    return at.dataframe[0].value.iloc[-1]


def numbers(at) -> dict[str, str]:
    return {tile.label: tile.value for tile in at.metric}


def figure(at) -> dict[str, Any]:
    (trace,) = json.loads(at.get("plotly_chart")[0].proto.spec)["data"]
    return trace


def group_by(at, *groups: str) -> None:
    at.button(key=f"{KEY}_group_by").click().run()
    for box in [box for box in at.checkbox if str(box.key).startswith(f"{KEY}_group_")]:
        box.set_value(box.label in groups)
    at.button(key=f"{KEY}_groups_apply").click().run()
    assert not at.exception


def test_without_messages_the_page_says_so(house: House) -> None:
    house.sign_in()
    at = house.open(KEY)
    assert not at.exception
    assert at.subheader[0].value == "Nothing was sent"
    assert not at.dataframe


def test_messages_are_grouped_by_country_and_day_at_first(house: House) -> None:
    viewer = house.sign_in()
    house.record([*mixed(viewer), mine(viewer, account="somebody-else")])
    at = house.open(KEY)
    assert not at.exception
    assert list(table(at).columns) == [
        "Day",
        "Country",
        "Sent",
        "Delivered",
        "Undelivered",
        "Transmitted",
        "Delivery Rate",
        "Cost",
        "DLR Time",
        "DLR Time 95 %",
        "messages",
    ]
    assert sorted(zip(table(at)["Day"], table(at)["Country"], strict=True)) == sorted(
        [
            (f"{day(3):%d/%m/%Y}", "Germany"),
            (f"{day(1):%d/%m/%Y}", "Germany"),
            (f"{day(1):%d/%m/%Y}", "France"),
        ]
    )


def test_totals_agree_with_the_rows_and_with_the_history(house: House) -> None:
    viewer = house.sign_in()
    house.record(mixed(viewer))
    at = house.open(KEY)
    counts = {"Sent": "3", "Delivered": "1", "Undelivered": "1", "Transmitted": "1"}
    assert {name: numbers(at)[name] for name in counts} == counts
    assert [tile.delta for tile in at.metric[:2]] == ["€\u00a00.30", "33.3\u00a0% of sent"]
    for name, count in counts.items():
        assert table(at)[name].sum() == total(at)[name] == int(count)
    assert total(at)["Cost"] == 30
    history = house.open("message_history", period="Last 30 Days")
    assert len(history.dataframe[0].value) == 3


def test_other_groups_change_the_columns_and_stay_in_the_address(house: House) -> None:
    viewer = house.sign_in()
    house.record(mixed(viewer))
    at = house.open(KEY)
    group_by(at, "Network", "Network Code")
    assert list(table(at).columns[:2]) == ["Network", "Network Code"]
    assert dict(zip(table(at)["Network"], table(at)["Sent"], strict=True)) == {"Orange": 1, "Telekom": 2}
    assert at.query_params["group"] == "Network,Network Code"


@pytest.mark.parametrize(
    ("group", "shown"),
    [
        ("Year", "%Y"),
        ("Month", "%m/%Y"),
        ("Day", "%d/%m/%Y"),
        ("Account", "Simulator"),
        ("Country", "Germany"),
        ("Network", "Unknown"),
        ("Network Code", "Unknown"),
        ("Price", "10.00"),
    ],
)
def test_every_group_reads_as_people_say_it(house: House, group: str, shown: str) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer, network="", mccmnc="")])
    at = house.open(KEY, group=group)
    assert not at.exception
    # Dates as of now, not of when the tests were collected: there may be a midnight between.
    assert list(table(at)[group]) == [f"{day(1):{shown}}"]


def test_nonsense_in_the_address_falls_back_to_the_usual_groups(house: House) -> None:
    viewer = house.sign_in()
    house.record(mixed(viewer))
    at = house.open(KEY, group="Nonsense")
    assert not at.exception
    assert list(table(at).columns[:2]) == ["Day", "Country"]
    assert numbers(at)["Sent"] == "3"


def test_at_least_one_group_is_needed(house: House) -> None:
    viewer = house.sign_in()
    house.record(mixed(viewer))
    at = house.open(KEY)
    group_by(at)
    assert at.error[0].value == "Choose at least one."
    at.button(key=f"{KEY}_groups_cancel").click().run()
    assert "Country" in table(at).columns


def test_days_are_drawn_as_a_line_in_which_an_empty_one_is_zero(house: House) -> None:
    viewer = house.sign_in()
    house.record(mixed(viewer))
    line = figure(house.open(KEY, period="Last 7 Days", group="Day"))
    assert line["type"] == "scatter"
    sent = dict(zip([moment[:10] for moment in line["x"]], line["y"], strict=True))
    assert len(sent) == 7
    assert [sent[day(ago).isoformat()] for ago in (3, 2, 1)] == [1, 0, 2]


def test_a_range_of_centuries_draws_only_the_days_around_the_messages(house: House) -> None:
    viewer = house.sign_in()
    house.record(mixed(viewer))
    at = house.open(KEY, period="Custom range", group="Day", **{"from": "1970-01-01", "to": "2999-12-31"})
    assert not at.exception
    assert len(figure(at)["x"]) == 3


def test_other_groups_are_drawn_as_bars_the_largest_first(house: House) -> None:
    viewer = house.sign_in()
    house.record(mixed(viewer))
    bars = figure(house.open(KEY, group="Country"))
    assert (bars["type"], bars["y"]) == ("bar", ["Germany", "France"])


def test_another_period_counts_only_its_own_messages(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer, ago=40), *mixed(viewer)])
    at = house.open(KEY)
    assert numbers(at)["Sent"] == "3"
    at.radio(key=f"{KEY}_period").set_value("Yesterday").run()
    at.button(key=f"{KEY}_apply").click().run()
    assert not at.exception
    assert numbers(at)["Sent"] == "2"


def test_days_are_those_of_the_viewers_zone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer, ago=1)])
    identify = house.app.people.signing_in.identify

    def in_honolulu(*args: Any) -> Any:
        found = identify(*args)
        return found and type(found)(**{**vars(found), "time_zone": "Pacific/Honolulu"})

    monkeypatch.setattr(house.app.people.signing_in, "identify", in_honolulu)
    at = house.open(KEY, group="Day")
    assert list(table(at)["Day"]) == [f"{day(2):%d/%m/%Y}"]


def test_pages_hold_what_was_asked_for(house: House) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer, ago=ago) for ago in range(1, 21)])
    at = house.open(KEY, group="Day")
    assert len(table(at)) == 15
    assert numbers(at)["Sent"] == "20"
    assert len(table(house.open(KEY, group="Day", statistics_page="2"))) == 5


def test_the_delay_is_that_of_the_delivered_messages(house: House) -> None:
    viewer = house.sign_in()
    house.record(mixed(viewer))
    at = house.open(KEY, group="Country")
    (germany,) = table(at)[table(at)["Country"] == "Germany"]["DLR Time"]
    assert germany == total(at)["DLR Time"] == pytest.approx(3600, rel=0.1)


def test_all_groups_are_sorted_not_only_those_of_the_page(house: House) -> None:
    viewer = house.sign_in()
    # The last of 20 days has the most messages.
    house.record([mine(viewer, ago=ago) for ago in range(1, 21) for _ in range(3 if ago == 1 else 1)])
    at = house.open(KEY, group="Day")
    assert f"{day(1):%d/%m/%Y}" not in set(table(at)["Day"])
    at.toggle(key=f"{KEY}_sort_descending").set_value(True).run()
    at.radio(key=f"{KEY}_sort_by").set_value(Measure.SENT).run()
    assert not at.exception
    assert (table(at)["Day"].iloc[0], table(at)["Sent"].iloc[0]) == (f"{day(1):%d/%m/%Y}", 3)
    assert at.query_params["sort"] == "-sent"
    assert table(house.open(KEY, group="Day", sort="-sent"))["Sent"].iloc[0] == 3


def test_conditions_on_names_narrow_rows_and_totals(house: House) -> None:
    viewer = house.sign_in()
    house.record(mixed(viewer))
    at = house.open(KEY, group="Country")
    at.button(key=f"{KEY}_filter_by").click().run()
    at.selectbox(key=f"{KEY}_operator_Country").set_value("Starts with")
    at.text_input(key=f"{KEY}_term_Country").set_value("fr")
    at.button(key=f"{KEY}_filter_search").click().run()
    assert not at.exception
    assert list(table(at)["Country"]) == ["France"]
    assert numbers(at)["Sent"] == "1"
    # The address alone shows the same, and a click on the chip takes the condition away.
    again = house.open(KEY, group="Country", where="Country|Starts with|fr")
    assert list(table(again)["Country"]) == ["France"]
    again.button(key=f"{KEY}_name_chip_0").click().run()
    assert numbers(again)["Sent"] == "3"


def test_what_a_condition_asks_for_is_short_enough_for_a_phone() -> None:
    # More than twelve letters are cut off beside the operator at 390 pixels.
    assert max(map(len, name_filter.HINTS.values())) <= 12
    assert set(name_filter.HINTS) == set(NAMED)


def test_nonsense_conditions_in_the_address_are_passed_over(house: House) -> None:
    viewer = house.sign_in()
    house.record(mixed(viewer))
    assert numbers(house.open(KEY, where="Country|Drop|table"))["Sent"] == "3"


def test_export_as_excel_is_ordered_and_shown_in_the_toolbar(house: House) -> None:
    viewer = house.sign_in()
    house.record(mixed(viewer))
    at = house.open(KEY, group="Country", sort="-sent")
    at.button(key=f"{KEY}_export").click().run()
    assert not at.exception
    (ordered,) = house.app.reports.exporting.list_mine(viewer)
    assert any(ordered.file_name in str(text.value).replace("\\", "") for text in at.markdown)
    house.app.reports.exporting.run(ordered.export_id, lambda: datetime.now(UTC))
    at.run()
    (done,) = house.app.reports.exporting.list_mine(viewer)
    assert (done.status, done.row_count) == ("Ready", 2)
    assert any("2\u00a0rows" in str(caption.value) for caption in at.caption)


def test_a_shared_view_says_whose_accounts_it_shows(house: House) -> None:
    house.sign_in()
    at = house.open(KEY)
    assert "A shared view" not in " ".join(str(caption.value) for caption in at.caption)
    at.text_input(key=f"{KEY}_view_name").set_value("All of it")
    at.toggle(key=f"{KEY}_view_shared").set_value(True)
    at.button(key=f"{KEY}_view_save").click().run()
    assert not at.exception
    other = house.sign_in("Reporting manager")
    [mine] = house.app.accounts.managing.list_accounts(other)
    said = " ".join(str(caption.value) for caption in house.open(KEY).caption)
    assert f"everybody sees their own accounts, you see {mine.display_name}." in said


def test_a_saved_view_shows_the_same_again(house: House) -> None:
    viewer = house.sign_in()
    house.record(mixed(viewer))
    at = house.open(KEY, group="Country", sort="-sent", where="Country|Starts with|fr")
    at.text_input(key=f"{KEY}_view_name").set_value("French ones")
    at.button(key=f"{KEY}_view_save").click().run()
    assert not at.exception
    (view,) = house.app.reports.views.list_views(viewer, KEY)
    plain = house.open(KEY)
    assert numbers(plain)["Sent"] == "3"
    plain.button(key=f"{KEY}_view_{view.view_id}").click().run()
    assert not plain.exception
    assert list(table(plain)["Country"]) == ["France"]
    assert plain.query_params["sort"] == "-sent"
    plain.button(key=f"{KEY}_unview_{view.view_id}").click().run()
    assert house.app.reports.views.list_views(viewer, KEY) == []


@pytest.mark.parametrize("stem", [KEY, "message_history", "dashboard"])
def test_an_administrator_without_any_account_learns_why_it_is_empty(house: House, stem: str) -> None:
    viewer = house.sign_in()
    house.record(mixed(viewer))
    house.app.upkeep.rolling_up.refresh()
    alone = Change(viewer.name, viewer.permissions)
    house.app.people.managing.change(viewer, viewer.user_id, alone, datetime.now(UTC))
    at = house.open(stem)
    assert not at.exception
    assert not at.dataframe
    said = [str(item.value) for kind in (at.subheader, at.info) for item in kind]
    assert any("You do not belong to any traffic account." in text for text in said)


def test_a_reporting_manager_sees_the_own_account_among_others(house: House) -> None:
    admin = house.sign_in()
    house.record([*mixed(admin), mine(admin, account="somebody-else", country="AT")])
    house.app.upkeep.rolling_up.refresh()
    house.sign_in("Reporting manager")
    at = house.open(KEY, group="Account,Country")
    assert not at.exception
    assert sorted(zip(table(at)["Account"], table(at)["Country"], strict=True)) == [
        ("Simulator", "France"),
        ("Simulator", "Germany"),
    ]
    at.button(key=f"{KEY}_export").click().run()
    assert not at.exception


@pytest.mark.parametrize("group", ["Day", "Month", "Year"])
def test_a_single_day_is_drawn_by_its_hours(house: House, group: str) -> None:
    viewer = house.sign_in()
    house.record([mine(viewer), mine(viewer, sent_at=datetime.combine(day(1), time(5, 30), UTC))])
    line = figure(house.open(KEY, period="Custom range", group=group, **{"from": f"{day(1)}", "to": f"{day(1)}"}))
    sent = dict(zip([moment[11:13] for moment in line["x"]], line["y"], strict=True))
    assert len(sent) == 24
    assert (sent["00"], sent["05"], sum(sent.values())) == (1, 1, 2)
