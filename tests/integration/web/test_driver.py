"""What browser tests wait for, and what they say when it does not come."""

import pytest
from playwright.sync_api import Browser

from tests.e2e.driver import settled
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser

GIVEN_UP = """
<main data-testid="stApp" data-test-script-state="running" data-test-connection-state="DISCONNECTED_FOREVER">
  What was there before
</main>
"""


def wait_for_a_page_that_is_given_up(chromium: Browser) -> None:
    with person(chromium, "http://nowhere.invalid") as page:
        page.set_content(GIVEN_UP)
        page.evaluate("console.error('Bad message format')")
        settled(page)


def test_a_page_that_is_given_up_is_not_waited_for_and_says_why(chromium: Browser):
    with pytest.raises(AssertionError) as failed:
        wait_for_a_page_that_is_given_up(chromium)
    state, complaints = failed.value.__notes__[-2:]
    assert state == "The page stood so: about:blank ['running', 'DISCONNECTED_FOREVER']"
    assert complaints == "The browser complained of:\nerror: Bad message format"
