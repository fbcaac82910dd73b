"""The Suppressions page: who gets no messages, and what people do about it."""

from datetime import UTC, datetime
from typing import Any

from core.domain.accounts.suppressions import EVERYWHERE, SuppressionFilter, SuppressionSource
from core.domain.people.permissions import Viewer
from core.domain.reports.exports import ExportFormat
from core.services.reports.export_requests import SuppressionsRequest, decode
from core.state.suppressions.suppressions import add_suppressions
from tests.support.application.factories import make_origin
from tests.support.application.page_tests import House, choosing, clicking

KEY = "suppressions"
FIRST, SECOND, THIRD = "+491796000001", "+491796000002", "+436641234567"
NASTY = "**bold** :red[x] \u202egnp.exe"


def suppress(house: House, account_id: str, *msisdns: str, **origin: Any) -> None:
    facts = {"created_at": datetime.now(UTC)} | origin
    with house.app.state.write() as session:
        add_suppressions(session, account_id, msisdns, make_origin(**facts))


def account_of(viewer: Viewer) -> str:
    (account_id,) = viewer.account_ids
    return account_id


def shown(at: Any, column: str = "Number") -> list[str]:
    return [] if not at.dataframe else at.dataframe[0].value[column].tolist()


def texts(at: Any) -> str:
    return " ".join(block.value for block in (*at.markdown, *at.error, *at.caption, *at.warning))


def test_without_any_it_says_how_they_come_about(house: House) -> None:
    house.sign_in()
    at = house.open(KEY)
    assert not at.exception
    assert at.subheader[0].value == "No suppressions yet"
    assert not [button for button in at.button if "_export_" in str(button.key)]


def test_each_is_shown_with_where_it_came_from(house: House) -> None:
    viewer = house.sign_in()
    suppress(house, account_of(viewer), FIRST, reason=NASTY)
    suppress(house, EVERYWHERE, SECOND, source=SuppressionSource.IMPORT, reason="Old system")
    suppress(house, account_of(viewer), FIRST, source=SuppressionSource.STOP, reason="", created_by="reply")
    at = house.open(KEY)
    assert not at.exception
    assert shown(at) == [FIRST, SECOND, FIRST]
    assert shown(at, "Source") == ["STOP reply", "Import", "Person"]
    assert shown(at, "Scope")[1] == "All accounts"
    assert shown(at, "Reason")[2] == NASTY.replace("\u202e", "\ufffd")
    at.selectbox(key=f"{KEY}_source").set_value("STOP reply").run()
    assert (shown(at), shown(at, "Source")) == ([FIRST], ["STOP reply"])


def test_they_are_found_by_their_number(house: House) -> None:
    viewer = house.sign_in()
    suppress(house, account_of(viewer), FIRST, SECOND, THIRD)
    at = house.open(KEY)
    at.text_input(key=f"{KEY}_search").set_value("0664 12").run()
    assert shown(at) == [THIRD]
    at.text_input(key=f"{KEY}_search").set_value("nobody").run()
    assert not at.exception
    assert "Nothing found" in texts(at)


def test_numbers_are_added_and_what_is_none_stays_to_be_mended(house: House) -> None:
    viewer = house.sign_in("Campaign manager")
    at = house.open(KEY)
    at.button(key=f"{KEY}_add_open").click().run()
    at.text_area(key=f"{KEY}_numbers").set_value(f"{FIRST}\nnonsense")
    at.text_input(key=f"{KEY}_reason").set_value("By phone")
    at.button(key=f"{KEY}_save").click().run()
    assert not at.exception
    assert "1\u00a0entry is no number" in texts(at)
    page = house.app.suppressions.managing.page(viewer, SuppressionFilter(), 1, 10)
    assert [(item.msisdn, item.origin.reason) for item in page.items] == [(FIRST, "By phone")]


def test_lifting_asks_why(house: House) -> None:
    viewer = house.sign_in()
    suppress(house, account_of(viewer), FIRST)
    at = house.open(KEY)
    with clicking("lift", 0):
        at.run()
    at.button(key=f"{KEY}_lift_ok").click().run()
    assert "There is no reason" in texts(at)
    at.text_input(key=f"{KEY}_lift_reason").set_value("Signed up again")
    at.button(key=f"{KEY}_lift_ok").click().run()
    assert not at.exception
    history = house.app.suppressions.managing.history(viewer, FIRST)
    assert (history.suppressions, history.lifted[0][1].reason) == ((), "Signed up again")
    assert at.subheader[0].value == "No suppressions yet"


def test_several_are_lifted_together(house: House) -> None:
    viewer = house.sign_in()
    suppress(house, account_of(viewer), FIRST, SECOND, THIRD)
    at = house.open(KEY)
    with choosing([0, 2]):
        at.run()
        assert "**2 selected**" in texts(at)
        at.button(key=f"{KEY}_lift_chosen").click().run()
        at.text_input(key=f"{KEY}_lift_reason").set_value("Signed up again")
        at.button(key=f"{KEY}_lift_ok").click().run()
    assert not at.exception
    page = house.app.suppressions.managing.page(viewer, SuppressionFilter(), 1, 10)
    # They stand by number.
    assert [item.msisdn for item in page.items] == [FIRST]


def test_what_became_of_a_number_is_shown(house: House) -> None:
    viewer = house.sign_in()
    suppress(house, account_of(viewer), FIRST, reason=NASTY)
    at = house.open(KEY)
    with clicking("history", 0):
        at.run()
    assert not at.exception
    assert "Suppressed now" in texts(at)
    assert ":red[x]" not in texts(at)


def test_who_is_no_administrator_lifts_nothing_of_all_accounts(house: House) -> None:
    house.sign_in("Campaign manager")
    suppress(house, EVERYWHERE, FIRST)
    at = house.open(KEY)
    assert shown(at) == [FIRST]
    assert at.dataframe[0].value["lift"].tolist() == [None]


def test_what_is_filtered_is_exported(house: House) -> None:
    viewer = house.sign_in()
    suppress(house, account_of(viewer), FIRST)
    at = house.open(KEY)
    at.selectbox(key=f"{KEY}_source").set_value("Person").run()
    at.button(key=f"{KEY}_export_{ExportFormat.CSV}").click().run()
    assert not at.exception
    (ordered,) = house.app.reports.exporting.list_mine(viewer)
    wanted = SuppressionFilter(source=SuppressionSource.PERSON)
    assert decode(ordered.request) == SuppressionsRequest(wanted)
    house.app.reports.exporting.run(ordered.export_id, lambda: datetime.now(UTC))
    download = house.app.reports.exporting.fetch(viewer, ordered.export_id, datetime.now(UTC))
    head, row = download.path.read_text(encoding="utf-8-sig").splitlines()
    assert head.split(",")[:2] == ['"Date"', '"PhoneNumber"']
    assert FIRST in row
