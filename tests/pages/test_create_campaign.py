from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.people.permissions import Viewer
from core.domain.reports.paging import PageRequest
from core.services.people.adding_people import NewPerson
from core.state.people.sessions import Browser
from core.web.guard.cookies import SESSION_COOKIE
from pages._ui.components.composer import Composition
from pages._ui.screens.create_campaign.campaign_form import COMPOSER
from pages._ui.screens.create_campaign.campaign_panels import LIST_PANEL
from tests.support.application.campaigns import CONTACTS, launch, now, save_draft
from tests.support.application.page_tests import PASSWORD, House

STEP = "create_campaign_step"
WRITING = "Message & Preview"


def drafts(house: House, viewer: Viewer) -> tuple[Campaign, ...]:
    return house.app.campaigns.composing.page(viewer, PageRequest()).items


def keys(at) -> set[str]:
    return {button.key for button in at.button}


def fill_in(at, *, name: str = "Spring greeting", sender: str = "HELIOGRAPH") -> None:
    at.text_input(key="create_campaign_name").set_value(name)
    at.text_input(key="create_campaign_sender").set_value(sender).run()


def choose_list(at, list_id: str) -> None:
    at.button(key="create_campaign_select").click().run()
    for box in [box for box in at.checkbox if str(box.key).startswith(f"{LIST_PANEL}_choice_") and box.value]:
        box.uncheck()
    at.checkbox(key=f"{LIST_PANEL}_choice_{list_id}").check().run()
    at.button(key="create_campaign_list_save").click().run()


def write(at, text: str) -> None:
    """Type into the editor: it is drawn by the browser, which AppTest has not."""
    at.session_state[f"{COMPOSER}_kept"] = Composition(text, 1)
    at.run()


def define(at, name: str) -> None:
    at.text_input(key="create_campaign_placeholders_name").set_value(name)
    at.button(key="create_campaign_placeholders_add").click().run()


def open_step_two(house: House, draft: Campaign):
    at = house.open("create_campaign", id=draft.campaign_id)
    at.segmented_control(key=STEP).set_value(WRITING).run()
    assert not at.exception
    return at


def test_empty_form_opens_no_second_step(house: House) -> None:
    house.sign_in()
    at = house.open("create_campaign")
    assert not at.exception
    assert at.button(key="create_campaign_next").disabled
    at.segmented_control(key=STEP).set_value(WRITING).run()
    assert "Message & Preview opens once this step is complete." in at.info[0].value
    said = [element.value for element in (*at.info, *at.caption) if "Recipients." in element.value]
    assert said == ["Fill in first: Campaign Name, Sender, Recipients."]
    assert at.text_input(key="create_campaign_sender")
    assert "create_campaign_launch" not in keys(at)


def test_form_filled_in_becomes_a_draft_that_a_reload_restores(house: House) -> None:
    viewer = house.sign_in()
    guests = house.upload(viewer, "Spring guests", CONTACTS)
    at = house.open("create_campaign")
    fill_in(at)
    choose_list(at, guests.list_id)
    at.checkbox(key="create_campaign_personalize").check().run()
    at.button(key="create_campaign_open_placeholders").click().run()
    define(at, "Town")
    at.selectbox(key="create_campaign_placeholders_column_Town").select("City").run()
    at.button(key="create_campaign_placeholders_save").click().run()
    at.button(key="create_campaign_next").click().run()
    write(at, "Hello {Town}!")
    at.button(key="create_campaign_save").click().run()
    assert not at.exception
    assert not at.error
    (draft,) = drafts(house, viewer)
    assert at.query_params["id"] == draft.campaign_id
    assert (draft.name, draft.sender_id, draft.list_ids) == ("Spring greeting", "HELIOGRAPH", (guests.list_id,))
    assert (draft.message, draft.placeholders) == ("Hello {Town}!", {"Town": "City"})

    restored = house.open("create_campaign", id=draft.campaign_id)
    assert restored.text_input(key="create_campaign_name").value == "Spring greeting"
    restored.segmented_control(key=STEP).set_value(WRITING).run()
    assert restored.session_state[f"{COMPOSER}_kept"].text == "Hello {Town}!"


def test_saving_twice_keeps_one_draft(house: House) -> None:
    viewer = house.sign_in()
    at = house.open("create_campaign")
    fill_in(at)
    at.button(key="create_campaign_save").click().run()
    fill_in(at, name="Summer greeting")
    at.button(key="create_campaign_save").click().run()
    assert not at.error
    assert [draft.name for draft in drafts(house, viewer)] == ["Summer greeting"]


def test_draft_saved_elsewhere_meanwhile_is_not_overwritten(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    mine, theirs = (house.open("create_campaign", id=draft.campaign_id) for _ in range(2))
    fill_in(theirs, name="Theirs")
    theirs.button(key="create_campaign_save").click().run()
    fill_in(mine, name="Mine")
    mine.button(key="create_campaign_save").click().run()
    assert any("Reload the page" in error.value for error in mine.error)
    assert [item.name for item in drafts(house, viewer)] == ["Theirs"]
    assert mine.text_input(key="create_campaign_name").value == "Mine"


@pytest.mark.parametrize(
    ("name", "sender", "message"),
    [
        ("ab", "HELIOGRAPH", "The campaign name has 2 characters"),
        ("Spring greeting", "TWELVELETTER", "longer than 11 characters"),
        ("Spring greeting", "Grüße", "a character that handsets do not show"),
    ],
)
def test_what_cannot_be_used_is_explained_once_and_stays_in_the_form(
    house: House, name: str, sender: str, message: str
) -> None:
    viewer = house.sign_in()
    at = house.open("create_campaign")
    fill_in(at, name=name, sender=sender)
    assert at.button(key="create_campaign_next").disabled
    at.button(key="create_campaign_save").click().run()
    assert not at.exception
    assert [message in error.value for error in at.error] == [True]
    assert at.text_input(key="create_campaign_name").value == name
    assert at.text_input(key="create_campaign_sender").value == sender
    assert drafts(house, viewer) == ()


def test_error_stands_at_its_field(house: House) -> None:
    house.sign_in()
    at = house.open("create_campaign")
    fill_in(at, name="ab")
    at.button(key="create_campaign_save").click().run()
    order = [element.type for element in at.main if element.type in {"text_input", "error"}]
    assert order == ["text_input", "error", "text_input"]


def test_sender_outside_the_providers_rule_is_only_warned_about(house: House) -> None:
    viewer = house.sign_in()
    at = house.open("create_campaign")
    fill_in(at, sender="AB")
    assert at.warning
    at.button(key="create_campaign_save").click().run()
    assert not at.error
    assert [draft.sender_id for draft in drafts(house, viewer)] == ["AB"]


def test_panel_counts_the_recipients_of_the_list_before_it_is_saved(house: House) -> None:
    viewer = house.sign_in()
    house.upload(viewer, "Spring guests", CONTACTS)
    house.upload(viewer, "Summer guests", CONTACTS)
    at = house.open("create_campaign")
    at.button(key="create_campaign_select").click().run()
    assert at.button(key="create_campaign_list_save").disabled
    at.text_input(key="create_campaign_list_search").set_value("spring").run()
    boxes = [box for box in at.checkbox if str(box.key).startswith(f"{LIST_PANEL}_choice_")]
    assert [box.label.partition("  ")[0] for box in boxes] == ["Spring guests"]
    boxes[0].check().run()
    assert "Recipients: **3**" in [element.value for element in at.markdown]
    at.button(key="create_campaign_list_cancel").click().run()
    at.button(key="create_campaign_save").click().run()
    assert drafts(house, viewer) == ()
    assert not [element for element in at.markdown if "Spring guests" in element.value]


def test_at_most_two_placeholders_each_of_its_own_name(house: House) -> None:
    viewer = house.sign_in()
    at = house.open("create_campaign", id=save_draft(house, viewer).campaign_id)
    at.button(key="create_campaign_open_placeholders").click().run()
    define(at, "FirstName")
    assert "is already there" in at.error[0].value
    define(at, "not a name!")
    assert at.error
    define(at, "City")
    assert not at.error
    assert at.selectbox(key="create_campaign_placeholders_column_City").value == "City"
    assert "create_campaign_placeholders_name" not in {field.key for field in at.text_input}


def test_nothing_is_chosen_for_a_placeholder_that_no_column_is_called_like(house: House) -> None:
    viewer = house.sign_in()
    at = house.open("create_campaign", id=save_draft(house, viewer, placeholders={}, message="").campaign_id)
    at.checkbox(key="create_campaign_personalize").check().run()
    at.button(key="create_campaign_open_placeholders").click().run()
    define(at, "first name")
    define(at, "Phone Number")
    assert at.selectbox(key="create_campaign_placeholders_column_first name").value == "FirstName"
    assert at.selectbox(key="create_campaign_placeholders_column_Phone Number").value is None
    at.button(key="create_campaign_placeholders_save").click().run()
    assert "No column is chosen for" in at.error[0].value
    at.selectbox(key="create_campaign_placeholders_column_Phone Number").select("City").run()
    at.button(key="create_campaign_placeholders_save").click().run()
    assert not at.error
    assert [item.placeholders for item in drafts(house, viewer)] == [
        {"first name": "FirstName", "Phone Number": "City"}
    ]


def test_a_name_that_was_typed_and_not_added_is_not_lost_by_saving(house: House) -> None:
    viewer = house.sign_in()
    at = house.open("create_campaign", id=save_draft(house, viewer).campaign_id)
    at.button(key="create_campaign_open_placeholders").click().run()
    at.text_input(key="create_campaign_placeholders_name").set_value("City").run()
    at.button(key="create_campaign_placeholders_save").click().run()
    assert "not been added yet" in at.error[0].value
    at.button(key="create_campaign_placeholders_add").click().run()
    at.button(key="create_campaign_placeholders_save").click().run()
    assert [item.placeholders for item in drafts(house, viewer)] == [{"FirstName": "FirstName", "City": "City"}]


def test_placeholder_whose_column_the_new_list_lacks_is_dropped_aloud(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    bare = house.upload(viewer, "Only numbers", b"PhoneNumber\n491796548754\n")
    at = house.open("create_campaign", id=draft.campaign_id)
    choose_list(at, bare.list_id)
    assert r"has no column for \{FirstName\}" in at.toast[0].value
    at.button(key="create_campaign_save").click().run()
    assert [item.placeholders for item in drafts(house, viewer)] == [{}]


def test_launch_leads_to_the_preflight_and_sends_nothing_yet(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    at = open_step_two(house, draft)
    assert "Recipients: **3**" in [element.value for element in at.markdown]
    at.button(key="create_campaign_launch").click().run()
    assert at.title[0].value == "Preflight"
    assert house.app.campaigns.composing.get(viewer, draft.campaign_id).status is CampaignStatus.INACTIVE


def test_empty_message_is_not_launched(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer, message="")
    at = open_step_two(house, draft)
    at.button(key="create_campaign_launch").click().run()
    assert "The message is empty" in at.error[0].value
    assert house.app.campaigns.composing.get(viewer, draft.campaign_id).status is CampaignStatus.INACTIVE


def test_name_changed_beside_the_message_is_the_one_that_is_saved(house: House) -> None:
    viewer = house.sign_in()
    at = open_step_two(house, save_draft(house, viewer))
    at.text_input(key="create_campaign_name_again").set_value("Another name").run()
    at.button(key="create_campaign_save").click().run()
    at.segmented_control(key=STEP).set_value("Sender & Recipients").run()
    assert at.text_input(key="create_campaign_name").value == "Another name"
    assert [draft.name for draft in drafts(house, viewer)] == ["Another name"]


def test_draft_without_its_list_asks_for_another_one(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    house.app.lists.delete(viewer, draft.list_ids[0], datetime.now(UTC))
    at = house.open("create_campaign", id=draft.campaign_id)
    assert not at.exception
    assert at.button(key="create_campaign_next").disabled


def test_draft_of_a_closed_account_is_moved_to_another_only_by_hand(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    (closed,) = house.app.accounts.managing.list_sending(viewer)
    new = replace(closed, name="second", display_name="Second shop")
    other = house.app.accounts.managing.open_account(new, (), now())
    house.app.accounts.managing.join(viewer.user_id, other.account_id)
    house.app.accounts.managing.deactivate(viewer, closed.account_id, now())
    at = house.open("create_campaign", id=draft.campaign_id)
    assert not at.exception
    assert f"**{closed.display_name}**, which is inactive" in at.warning[0].value
    box = at.selectbox(key="create_campaign_account")
    assert (box.value, box.options) == (None, ["Second shop"])
    assert "Spring guests" in " ".join(each.value for each in at.markdown)
    assert house.app.campaigns.composing.get(viewer, draft.campaign_id).list_ids == draft.list_ids
    box.select_index(0).run()
    assert not at.exception
    assert not at.warning
    assert "Spring guests" not in " ".join(each.value for each in at.markdown)


def test_launched_campaign_cannot_be_edited(house: House) -> None:
    viewer = house.sign_in()
    draft = launch(house, viewer, save_draft(house, viewer))
    at = house.open("create_campaign", id=draft.campaign_id)
    assert not at.exception
    assert "Only drafts can be edited" in at.error[0].value
    assert "create_campaign_save" not in keys(at)


def test_without_a_sending_account_there_is_no_form(house: House) -> None:
    house.sign_in()
    now = datetime.now(UTC)
    house.app.people.adding.add(NewPerson("Outsider", "out@example.org", PASSWORD, "Campaign manager"), now)
    house.cookies[SESSION_COOKIE] = house.app.people.signing_in.sign_in(
        "out@example.org", PASSWORD, Browser("127.0.0.1"), now
    )
    at = house.open("create_campaign")
    assert not at.exception
    assert at.subheader[0].value == "Sending is closed"
    assert not at.text_input


def test_a_draft_is_saved_by_itself_and_found_in_another_browser(house: House) -> None:
    viewer = house.sign_in()
    at = house.open("create_campaign")
    fill_in(at, name="Sp", sender="BRAND")
    assert drafts(house, viewer) == ()
    at.text_input(key="create_campaign_name").set_value("Spring greeting").run()
    [draft] = drafts(house, viewer)
    assert (draft.name, draft.sender_id) == ("Spring greeting", "BRAND")
    assert ":material/cloud_done: Saved as a draft" in [caption.value for caption in at.caption]
    other = house.open("create_campaign", id=draft.campaign_id)
    assert other.text_input(key="create_campaign_name").value == "Spring greeting"


def test_what_is_typed_before_the_browser_knows_the_address_is_kept(house: House) -> None:
    viewer = house.sign_in()
    at = house.open("create_campaign")
    at.text_input(key="create_campaign_name").set_value("Typed fast").run()
    del at.query_params["id"]
    at.text_input(key="create_campaign_sender").set_value("HELIOGRAPH").run()
    [stored] = drafts(house, viewer)
    assert (stored.name, stored.sender_id) == ("Typed fast", "HELIOGRAPH")
    assert at.query_params["id"] == stored.campaign_id
    # From then on an address without an id asks for a new campaign.
    at.run()
    del at.query_params["id"]
    at.run()
    assert at.text_input(key="create_campaign_name").value == ""


def test_two_people_editing_one_draft_are_asked(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    mine, theirs = (house.open("create_campaign", id=draft.campaign_id) for _ in range(2))
    theirs.text_input(key="create_campaign_name").set_value("Theirs").run()
    mine.text_input(key="create_campaign_name").set_value("Mine").run()
    assert "Somebody else has changed this draft" in mine.error[0].value
    assert [item.name for item in drafts(house, viewer)] == ["Theirs"]
    mine.button(key="create_campaign_overwrite").click().run()
    assert not mine.error
    assert [item.name for item in drafts(house, viewer)] == ["Mine"]
    theirs.text_input(key="create_campaign_sender").set_value("OTHER").run()
    theirs.button(key="create_campaign_reload").click().run()
    assert theirs.text_input(key="create_campaign_name").value == "Mine"


def test_a_schedule_is_read_in_the_viewers_zone_or_explained(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    at = open_step_two(house, draft)
    at.button(key="create_campaign_schedule_button").click().run()
    assert at.button(key="create_campaign_launch").disabled
    for text, reason in (("tomorrow", "not a date and time"), ("01/01/2020 10:00", "in the past")):
        at.text_input(key="create_campaign_schedule_time").set_value(text).run()
        assert reason in at.error[0].value
        assert at.button(key="create_campaign_launch").disabled
    later = (now() + timedelta(days=2)).replace(second=0, microsecond=0)
    at.text_input(key="create_campaign_schedule_time").set_value(f"{later:%d/%m/%Y %H:%M}").run()
    assert not at.error
    assert [item.schedule_at for item in drafts(house, viewer)] == [later]
    at.button(key="create_campaign_launch").click().run()
    assert at.title[0].value == "Preflight"
    house.app.campaigns.launching.launch(viewer, draft.campaign_id, now())
    assert house.app.campaigns.composing.get(viewer, draft.campaign_id).status is CampaignStatus.SCHEDULED


def test_a_time_typed_for_one_that_has_passed_holds(house: House) -> None:
    viewer = house.sign_in()
    passed = (now() - timedelta(hours=1)).replace(second=0, microsecond=0)
    draft = save_draft(house, viewer, schedule_at=passed)
    at = open_step_two(house, draft)
    assert at.text_input(key="create_campaign_schedule_time").value == f"{passed:%d/%m/%Y %H:%M}"
    assert "in the past" in at.error[0].value
    assert at.button(key="create_campaign_launch").disabled
    # Drawn again, and saved: what is stored is what is shown, and nothing has become "at once".
    at.button(key="create_campaign_save").click().run()
    assert at.button(key="create_campaign_launch").disabled
    assert [item.schedule_at for item in drafts(house, viewer)] == [passed]
    later = (now() + timedelta(days=2)).replace(second=0, microsecond=0)
    at.text_input(key="create_campaign_schedule_time").set_value(f"{later:%d/%m/%Y %H:%M}").run()
    at.run()
    assert not at.error
    assert not at.button(key="create_campaign_launch").disabled
    assert [item.schedule_at for item in drafts(house, viewer)] == [later]


@pytest.mark.parametrize(("typed", "reason"), [("soon", "not a date and time"), ("", "schedule time is missing")])
def test_a_time_that_cannot_be_taken_is_never_saved_as_at_once(house: House, typed: str, reason: str) -> None:
    viewer = house.sign_in()
    later = (now() + timedelta(days=2)).replace(second=0, microsecond=0)
    at = open_step_two(house, save_draft(house, viewer, schedule_at=later))
    at.text_input(key="create_campaign_schedule_time").set_value(typed).run()
    write(at, "Hello {FirstName}, it is spring.")
    assert at.button(key="create_campaign_launch").disabled
    # The message is stored, and the schedule is the one there was.
    [stored] = drafts(house, viewer)
    assert (stored.message, stored.schedule_at) == ("Hello {FirstName}, it is spring.", later)
    at.button(key="create_campaign_save").click().run()
    assert [reason in error.value for error in at.error] == [True]
    # It outlives a look at the other step.
    at.segmented_control(key=STEP).set_value("Sender & Recipients").run()
    at.segmented_control(key=STEP).set_value(WRITING).run()
    assert at.text_input(key="create_campaign_schedule_time").value == typed
    assert at.button(key="create_campaign_launch").disabled
    at.button(key="create_campaign_schedule_close").click().run()
    assert [item.schedule_at for item in drafts(house, viewer)] == [None]
    assert not at.button(key="create_campaign_launch").disabled


def test_replacements_are_shown_before_they_happen(house: House) -> None:
    viewer = house.sign_in()
    at = open_step_two(house, save_draft(house, viewer))
    write(at, "\u201cHi\u201d \u2026 {Nobody}")
    captions = "  ".join(caption.value for caption in at.caption)
    assert "Would be replaced" in captions
    assert "is not a placeholder" in captions
    at.toggle(key="create_campaign_simplifies").set_value(True).run()
    assert "Replaced when sent" in "  ".join(caption.value for caption in at.caption)
    assert [item.simplifies for item in drafts(house, viewer)] == [True]


def test_limits_are_kept_with_the_draft(house: House) -> None:
    viewer = house.sign_in()
    at = open_step_two(house, save_draft(house, viewer))
    at.number_input(key="create_campaign_budget").set_value(250.5)
    at.number_input(key="create_campaign_rate").set_value(50).run()
    (limits,) = (found.proto.popover.label for found in at.get("popover") if "Limits" in found.proto.popover.label)
    assert limits == "Limits: €\u00a0250.50, 50\u00a0segments per second"
    assert not at.exception
    assert [(item.budget_eur_cents, item.rate_tps) for item in drafts(house, viewer)] == [(25_050, 50)]
    again = open_step_two(house, drafts(house, viewer)[0])
    assert again.number_input(key="create_campaign_budget").value == 250.5
    assert again.number_input(key="create_campaign_rate").value == 50
    again.number_input(key="create_campaign_budget").set_value(None)
    again.number_input(key="create_campaign_rate").set_value(None).run()
    assert [(item.budget_eur_cents, item.rate_tps) for item in drafts(house, viewer)] == [(None, None)]


def test_lists_to_leave_out_are_kept_apart_from_those_sent_to(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    staff = house.upload(viewer, "Staff", b"PhoneNumber,FirstName\n491796548754,Beau\n")
    at = house.open("create_campaign", id=draft.campaign_id)
    at.button(key="create_campaign_leave_out").click().run()
    assert at.checkbox(key=f"{LIST_PANEL}_choice_{draft.list_ids[0]}").disabled
    at.checkbox(key=f"{LIST_PANEL}_choice_{staff.list_id}").check().run()
    at.button(key="create_campaign_list_save").click().run()
    [stored] = drafts(house, viewer)
    assert (stored.list_ids, stored.left_out_ids) == (draft.list_ids, (staff.list_id,))
    found = house.app.campaigns.preflighting.look(viewer, draft.campaign_id, now()).preflight.counted
    assert (found.recipient_count, found.excluded) == (2, {"left out": 1})


def test_what_is_no_draft_is_an_error_with_a_way_out(house: House) -> None:
    viewer = house.sign_in()
    launched = save_draft(house, viewer)
    launch(house, viewer, launched)
    for campaign_id, why in (("nope", "There is no such campaign"), (launched.campaign_id, "is no longer a draft")):
        at = house.open("create_campaign", id=campaign_id)
        assert why in at.error[0].value
        at.button(key="create_campaign_back").click().run()
        assert at.title[0].value == "Campaigns"
