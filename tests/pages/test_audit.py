"""The Audit page: what is in it, what is found, who may open it."""

from datetime import UTC, datetime, timedelta

import pytest

from core.domain.people.permissions import Viewer
from core.domain.reports.audit import Action, Subject
from core.domain.reports.exports import ExportFormat
from core.services.reports.export_requests import AuditRequest, decode
from core.state.reports import audit
from tests.support.application.page_tests import House


def record(house: House, viewer: Viewer, action: Action, name: str, minutes_ago: int = 1) -> None:
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    with house.app.state.write() as session:
        audit.record(session, viewer, action, Subject("campaign", "id-1", name), at, {"recipients": "300"})


def shown(at) -> list[tuple[str, str]]:
    return [] if not at.dataframe else [tuple(row) for row in at.dataframe[0].value[["Action", "What"]].to_numpy()]


def test_lines_are_shown_newest_first_and_as_they_were_called(house: House) -> None:
    viewer = house.sign_in()
    record(house, viewer, Action.CAMPAIGN_LAUNCHED, "<b>Spring</b> *sale*", 3)
    record(house, Viewer("", "", "", address="192.0.2.7"), Action.SIGN_IN_REFUSED, "eve@example.org", 2)
    at = house.open("audit")
    assert not at.exception
    names = [what for _, what in shown(at)]
    assert names.index("eve@example.org (campaign)") < names.index("<b>Spring</b> *sale* (campaign)")
    table = at.dataframe[0].value.set_index("What")
    assert table.loc["<b>Spring</b> *sale* (campaign)", "Details"] == "recipients 300"
    assert table.loc["eve@example.org (campaign)", "Who"] == "not logged in"
    assert table.loc["eve@example.org (campaign)", "Address"] == "192.0.2.7"
    assert table.loc["eve@example.org (campaign)", "Action"] == "Log in refused"


def test_actions_are_called_as_the_screens_call_them(house: House) -> None:
    house.sign_in()
    offered = house.open("audit").selectbox(key="audit_action").options
    assert {"Logged in", "Logged out", "Password reset requested", "Campaign launched"} <= set(offered)
    assert not [name for name in offered if "sign" in name.lower() or "asked" in name]


def test_search_and_action_narrow_it_down(house: House) -> None:
    viewer = house.sign_in()
    record(house, viewer, Action.CAMPAIGN_PAUSED, "Spring 100%")
    record(house, viewer, Action.CAMPAIGN_LAUNCHED, "Summer")
    at = house.open("audit")
    at.text_input(key="audit_search").input("0%").run()
    assert shown(at) == [("Campaign paused", "Spring 100% (campaign)")]
    at.text_input(key="audit_search").input("").run()
    at.selectbox(key="audit_action").select(Action.CAMPAIGN_LAUNCHED.value).run()
    assert shown(at) == [("Campaign launched", "Summer (campaign)")]


def test_the_export_asks_for_what_is_shown(house: House) -> None:
    viewer = house.sign_in()
    record(house, viewer, Action.CAMPAIGN_PAUSED, "Spring")
    at = house.open("audit")
    at.text_input(key="audit_search").input("spring").run()
    at.button(key=f"audit_export_{ExportFormat.CSV}").click().run()
    assert not at.exception
    (ordered,) = house.app.reports.exporting.list_mine(viewer)
    request = decode(ordered.request)
    assert isinstance(request, AuditRequest)
    assert request.wanted.text == "spring"
    house.app.reports.exporting.run(ordered.export_id, lambda: datetime.now(UTC))
    content = house.app.reports.exporting.fetch(viewer, ordered.export_id, datetime.now(UTC)).path.read_text(
        "utf-8-sig"
    )
    assert "Campaign paused" not in content  # As it is stored, not as the page writes it.
    assert "campaign paused" in content
    assert "Spring" in content


def test_the_export_button_becomes_the_download(house: House) -> None:
    viewer = house.sign_in()
    record(house, viewer, Action.CAMPAIGN_PAUSED, "Spring")
    at = house.open("audit")
    at.button(key=f"audit_export_{ExportFormat.CSV}").click().run()
    assert at.button(key=f"audit_export_{ExportFormat.CSV}_waiting").disabled
    (ordered,) = house.app.reports.exporting.list_mine(viewer)
    house.app.reports.exporting.run(ordered.export_id, lambda: datetime.now(UTC))
    at.run()
    links = {link.proto.label: link.proto.url for link in at.get("link_button")}
    assert links["Download csv"].endswith(ordered.export_id)
    assert f"audit_export_{ExportFormat.CSV}" not in {each.key for each in at.button}


@pytest.mark.parametrize("preset", ["Campaign manager", "Reporting manager", "User manager"])
def test_it_is_closed_to_everybody_else(house: House, preset: str) -> None:
    house.sign_in(preset)
    with pytest.raises(ValueError, match="audit"):
        house.open("audit")
    at = house.open_directly("audit")
    assert at.error
    assert not at.dataframe
