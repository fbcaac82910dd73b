from datetime import UTC, datetime, timedelta

import pytest

from pages._ui import period_filter
from tests.support.messages import make_message
from tests.support.page_tests import House


def record(house: House, preset: str = "Administrator") -> None:
    """Put 40 messages into the account of the person who is signed in."""
    house.sign_in("Administrator")
    viewer = house.sign_in(preset) if preset != "Administrator" else house.app.people.get_viewer()
    (account_id,) = viewer.account_ids
    now = datetime.now(UTC)
    facts = {"account": account_id, "sent_at": now}
    delivered = {"delivery_status": "Delivered", "delivered_at": now + timedelta(seconds=4.2)}
    messages = [make_message(receiver=f"+49179654{number:04d}", **facts) for number in range(37)]
    messages += [make_message(receiver="+33612000000", country="FR", **facts, **delivered) for _ in range(3)]
    house.record(messages)


def table(at):
    return at.dataframe[0].value


def test_nothing_sent_is_said_so(house: House):
    house.sign_in()
    at = house.open("message_history")
    assert not at.exception
    assert "No messages" in [heading.value for heading in at.subheader]


def test_messages_are_paged_newest_first(house: House):
    record(house)
    at = house.open("message_history")
    assert not at.exception
    assert len(table(at)) == 15
    assert any("of 40" in caption.value for caption in at.caption)


def test_a_filter_in_the_address_narrows_and_can_be_taken_away(house: House):
    record(house)
    at = house.open("message_history", delivery_status="Delivered", country="FR")
    assert len(table(at)) == 3
    assert set(table(at)["Country"]) == {"France"}
    at.button(key="message_history_chip_country").click().run()
    at.button(key="message_history_chip_delivery_status").click().run()
    assert any("of 40" in caption.value for caption in at.caption)


def test_columns_are_shown_as_chosen(house: House):
    record(house)
    at = house.open("message_history")
    assert "Message ID" not in table(at).columns
    at.checkbox(key="message_history_column_Message ID").check().run()
    assert "Message ID" in table(at).columns
    for box in at.checkbox:
        box.uncheck()
    at.run()
    assert not at.exception
    assert any("No column" in info.value for info in at.info)


def test_numbers_are_masked_for_a_reporting_manager(house: House):
    record(house, "Reporting manager")
    receivers = list(table(house.open("message_history"))["Receiver"])
    assert receivers
    assert all("179654" not in receiver for receiver in receivers)


def test_a_half_chosen_range_is_an_error_with_a_hint(house: House):
    record(house)
    at = house.open("message_history", **{period_filter.PERIOD: "Custom range", period_filter.FIRST: "2026-03-01"})
    assert not at.exception
    assert at.error
    assert not at.dataframe


def test_without_the_permission_there_is_no_such_page(house: House):
    house.sign_in("Campaign manager")
    with pytest.raises(ValueError, match="message_history"):
        house.open("message_history")
    at = house.open_directly("message_history")
    assert at.error
    assert not at.dataframe
