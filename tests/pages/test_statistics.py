from datetime import UTC, datetime, timedelta

import pytest

from tests.support.messages import make_message
from tests.support.page_tests import House


def record(house: House) -> None:
    (account_id,) = house.sign_in().account_ids
    now = datetime.now(UTC)
    yesterday = now - timedelta(days=1)
    facts = {"account": account_id}
    house.record(
        [
            *(make_message(sent_at=now, country="DE", **facts) for _ in range(4)),
            *(
                make_message(sent_at=yesterday, country="DE", delivery_status="Delivered", delivered_at=now, **facts)
                for _ in range(3)
            ),
            *(
                make_message(sent_at=now, country="FR", delivery_status="Undelivered", error_code="1", **facts)
                for _ in range(2)
            ),
        ]
    )


def figures(at) -> dict[str, str]:
    return {tile.label: tile.value for tile in at.metric}


def test_nothing_sent_is_said_so(house: House):
    house.sign_in()
    at = house.open("statistics")
    assert not at.exception
    assert "Nothing was sent" in [heading.value for heading in at.subheader]


def test_groups_add_up_to_the_totals(house: House):
    record(house)
    at = house.open("statistics")
    assert not at.exception
    assert figures(at) == {"Sent": "9", "Delivered": "3", "Undelivered": "2", "Transmitted": "4"}
    found = at.dataframe[0].value
    assert sum(found["Sent"]) == 9
    assert list(found.columns)[:2] == ["Country", "Day"] or list(found.columns)[:2] == ["Day", "Country"]


def test_the_address_chooses_the_groups(house: House):
    record(house)
    found = house.open("statistics", group="Country").dataframe[0].value
    assert dict(zip(found["Country"], found["Sent"], strict=True)) == {"Germany": 7, "France": 2}
    assert "Day" not in found.columns


def test_the_group_by_panel_changes_them(house: House):
    record(house)
    at = house.open("statistics", group="Country")
    at.button(key="statistics_group_by").click().run()
    at.checkbox(key="statistics_group_Network").check()
    at.button(key="statistics_groups_apply").click().run()
    assert not at.exception
    assert "Network" in at.dataframe[0].value.columns


def test_nonsense_in_the_address_falls_back_to_the_usual_groups(house: House):
    record(house)
    at = house.open("statistics", group="; DROP TABLE messages")
    assert not at.exception
    assert figures(at)["Sent"] == "9"


def test_without_the_permission_there_is_no_such_page(house: House):
    house.sign_in("Campaign manager")
    with pytest.raises(ValueError, match="statistics"):
        house.open("statistics")
    assert house.open_directly("statistics").error
