from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest

from core.domain.campaigns.campaigns import CampaignStatus, Reconciliation, Source
from core.state.accounts import gateways
from core.state.campaigns import campaigns, holding
from pages._ui import widgets
from tests.support.application.campaigns import freeze, save_draft, send
from tests.support.application.page_tests import House, clicking


def table(at) -> pd.DataFrame:
    return at.dataframe[0].value


def names(at) -> list[str]:
    return list(table(at)["Name"])


def test_without_campaigns_the_page_says_what_to_do(house: House) -> None:
    house.sign_in()
    at = house.open("campaigns")
    assert not at.exception
    assert not at.dataframe
    assert at.subheader[0].value == "No campaigns yet"
    at.button(key="campaigns_first").click().run()
    assert at.title[0].value == "Create Campaign"


def test_table_shows_what_the_guide_says_in_its_order(house: House) -> None:
    viewer = house.sign_in()
    send(house, viewer, save_draft(house, viewer))
    at = house.open("campaigns")
    assert not at.exception
    assert list(table(at).columns) == [
        "Name",
        "Sender",
        "Created Date",
        "Schedule Date",
        "Sent/Total",
        "Status",
        "view",
        "clone",
    ]
    row = table(at).iloc[0]
    assert (row["Name"], row["Sender"], list(row["Status"])) == ("Spring greeting", "HELIOGRAPH", ["Completed"])
    assert pd.isna(row["Schedule Date"])


def test_a_draft_has_no_share_and_a_frozen_campaign_starts_at_zero(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    freeze(house, viewer, save_draft(house, viewer, name="Frozen", list_ids=draft.list_ids))
    shares = table(house.open("campaigns")).set_index("Name")["Sent/Total"]
    assert shares["Frozen"] == 0
    assert pd.isna(shares["Spring greeting"])


def test_share_never_reads_complete_while_a_message_is_missing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = house.sign_in()
    campaign = freeze(house, viewer, save_draft(house, viewer))
    audience = Reconciliation(100_000, 99_999, {}, {"0x0000000B": 1}, 0, 0)
    page = house.app.campaigns.composing.page
    monkeypatch.setattr(
        house.app.campaigns.composing,
        "page",
        lambda viewer, request, **_: replace(
            page(viewer, request), items=(replace(campaign, audience_count=audience.audience_count),)
        ),
    )
    monkeypatch.setattr(house.app.reports.reporting, "reconciliations", lambda *_: {campaign.campaign_id: audience})
    assert list(table(house.open("campaigns"))["Sent/Total"]) == [99.9]


def test_search_keeps_only_matching_names(house: House) -> None:
    viewer = house.sign_in()
    for name in ("Spring greeting", "Summer sale"):
        save_draft(house, viewer, name=name, list_ids=(), placeholders={})
    at = house.open("campaigns")
    at.text_input(key="campaigns_search").set_value("SUMMER").run()
    assert names(at) == ["Summer sale"]
    at.text_input(key="campaigns_search").set_value("nothing like it").run()
    assert not at.exception
    assert not at.dataframe
    assert at.text_input(key="campaigns_search").value == "nothing like it"


def test_the_eleventh_campaign_is_on_the_second_page(house: House) -> None:
    viewer = house.sign_in()
    for number in range(11):
        save_draft(house, viewer, name=f"Campaign {number}", list_ids=(), placeholders={})
    assert len(names(house.open("campaigns"))) == 10
    assert names(house.open("campaigns", campaigns_page="2")) == ["Campaign 0"]


def test_eye_opens_the_campaign(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    at = house.open("campaigns")
    with clicking("view", 0):
        at.run()
    assert not at.exception
    assert at.header[0].value == "Spring greeting"
    assert at.query_params["id"] == draft.campaign_id


def test_create_campaign_opens_an_empty_form(house: House) -> None:
    viewer = house.sign_in()
    save_draft(house, viewer)
    at = house.open("campaigns")
    at.button(key="campaigns_create").click().run()
    assert at.title[0].value == "Create Campaign"
    assert at.text_input(key="create_campaign_name").value == ""


def test_filters_and_order_narrow_the_table(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer, name="Zebra")
    freeze(house, viewer, save_draft(house, viewer, name="Antelope", list_ids=draft.list_ids))
    at = house.open("campaigns")
    at.selectbox(key="campaigns_sort").set_value("Name").run()
    assert list(table(at)["Name"]) == ["Antelope", "Zebra"]
    at.multiselect(key="campaigns_status").set_value(["Inactive"]).run()
    assert list(table(at)["Name"]) == ["Zebra"]
    at.multiselect(key="campaigns_status").set_value(["Paused"]).run()
    assert not at.exception
    assert "Nothing found" in [caption.value for caption in at.caption]


def test_completed_stop_confirmations_do_not_bury_the_others_and_can_be_shown(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    assert "campaigns_confirmed" not in [toggle.key for toggle in house.open("campaigns").toggle]
    told = replace(draft, source=Source.QUICK_SEND, name="STOP confirmations", confirms_stop=True, lists=())
    with house.app.state.write() as session:
        for campaign_id, status in (("done", CampaignStatus.COMPLETED), ("stuck", CampaignStatus.PAUSED)):
            campaigns.add_campaign(session, replace(told, campaign_id=campaign_id, status=status))
    at = house.open("campaigns")
    assert sorted(names(at)) == ["STOP confirmations", "Spring greeting"]
    at.toggle(key="campaigns_confirmed").set_value(True).run()
    assert not at.exception
    assert sorted(names(at)) == ["STOP confirmations", "STOP confirmations", "Spring greeting"]


def test_clone_asks_for_a_name_and_leads_to_the_copy(house: House) -> None:
    viewer = house.sign_in()
    original = save_draft(house, viewer, fallbacks={"FirstName": "friend"})
    at = house.open("campaigns")
    at.session_state["widgets_panel"] = widgets._Panel("campaigns_clone", original.campaign_id, "", "", "Cancel")
    at.run()
    at.text_input(key="campaigns_clone_name").set_value("ab").run()
    at.button(key="campaigns_clone_save").click().run()
    assert "3 to 50 characters" in at.error[0].value
    at.text_input(key="campaigns_clone_name").set_value("Spring again").run()
    at.button(key="campaigns_clone_save").click().run()
    assert not at.exception
    assert at.title[0].value == "Create Campaign"
    copy = house.app.campaigns.composing.get(viewer, at.query_params["id"])
    assert (copy.name, copy.lists, copy.message) == ("Spring again", original.lists, original.message)
    assert (copy.placeholders, copy.fallbacks) == (original.placeholders, original.fallbacks)


def test_those_whose_gateway_takes_nothing_are_named_with_the_reason(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    for number in range(5):
        freeze(house, viewer, save_draft(house, viewer, name=f"Spring {number}", list_ids=draft.list_ids))
    with house.app.state.write() as session:
        gateways.set_failing(session, "simulator", "It said no.", datetime.now(UTC), needs_person=False)
    at = house.open("campaigns")
    assert not at.exception
    (said,) = [warning.value.replace("\\", "") for warning in at.warning]
    assert said.startswith("**Spring ")
    assert said.endswith(" and 2 more:** The gateway simulator takes no messages just now. It said no.")


def test_those_that_are_paused_until_their_gateway_is_back_are_named_too(house: House) -> None:
    viewer = house.sign_in()
    waiting = freeze(house, viewer, save_draft(house, viewer, name="Waiting"))
    by_hand = freeze(house, viewer, save_draft(house, viewer, name="By hand", list_ids=waiting.list_ids))
    house.app.campaigns.controlling.pause(viewer, by_hand.campaign_id, datetime.now(UTC))
    with house.app.state.write() as session:
        holding.hold(session, waiting.campaign_id, "simulator", "The gateway simulator takes no messages.\nIt goes on.")
    at = house.open("campaigns")
    assert not at.exception
    (said,) = [warning.value.replace("\\", "") for warning in at.warning]
    assert said == "**Waiting:** The gateway simulator takes no messages. It goes on."
    # Its own page says so once.
    at = house.open("campaign", id=waiting.campaign_id)
    assert not at.exception
    assert not at.warning
    assert "takes no messages" in at.error[0].value
