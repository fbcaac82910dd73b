"""
A permission that is taken while a page is open: what is drawn or asked next says so, and does nothing.

Panels and what refreshes by itself are drawn again without the frame and the page around them, so they are drawn alone.
"""

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from core.domain.permissions import Permission, Viewer
from core.services.people.managing_people import Change
from tests.support.page_tests import TIMEOUT_S, House

# What asks a service as soon as it is drawn, which the service refuses.
ASKING = [
    "campaign_panels._list_panel(campaign_form.Form())",
    "campaign_panels._left_out_panel(campaign_form.Form())",
    "cloning._question('campaigns')",
    "list_panels._preview('x')",
    "list_panels.watch(['x'])",
    "people_panels._edit('x')",
    "account_panels._run('x')",
    "traffic_mapping._map('x')",
    "traffic_panels._add_panel()",
    "traffic_panels._details('x')",
    "traffic_panels.watch(['x'])",
]


def take(house: House, viewer: Viewer) -> None:
    """Leave somebody who sees statistics and nothing else."""
    admin = house.app.people.get_viewer("administrator@example.org")
    change = Change(viewer.name, frozenset({Permission.STATISTICS}), viewer.account_ids)
    house.app.managing_people.change(admin, viewer.user_id, change, datetime.now(UTC))


@pytest.fixture
def viewer(house: House) -> Viewer:
    house.sign_in()
    return house.sign_in("Reporting manager")


@pytest.mark.parametrize("panel", ASKING)
def test_a_panel_that_is_drawn_again_says_so(house: House, viewer: Viewer, panel: str) -> None:
    # As it was: Import File read "This app has encountered an error", with a traceback in the log.
    take(house, viewer)
    modules = sorted({name for name in ("campaign_form", panel.partition(".")[0]) if f"{name}." in panel})
    at = AppTest.from_string(f"from pages._ui import {', '.join(modules)}\n{panel}", default_timeout=TIMEOUT_S).run()
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
    assert house.app.remembering.find_columns(viewer, "message_history") is None
