"""Settings as a person uses them: a picture, a time zone, an email, a new password."""

import io
import itertools
import re

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from core.domain.people.people import SmsSettings
from core.domain.people.permissions import Viewer
from core.services.people.adding_people import NewPerson
from tests.e2e.driver import PASSWORD, enter, log_in, open_page, settled
from tests.e2e.studio import Studio, now
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser

NEW, NEW_EMAIL = "Quiet-otter-7-lamp", "hopper@new.example"
NUMBERS = itertools.count(1)


@pytest.fixture
def grace(studio: Studio) -> Viewer:
    """Return a new person: what is changed here, others would not expect."""
    new = NewPerson("Grace Hopper", f"grace{next(NUMBERS)}@example.com", PASSWORD, accounts=("simulator",))
    return studio.running.app.people.adding.add(new, now())


def photo(kind: str = "JPEG") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (600, 400), "teal").save(target, kind)
    return target.getvalue()


def choose_picture(page: Page, name: str, content: bytes) -> None:
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})
    expect(page.get_by_text(name).first).to_be_visible()
    settled(page)


def toolbar_picture(page: Page) -> str:
    button = page.locator(".st-key-frame_avatar button:visible")
    return str(button.evaluate("element => getComputedStyle(element).backgroundImage"))


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_a_picture_is_seen_before_and_after_it_is_saved(browser: Browser, studio: Studio, grace: Viewer):
    with person(browser, studio.url) as page:
        enter(page, studio.running, grace.email)
        open_page(page, "/")
        page.locator(".st-key-frame_avatar button:visible").click()
        page.get_by_role("button", name="Settings").click()
        expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()
        assert toolbar_picture(page) == "none"
        choose_picture(page, "notes.png", b"I am text")
        expect(page.get_by_text("This is not a PNG or JPEG picture.").first).to_be_visible()
        choose_picture(page, "me.png", photo())
        preview = page.get_by_role("img", name="The new picture")
        expect(preview).to_be_visible()
        assert preview.evaluate("element => element.naturalWidth") == 256
        page.get_by_role("button", name="Save picture").click()
        expect(page.get_by_role("img", name="Your picture")).to_be_visible()
        assert toolbar_picture(page).startswith('url("data:image/png;base64,')
        open_page(page, "/campaigns")
        assert toolbar_picture(page).startswith('url("data:image/png;base64,')
        open_page(page, "/settings")
        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_text("Without a picture, your initials are shown.").first).to_be_visible()
        assert toolbar_picture(page) == "none"


def test_another_time_zone_and_a_confirmed_email(browser: Browser, studio: Studio, grace: Viewer):
    with person(browser, studio.url) as page:
        enter(page, studio.running, grace.email)
        open_page(page, "/settings")
        page.get_by_role("textbox", name="Email").fill(NEW_EMAIL)
        page.get_by_role("button", name="Update").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Current Password").fill(PASSWORD)
        dialog.get_by_role("button", name="Send link").click()
        pending = page.get_by_text(f"A link was sent to {NEW_EMAIL}. It works until")
        expect(pending).to_be_visible()
        before = pending.inner_text()
        zone = page.get_by_role("combobox", name="Time zone")
        zone.fill("kathman")
        page.get_by_role("option", name="Asia/Kathmandu (UTC+05:45)").click()
        page.get_by_role("button", name="Update").click()
        expect(page.get_by_text("Your settings are saved.").first).to_be_visible()
        settled(page)
        assert until(pending.inner_text()) != until(before)
        page.goto(link(studio))
        page.get_by_role("button", name=re.compile("Confirm")).click()
        page.wait_for_load_state("networkidle")
        open_page(page, "/settings")
        expect(page.get_by_role("textbox", name="Email")).to_have_value(NEW_EMAIL)


def until(text: str) -> str:
    return text.partition("until ")[2][:16]


def link(studio: Studio) -> str:
    """Return where the mail to the new address leads."""
    mails = [mail.read_text(encoding="utf-8") for mail in studio.running.app.settings.outbox_dir.glob("*.eml")]
    mail = next(mail for mail in mails if f"To: {NEW_EMAIL}" in mail).replace("=\n", "")
    path = re.search(r"https?://[^/\s]+(/\S+)", mail)
    assert path
    return path[1].replace("=3D", "=")


def test_quick_send_begins_with_the_settings_and_returns_to_them(browser: Browser, studio: Studio, grace: Viewer):
    chosen = SmsSettings(simplifies=True, sender_id="MERIDIAN")
    studio.running.app.people.own_account.change_sms_settings(grace, chosen, now())
    with person(browser, studio.url) as page:
        enter(page, studio.running, grace.email)
        open_page(page, "/quick_send")
        sender = page.get_by_role("textbox", name="Sender")
        expect(sender).to_have_value("MERIDIAN")
        sender.fill("OTHER")
        sender.blur()
        settled(page)
        page.get_by_role("button", name="Reset form").click()
        expect(sender).to_have_value("MERIDIAN")


def test_a_new_password_ends_the_session_elsewhere(browser: Browser, studio: Studio, grace: Viewer):
    with person(browser, studio.url) as here, person(browser, studio.url) as elsewhere:
        for page in (elsewhere, here):
            enter(page, studio.running, grace.email)
        open_page(elsewhere, "/")
        open_page(here, "/settings")
        open_tab(here, "Password reset")
        expect(here.get_by_text("Chrome on").first).to_be_visible()
        here.get_by_label("Current Password").fill("wrong")
        here.get_by_role("textbox", name="New Password").fill(NEW)
        here.get_by_label("Confirm Password").fill(NEW)
        here.get_by_role("tabpanel").get_by_role("button", name="Update").click()
        expect(here.get_by_text("The current password is wrong.").first).to_be_visible()
        here.get_by_label("Current Password").fill(PASSWORD)
        here.get_by_role("tabpanel").get_by_role("button", name="Update").click()
        expect(here.get_by_text("Your password is changed.").first).to_be_visible()
        expect(here.get_by_text("You are not logged in anywhere else.").first).to_be_visible()
        # The other browser is brought to the login page by itself; there the old password is no use.
        expect(elsewhere.get_by_role("button", name="Log In")).to_be_visible(timeout=15_000)
        log_in(elsewhere, grace.email, NEW)
        expect(elsewhere.get_by_role("heading", name="Dashboard", exact=True)).to_be_visible()
