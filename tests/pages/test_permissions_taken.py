"""
A permission that is taken while a page is open: what is drawn or asked next says so, and does nothing.

Panels and what refreshes by itself are drawn again without the frame and the page around them, so they are drawn alone.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from core.domain.people.permissions import Permission, Viewer
from core.services.people.managing_people import Change
from pages._ui.panels import cloning
from pages._ui.screens.create_campaign import campaign_form, campaign_panels
from pages._ui.screens.distribution_lists import list_panels
from pages._ui.screens.gateways import gateway_panels
from pages._ui.screens.import_traffic import traffic_mapping, traffic_panels
from pages._ui.screens.traffic_accounts import account_panels
from pages._ui.screens.users import people_panels
from tests.support.application.page_tests import TIMEOUT_S, House

# What asks a service as soon as it is drawn, which the service refuses.
ASKING: dict[str, Callable[[], None]] = {
    "select lists": lambda: campaign_panels._list_panel(campaign_form.Form()),
    "leave out lists": lambda: campaign_panels._left_out_panel(campaign_form.Form()),
    "clone a campaign": lambda: cloning._question("campaigns"),
    "preview of a list": lambda: list_panels._preview("x"),
    "progress of lists": lambda: list_panels.watch(["x"]),
    "edit a person": lambda: people_panels._edit("x"),
    "add a gateway": gateway_panels._add_panel,
    "change a gateway": lambda: gateway_panels._change("simulator"),
    "run an account": lambda: account_panels._run("x"),
    "map columns": lambda: traffic_mapping._map("x"),
    "import a file": traffic_panels._add_panel,
    "details of an import": lambda: traffic_panels._details("x"),
    "progress of imports": lambda: traffic_panels.watch(["x"]),
}


def take(house: House, viewer: Viewer) -> None:
    """Leave somebody who sees statistics and nothing else."""
    admin = house.app.people.adding.get_viewer("administrator@example.org")
    change = Change(viewer.name, frozenset({Permission.STATISTICS}), viewer.account_ids)
    house.app.people.managing.change(admin, viewer.user_id, change, datetime.now(UTC))


@pytest.fixture
def viewer(house: House) -> Viewer:
    house.sign_in()
    return house.sign_in("Reporting manager")


def draw(panel):
    panel()


@pytest.mark.parametrize("panel", ASKING)
def test_a_panel_that_is_drawn_again_says_so(house: House, viewer: Viewer, panel: str) -> None:
    # As it was: Import File read "This app has encountered an error", with a traceback in the log.
    take(house, viewer)
    at = AppTest.from_function(draw, default_timeout=TIMEOUT_S, args=(ASKING[panel],)).run()
    assert not at.exception
    assert [error.value.partition("permission")[0] for error in at.error] in (
        ["**This needs the "],
        ["**This needs one of the "],
    )


def test_a_choice_of_columns_is_not_kept_in_yesterday_s_name(house: House, viewer: Viewer) -> None:
    # As it was: the page asked as the viewer of the run before, who still had the permission.
    at = house.open("message_history")
    take(house, viewer)
    at.checkbox(key="message_history_column_Unicode").set_value(True).run()
    assert not at.exception
    assert house.app.reports.views.find_columns(viewer, "message_history") is None
