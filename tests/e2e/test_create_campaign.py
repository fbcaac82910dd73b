"""Create Campaign as a person fills it in: panels, live counts, the draft that saves itself, and the schedule."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.reports.paging import PageRequest
from tests.e2e.driver import is_in_sight, open_page, settled
from tests.e2e.studio import EYE_PX, ZONE, Studio, click_row, now, people, until
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser

FORMAT = "%d/%m/%Y %H:%M"
SECOND_STEP = "Message & Preview"


@pytest.fixture(scope="module")
def panels(studio: Studio) -> Studio:
    """Twelve lists, "Panel 01" to "Panel 12" with as many entries; the newest come first."""
    studio.upload_all({f"Panel {count:02d}": people(count, 5_100_000 + 100 * count) for count in range(1, 13)})
    return studio


def type_in(page: Page, field: str, text: str) -> None:
    box = page.get_by_role("textbox", name=field, exact=True)
    box.fill(text)
    box.press("Enter")
    settled(page)


def define(page: Page, placeholder: str) -> None:
    """Add a placeholder by Enter, as names are typed."""
    type_in(page, "Define Placeholders", placeholder)


def counts(page: Page) -> tuple[str, str, str]:
    return tuple(page.locator(f"dd.{name}").inner_text() for name in ("characters", "messages", "encoding"))


def pick(page: Page, name: str) -> None:
    page.get_by_role("dialog").locator("label").filter(has_text=name).click()
    settled(page)


def stored(studio: Studio, name: str):
    (found,) = studio.running.app.campaigns.composing.page(studio.viewer, PageRequest(search=name)).items
    return found


def test_lists_are_chosen_over_pages_and_searches_and_the_second_tab_waits(browser: Browser, panels: Studio):
    with person(browser, panels.url) as page:
        panels.enter(page)
        open_page(page, "/create_campaign")
        page.get_by_role("radio", name=SECOND_STEP).click()
        expect(page.get_by_text("Fill in first: Campaign Name, Sender, Recipients.")).to_have_count(1)
        expect(page.get_by_role("radio", name="Sender & Recipients")).to_be_checked()
        type_in(page, "Campaign Name", "Panels of lists")
        type_in(page, "Sender", "HELIOGRAPH")
        expect(page.get_by_text("Fill in first: Recipients.").first).to_be_visible()

        page.get_by_role("button", name="Select Distribution List").click()
        drawer = page.get_by_role("dialog")
        pick(page, "Panel 12")
        expect(drawer.get_by_text("Recipients: 12").first).to_be_visible()
        drawer.get_by_role("button", name="Cancel").click()
        expect(drawer).to_have_count(0)
        expect(page.get_by_text("No suitable list yet? Add one first.").first).to_be_visible()

        page.get_by_role("button", name="Select Distribution List").click()
        expect(drawer.get_by_text("Recipients: 0").first).to_be_visible()
        expect(drawer.get_by_role("button", name="Save")).to_be_disabled()
        pick(page, "Panel 12")
        drawer.get_by_role("button", name="Page 2").click()
        pick(page, "Panel 02")
        expect(drawer.get_by_text("Recipients: 14").first).to_be_visible()
        drawer.get_by_placeholder("Search by name").fill("panel 07")
        drawer.get_by_placeholder("Search by name").press("Enter")
        expect(drawer.locator("label").filter(has_text="Panel")).to_have_count(1)
        pick(page, "Panel 07")
        expect(drawer.get_by_text("Recipients: 21").first).to_be_visible()
        drawer.get_by_role("button", name="Save").click()
        expect(drawer).to_have_count(0)
        expect(page.get_by_text("21 in total.").first).to_be_visible()

        # Complete now: the tab opens when it is asked for, and not by itself.
        expect(page.get_by_role("textbox", name="Sender", exact=True)).to_be_visible()
        page.get_by_role("button", name="Leave out lists").click()
        expect(drawer.get_by_role("heading", name="Leave out lists")).to_be_visible()
        expect(drawer.get_by_role("checkbox", name="Panel 12")).to_be_disabled()
        pick(page, "Panel 11")
        expect(drawer.get_by_text("Left out: 11").first).to_be_visible()
        drawer.get_by_role("button", name="Save").click()
        expect(page.get_by_text("left out: Panel 11").first).to_be_visible()
        page.get_by_role("radio", name=SECOND_STEP).click()
        expect(page.get_by_role("textbox", name="Message", exact=True)).to_be_visible()
        expect(page.get_by_text("Recipients: 21").first).to_be_visible()
        expect(page.get_by_text("Saved as a draft").first).to_be_visible()
    draft = stored(panels, "Panels of lists")
    assert [item.name for item in draft.lists] == ["Panel 12", "Panel 02", "Panel 07"]
    assert [item.name for item in draft.left_out] == ["Panel 11"]


def stays_in_its_box(message: Locator, bubble: Locator) -> None:
    """A word without a place to break wraps all the same."""
    message.fill("x" * 300)
    message.blur()
    expect(bubble).to_have_text("x" * 300)
    assert bubble.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_each_recipient_is_previewed_and_counted_as_the_networks_count(browser: Browser, studio: Studio):
    guests = studio.upload("Fallback guests", "491795200001,Beau\n491795200002,\n491795200003,Łukasz\n")
    draft = studio.draft("Fallbacks", (guests,), message="")
    with person(browser, studio.url) as page:
        studio.enter(page)
        open_page(page, f"/create_campaign?id={draft.campaign_id}")
        page.get_by_text("Personalize", exact=True).click()
        page.get_by_role("button", name="Placeholders").click()
        drawer = page.get_by_role("dialog")
        define(page, "First name!")
        expect(drawer.get_by_role("alert")).to_contain_text("cannot be the name of a placeholder")
        define(page, "firstname")
        expect(drawer.get_by_text("{firstname} is filled from").first).to_be_visible()
        drawer.get_by_role("textbox", name="If FirstName is empty").fill("friend")
        drawer.get_by_role("button", name="Save").click()
        expect(drawer).to_have_count(0)
        page.get_by_role("button", name="Next Step").click()

        message = page.get_by_role("textbox", name="Message", exact=True)
        assert all(is_in_sight(page.get_by_role("button", name=name, exact=True)) for name in ("Save", "Launch"))
        message.fill("Hi ")
        page.get_by_role("button", name="Insert placeholder firstname").click()
        expect(message).to_have_value("Hi {firstname}")
        bubble, there = page.locator("p.bubble"), page.locator(".position")
        expect(bubble).to_have_text("Hi Beau")
        assert counts(page) == ("7", "1", "GSM-7")
        expect(page.get_by_role("button", name="Previous recipient")).to_be_disabled()
        page.get_by_role("button", name="Next recipient").click()
        expect(bubble).to_have_text("Hi friend")
        page.get_by_role("button", name="Next recipient").click()
        expect(bubble).to_have_text("Hi Łukasz")
        expect(there).to_have_text("Recipient 3 of 3")
        assert counts(page) == ("9", "1", "Unicode")
        expect(page.get_by_text("Sent as Unicode because of Ł").first).to_be_visible()
        expect(page.get_by_role("button", name="Next recipient")).to_be_disabled()

        # 152 + the name: Łukasz makes three of what is one for the others.
        message.fill("x" * 152 + "{firstname}")
        assert counts(page) == ("158", "3", "Unicode")
        page.get_by_role("button", name="Previous recipient").click()
        page.get_by_role("button", name="Previous recipient").click()
        expect(there).to_have_text("Recipient 1 of 3")
        expect(bubble).to_have_text("x" * 152 + "Beau")
        assert counts(page) == ("156", "1", "GSM-7")
        for text, counted in (
            # € counts two septets: with two of them 160 are full, the third one is too much.
            ("x" * 152 + "€€{firstname}", ("158", "1", "GSM-7")),
            ("x" * 152 + "€€€{firstname}", ("159", "2", "GSM-7")),
            # An emoji is one character and two code units.
            ("x" * 64 + "😀{firstname}", ("69", "1", "Unicode")),
            ("x" * 65 + "😀{firstname}", ("70", "2", "Unicode")),
        ):
            message.fill(text)
            assert counts(page) == counted
        stays_in_its_box(message, bubble)
        message.fill("Hi {firstname}, {nmae}")
        message.blur()
        expect(page.get_by_text("{nmae} is not a placeholder").first).to_be_visible()


def test_a_draft_outlives_the_logout_and_goes_on_in_another_browser(browser: Browser, studio: Studio):
    with person(browser, studio.url) as page:
        studio.enter(page)
        open_page(page, "/create_campaign")
        type_in(page, "Campaign Name", "Outlives a logout")
        type_in(page, "Sender", "HELIOGRAPH")
        expect(page.get_by_text("Saved as a draft").first).to_be_visible()
        page.get_by_role("button", name="AL", exact=True).click()
        page.get_by_role("button", name="Log out").click()
        expect(page).to_have_url(f"{studio.url}/login")
    with person(browser, studio.url) as other:
        studio.enter(other)
        open_page(other, "/campaigns?campaigns_search=outlives")
        click_row(other, 0, EYE_PX)
        other.get_by_role("button", name="Continue editing").click()
        expect(other.get_by_role("textbox", name="Campaign Name")).to_have_value("Outlives a logout")
        expect(other.get_by_role("textbox", name="Sender", exact=True)).to_have_value("HELIOGRAPH")


def test_two_browsers_with_one_draft_are_asked_whose_to_keep(browser: Browser, studio: Studio):
    draft = studio.draft("Shared draft")
    address = f"/create_campaign?id={draft.campaign_id}"
    with person(browser, studio.url) as hers, person(browser, studio.url) as his:
        for page in (hers, his):
            studio.enter(page)
            open_page(page, address)
        type_in(hers, "Sender", "HERS")
        until(lambda: studio.get(draft).sender_id == "HERS")
        type_in(his, "Sender", "HIS")
        expect(his.get_by_role("alert")).to_contain_text("Somebody else has changed this draft")
        assert studio.get(draft).sender_id == "HERS"
        his.get_by_role("button", name="Load theirs").click()
        expect(his.get_by_role("textbox", name="Sender", exact=True)).to_have_value("HERS")
        expect(his.get_by_role("alert")).to_have_count(0)

        type_in(his, "Sender", "HIS")
        until(lambda: studio.get(draft).sender_id == "HIS")
        type_in(hers, "Sender", "HERSAGAIN")
        expect(hers.get_by_role("alert")).to_contain_text("Your changes are not saved yet")
        hers.get_by_role("button", name="Keep mine").click()
        expect(hers.get_by_text("Saved as a draft").first).to_be_visible()
        expect(hers.get_by_role("alert")).to_have_count(0)
    assert studio.get(draft).sender_id == "HERSAGAIN"


def skipped_time() -> datetime:
    """Return 02:30 of the next last Sunday in March, which the clocks of `ZONE` skip."""
    today = now()
    for year in (today.year, today.year + 1):
        last = datetime(year, 3, 31, 2, 30, tzinfo=UTC)
        sunday = last - timedelta(days=(last.weekday() + 1) % 7)
        if sunday > today + timedelta(days=1):
            return sunday
    raise AssertionError


def test_a_schedule_is_explained_until_it_holds_and_edit_takes_it_back(browser: Browser, studio: Studio):
    guests = studio.upload("Schedule guests", people(2, 5_300_000))
    draft = studio.draft("Planned spring", (guests,))
    at = (now() + timedelta(days=2)).astimezone(ZoneInfo(ZONE)).replace(second=0, microsecond=0)
    refused = {
        "tomorrow at 8": "is not a date and time",
        f"{now() - timedelta(days=1):{FORMAT}}": "is in the past",
        f"{skipped_time():{FORMAT}}": f"the clocks skip 02:30 in {ZONE}",
        f"{now() + timedelta(days=800):{FORMAT}}": "more than a year away",
    }
    with person(browser, studio.url) as page:
        studio.enter(page)
        open_page(page, f"/create_campaign?id={draft.campaign_id}")
        page.get_by_role("button", name="Next Step").click()
        page.get_by_role("button", name="Schedule").click()
        launch = page.get_by_role("button", name="Launch", exact=False).last
        expect(page.get_by_text(f"Enter a time as DD/MM/YYYY HH:mm, in {ZONE}.").first).to_be_visible()
        for text, reason in refused.items():
            type_in(page, "Schedule Time", text)
            expect(page.get_by_role("alert")).to_contain_text(reason)
            expect(launch).to_be_disabled()
        assert studio.get(draft).schedule_at is None
        type_in(page, "Schedule Time", f"{at:{FORMAT}}")
        expect(page.get_by_role("alert")).to_have_count(0)
        launch.click()
        expect(page.get_by_role("heading", name="Preflight")).to_be_visible()
        bar = page.locator(".st-key-preflight_launch_bar")
        expect(bar).to_contain_text(f"on {at:{FORMAT}}")
        settled(page)
        bar.get_by_role("button", name="Schedule").click()
        header = page.locator(".st-key-campaign_header")
        expect(header.get_by_text("Scheduled").first).to_be_visible()
        expect(page.locator(".st-key-campaign_details")).to_contain_text(f"{at:{FORMAT}}")
        assert studio.get(draft).schedule_at == at

        page.get_by_role("button", name="Edit", exact=False).first.click()
        expect(page.get_by_role("textbox", name="Campaign Name")).to_have_value("Planned spring")
        assert studio.get(draft).status is CampaignStatus.INACTIVE
        page.get_by_role("button", name="Next Step").click()
        expect(page.get_by_role("textbox", name="Schedule Time")).to_have_value(f"{at:{FORMAT}}")
        page.get_by_role("button", name="Launch immediately instead").click()
        expect(page.get_by_role("textbox", name="Schedule Time")).to_have_count(0)
        until(lambda: studio.get(draft).schedule_at is None)


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_what_keeps_an_empty_message_from_being_launched_is_in_sight(browser: Browser, studio: Studio, *, phone: bool):
    name = f"Nothing to say {phone}"
    draft = studio.draft(name, (studio.upload(name, people(3, 5_700_000 + 100 * phone)),), message="")
    with person(browser, studio.url, phone=phone) as page:
        studio.enter(page)
        open_page(page, f"/create_campaign?id={draft.campaign_id}")
        page.get_by_role("button", name="Next Step").click()
        page.get_by_role("button", name="Launch", exact=True).click()
        trouble = page.get_by_role("alert").filter(has_text="The message is empty.")
        assert is_in_sight(trouble)


def test_tab_begins_with_the_new_step_and_the_new_page_instead_of_at_launch(browser: Browser, panels: Studio):
    lists = panels.running.app.lists.page(panels.viewer, PageRequest(search="Panel 03")).items
    draft = panels.draft("By keyboard", (lists[0].list_id,))
    with person(browser, panels.url) as page:
        panels.enter(page)
        open_page(page, f"/create_campaign?id={draft.campaign_id}")
        first = page.locator(".st-key-frame_toolbar_actions button").first
        for button, arrived in (("Next Step", "Message"), ("Launch", "Findings")):
            page.get_by_role("button", name=button).press("Enter")
            expect(page.get_by_text(arrived, exact=True).first).to_be_visible()
            settled(page)
            page.keyboard.press("Tab")
            expect(first).to_be_focused()
