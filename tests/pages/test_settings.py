import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.domain.people.people import SmsSettings
from core.domain.people.permissions import PRESETS, Viewer
from core.errors import WrongCredentials
from core.files.pictures import draw_portrait
from core.services.people.own_account import Profile
from core.state.people.sessions import Browser
from core.web.guard.cookies import SESSION_COOKIE
from pages._ui.components.composer import Composition
from pages._ui.panels import avatars
from pages._ui.screens.quick_send.quick_form import CHIPS, COMPOSER
from tests.support.application.campaigns import now
from tests.support.application.page_tests import PASSWORD, House

NEW = "Quiet-otter-7-lamp"
EMAIL = "administrator@example.org"
IN_TOOLBAR = ".st-key-frame_avatar button{background:center/cover url(data:image/png;base64,"
FIREFOX = Browser("192.0.2.9", "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0")


def picture(kind: str = "PNG") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(target, kind)
    return target.getvalue()


def opened(house: House, preset: str = "Administrator") -> tuple[AppTest, Viewer]:
    viewer = house.sign_in(preset)
    at = house.open("settings")
    assert not at.exception
    return at, viewer


def said(at: AppTest) -> list[str]:
    return [toast.value.replace("\\", "") for toast in at.toast]


def html(at: AppTest) -> str:
    return " ".join(element.proto.body for element in at.get("html"))


def test_the_three_tabs_of_the_guide_with_their_fields(house: House) -> None:
    at, _ = opened(house)
    assert at.title[0].value == "Settings"
    assert [tab.label for tab in at.tabs] == ["General", "SMS settings", "Password reset"]
    assert [field.label for field in at.tabs[0].text_input] == ["Email", "Name", "Phone (E.G. +15417963010)"]
    assert [field.label for field in at.tabs[0].selectbox] == ["Language", "Time zone"]
    assert [field.label for field in at.tabs[1].text_input] == ["Default sender ID"]
    fields = [field.label for field in at.tabs[2].text_input]
    assert fields == ["Current Password", "New Password", "Confirm Password"]
    assert "English only, for now" in at.selectbox(key="settings_language").help
    assert "You are not logged in anywhere else." in [caption.value for caption in at.caption]


@pytest.mark.parametrize("preset", PRESETS)
def test_everybody_has_an_account_and_the_avatar_leads_to_it(house: House, preset: str) -> None:
    house.sign_in(preset)
    at = house.open("dashboard")
    at.button(key="frame_settings").click().run()
    assert not at.exception
    assert at.title[0].value == "Settings"


def test_the_profile_is_updated_and_times_are_shown_in_the_new_zone_at_once(house: House) -> None:
    at, viewer = opened(house)
    house.app.people.own_account.ask_email_change(viewer, "new@example.com", PASSWORD, datetime.now(UTC))
    at.run()
    [before] = [info.value for info in at.info]
    at.text_input(key="settings_name").set_value("Ada King")
    at.text_input(key="settings_phone").set_value("+1 541 796 3010")
    at.selectbox(key="settings_time_zone").select("Asia/Kathmandu")
    at.button(key="settings_update").click().run()
    assert not at.exception
    assert "Your settings are saved." in said(at)
    person = house.app.people.own_account.get(viewer)
    assert (person.name, person.phone, person.time_zone) == ("Ada King", "+15417963010", "Asia/Kathmandu")
    assert any("**Ada King**" in element.value for element in at.markdown)
    [after] = [info.value for info in at.info]
    assert after != before
    label = at.selectbox(key="settings_time_zone").options[at.selectbox(key="settings_time_zone").index]
    assert label == "Asia/Kathmandu (UTC+05:45)"


def test_a_wrong_phone_is_said_below_its_field(house: House) -> None:
    at, viewer = opened(house)
    at.text_input(key="settings_phone").set_value("12ab")
    at.button(key="settings_update").click().run()
    assert "not a phone number" in at.error[0].value
    assert house.app.people.own_account.get(viewer).phone == ""


def test_what_a_person_calls_himself_is_no_markup(house: House) -> None:
    at, viewer = opened(house)
    name = "<img src=x onerror=alert(1)> [x](https://evil.example) **b**"
    at.text_input(key="settings_name").set_value(name)
    at.button(key="settings_update").click().run()
    assert house.app.people.own_account.get(viewer).name == name
    shown = [element.value for element in at.markdown]
    assert r"\<img src\=x" in " ".join(shown) or r"\<img src=x" in " ".join(shown)
    assert not any(re.search(r"(?<!\\)(<img|\[x|\*\*b)", text) for text in shown)
    assert "<img" not in html(at)


def test_a_new_email_is_asked_for_with_the_password_and_can_be_withdrawn(house: House) -> None:
    at, viewer = opened(house)
    at.text_input(key="settings_new_email_0").set_value("ada@new.example")
    at.button(key="settings_update").click().run()
    at.text_input(key="settings_email_password").set_value("wrong")
    at.button(key="settings_email_send").click().run()
    assert "current password is wrong" in at.error[0].value
    at.text_input(key="settings_email_password").set_value(PASSWORD)
    at.button(key="settings_email_send").click().run()
    assert not at.exception
    assert any("A link was sent to" in info.value for info in at.info)
    assert at.text_input(key="settings_new_email_1").value == EMAIL
    assert house.app.people.own_account.get(viewer).email == EMAIL
    at.button(key="settings_withdraw").click().run()
    assert [info.value for info in at.info] == []


def test_what_is_no_email_is_said_before_the_password_is_asked(house: House) -> None:
    at, _ = opened(house)
    at.text_input(key="settings_new_email_0").set_value("ada@@x")
    at.button(key="settings_update").click().run()
    assert "not an email address" in at.error[0].value
    assert all(field.key != "settings_email_password" for field in at.text_input)


def test_a_picture_is_previewed_saved_shown_in_the_toolbar_and_removed(house: House) -> None:
    at, viewer = opened(house)
    assert IN_TOOLBAR not in html(at)
    at.file_uploader(key="settings_file_0").upload("me.png", picture("JPEG")).run()
    assert 'alt="The new picture"' in html(at)
    assert house.app.people.own_account.find_avatar(viewer) is None
    at.button(key="settings_picture_save").click().run()
    assert not at.exception
    assert 'alt="Your picture"' in html(at)
    assert IN_TOOLBAR in html(at)
    at.button(key="settings_picture_remove").click().run()
    assert house.app.people.own_account.find_avatar(viewer) is None
    assert IN_TOOLBAR not in html(at)
    assert "Without a picture, your initials are shown." in [caption.value for caption in at.caption]


@pytest.mark.parametrize(
    "content", [b"I am text", b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture("JPEG")[:-300]]
)
def test_what_is_no_picture_is_said_and_not_kept(house: House, content: bytes) -> None:
    at, viewer = opened(house)
    at.file_uploader(key="settings_file_0").upload("me.png", content).run()
    assert not at.exception
    assert at.error[0].value.startswith("**")
    assert all(button.key != "settings_picture_save" for button in at.button)
    assert house.app.people.own_account.find_avatar(viewer) is None


def test_the_toolbar_s_picture_is_the_viewer_s_own(house: House) -> None:
    at, viewer = opened(house)
    house.app.people.own_account.set_avatar(viewer, picture(), datetime.now(UTC))
    assert IN_TOOLBAR in html(at.run())
    house.sign_in("User manager")
    assert IN_TOOLBAR not in html(house.open("settings"))


def test_sms_settings_are_saved_and_the_replacements_listed(house: House) -> None:
    at, viewer = opened(house)
    at.radio(key="settings_unicode").set_value("Replace typographic characters")
    at.text_input(key="settings_sender").set_value("MERIDIAN").run()
    at.button(key="settings_sms_update").click().run()
    assert not at.exception
    assert house.app.people.own_account.get(viewer).sms == SmsSettings(simplifies=True, sender_id="MERIDIAN")
    replaced = at.tabs[1].table[0].value.to_string()
    assert "\u201c" in replaced
    assert "no\\-break space" in replaced


def test_a_default_sender_that_is_none_is_said_at_once(house: House) -> None:
    at, viewer = opened(house)
    at.text_input(key="settings_sender").set_value("Caf\u00e9").run()
    assert "handsets do not show" in at.tabs[1].error[0].value
    at.button(key="settings_sms_update").click().run()
    assert house.app.people.own_account.get(viewer).sms == SmsSettings()


def test_new_messages_begin_with_the_person_s_settings(house: House) -> None:
    viewer = house.sign_in()
    house.app.people.own_account.change_sms_settings(viewer, SmsSettings(simplifies=True, sender_id="MERIDIAN"), now())
    at = house.open("create_campaign")
    assert at.text_input(key="create_campaign_sender").value == "MERIDIAN"
    assert at.session_state["create_campaign_form"].simplifies is True
    at = house.open("quick_send")
    assert at.text_input(key="quick_send_sender").value == "MERIDIAN"
    assert at.toggle(key="quick_send_simplifies").value is True
    at.text_input(key="quick_send_sender").set_value("").run()
    at.toggle(key="quick_send_simplifies").set_value(False).run()
    assert at.text_input(key="quick_send_sender").value == ""
    at.button(key="quick_send_reset").click().run()
    assert at.text_input(key="quick_send_sender").value == "MERIDIAN"
    assert at.toggle(key="quick_send_simplifies").value is True


def test_a_quick_message_goes_out_with_the_settings(house: House) -> None:
    viewer = house.sign_in()
    house.app.people.own_account.change_sms_settings(viewer, SmsSettings(simplifies=True, sender_id="MERIDIAN"), now())
    at = house.open("quick_send")
    at.session_state[f"{CHIPS}_kept"] = ("+491796548754",)
    at.session_state[f"{COMPOSER}_kept"] = Composition("\u201cHello\u201d", 1)
    at.run()
    at.button(key="quick_send_send").click().run()
    at.button(key="quick_send_sure_ok").click().run()
    campaign = house.app.campaigns.composing.get(viewer, at.query_params["id"])
    assert campaign.sender_id == "MERIDIAN"
    assert campaign.message in ('"Hello"', "\u201cHello\u201d")
    assert campaign.simplifies or campaign.message == '"Hello"'


def fill_in_password(at: AppTest, current: str, new: str, confirm: str, attempt: int = 0) -> None:
    for name, value in (("current", current), ("new", new), ("confirm", confirm)):
        at.text_input(key=f"settings_{name}_{attempt}").set_value(value)
    at.button(key="settings_password_update").click().run()
    assert not at.exception


def test_a_new_password_ends_the_other_sessions_and_empties_the_form(house: House) -> None:
    at, _ = opened(house)
    elsewhere = house.app.people.signing_in.sign_in(EMAIL, PASSWORD, FIREFOX, now())
    fill_in_password(at, PASSWORD, NEW, NEW)
    assert "Your password is changed. 1\u00a0other session ended." in said(at)
    assert at.text_input(key="settings_current_1").value == ""
    assert house.app.people.signing_in.identify(elsewhere, now()) is None
    with pytest.raises(WrongCredentials):
        house.app.people.signing_in.sign_in(EMAIL, PASSWORD, FIREFOX, now())


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("wrong", NEW, NEW), "current password is wrong"),
        ((PASSWORD, NEW, "other"), "passwords differ"),
        ((PASSWORD, "weak", "weak"), "too weak"),
    ],
)
def test_what_is_wrong_with_a_new_password_is_said(house: House, typed: tuple[str, str, str], message: str) -> None:
    at, _ = opened(house)
    fill_in_password(at, *typed)
    assert message in at.error[0].value
    assert house.app.people.signing_in.sign_in(EMAIL, PASSWORD, FIREFOX, now())


def test_guessing_the_current_password_has_to_wait(house: House) -> None:
    at, _ = opened(house)
    for _ in range(6):
        fill_in_password(at, "wrong", NEW, NEW)
    fill_in_password(at, PASSWORD, NEW, NEW)
    assert "Too many attempts" in at.error[0].value


def test_sessions_elsewhere_are_listed_and_ended_one_by_one(house: House) -> None:
    at, viewer = opened(house)
    tokens = [
        house.app.people.signing_in.sign_in(EMAIL, PASSWORD, FIREFOX, now() - timedelta(minutes=i)) for i in (1, 2)
    ]
    at.run()
    shown = [element.value for element in at.tabs[2].markdown]
    assert shown.count("**Firefox on Windows**") == 2
    assert any("192\\.0\\.2\\.9" in caption.value for caption in at.tabs[2].caption)
    mine = house.app.people.signing_in.list_sessions(viewer, house.cookies[SESSION_COOKIE], now())
    newest = next(device for device in mine if not device.is_current)
    at.button(key=f"settings_end_{newest.session_id}").click().run()
    assert not at.exception
    assert [house.app.people.signing_in.identify(token, now()) is None for token in tokens] == [True, False]
    at.button(key="settings_end_all").click().run()
    at.button(key="settings_end_all_ok").click().run()
    assert house.app.people.signing_in.identify(tokens[1], now()) is None
    assert house.app.people.signing_in.identify(house.cookies[SESSION_COOKIE], now()) is not None


def test_a_zone_that_is_not_offered_any_more_is_kept(house: House) -> None:
    viewer = house.sign_in()
    profile = Profile("Ada", "", "en", "US/Eastern")
    house.app.people.own_account.change_profile(viewer, profile, now())
    at = house.open("settings")
    assert at.selectbox(key="settings_time_zone").value == "US/Eastern"


def test_an_avatar_s_address_holds_the_picture() -> None:
    assert avatars.preview_address(picture(), draw_portrait).startswith("data:image/png;base64,")
