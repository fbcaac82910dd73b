from decimal import Decimal

import pytest

from core.domain.accounts.pricing import Price
from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.people.permissions import Viewer
from core.domain.reports.paging import PageRequest
from core.state.accounts import accounts
from pages._ui.components.composer import Composition
from pages._ui.screens.quick_send.quick_form import CHIPS, COMPOSER
from tests.support.application.campaigns import now
from tests.support.application.page_tests import House

NUMBERS = ("+491796548754", "+491796548755")


def fill_in(at, *numbers: str, message: str = "Doors open at 8.") -> None:
    """Type a message: chips and editor are drawn by the browser, which AppTest has not."""
    at.session_state[f"{CHIPS}_kept"] = numbers
    at.session_state[f"{COMPOSER}_kept"] = Composition(message, 1)
    at.text_input(key="quick_send_sender").set_value("HELIOGRAPH").run()


def texts(at) -> list[str]:
    """Return what stands there, without what escapes it and the space that keeps an amount in one piece."""
    return [element.value.replace("€\u00a0", "€").replace("\\", "") for element in at.markdown]


def sent(house: House, viewer: Viewer) -> list:
    return [
        item for item in house.app.campaigns.composing.page(viewer, PageRequest()).items if item.source == "quick_send"
    ]


def test_sending_asks_what_it_comes_to_and_leads_to_the_campaign(house: House) -> None:
    viewer = house.sign_in()
    at = house.open("quick_send")
    fill_in(at, *NUMBERS)
    assert any(text.startswith("Recipients: **2** · Messages in total: **2** · Price: **€") for text in texts(at))
    at.button(key="quick_send_send").click().run()
    assert any("2\u00a0recipients, one segment each, for €" in element.value for element in at.markdown)
    assert sent(house, viewer) == []
    at.button(key="quick_send_sure_ok").click().run()
    assert not at.exception
    assert at.title[0].value == "Campaign"
    [campaign] = sent(house, viewer)
    house.app.work.run_until_idle(now)
    done = house.app.campaigns.composing.get(viewer, campaign.campaign_id)
    assert (done.status, done.audience_count, done.message) == (CampaignStatus.COMPLETED, 2, "Doors open at 8.")


@pytest.mark.parametrize(
    ("numbers", "message", "reason"),
    [((), "Hi", "There are no recipients"), (NUMBERS, " ", "The message is empty"), (("+123",), "Hi", "+123: ")],
)
def test_what_cannot_be_sent_is_said_before_it_is_asked(
    house: House, numbers: tuple[str, ...], message: str, reason: str
) -> None:
    viewer = house.sign_in()
    at = house.open("quick_send")
    fill_in(at, *numbers, message=message)
    at.button(key="quick_send_send").click().run()
    assert at.error[0].value.replace("\\", "").startswith(f"**{reason}")
    assert sent(house, viewer) == []


def test_a_budget_that_does_not_suffice_is_said_before_anybody_sends(house: House) -> None:
    viewer = house.sign_in()
    at = house.open("quick_send")
    account = house.app.accounts.managing.list_sending(viewer)[0]
    with house.app.state.write() as session:
        accounts.set_prices(session, account.account_id, [Price("", "", Decimal(5))])
        accounts.set_budget(session, account.account_id, Decimal(12))
    fill_in(at, *NUMBERS)
    figures = (
        "Recipients: **2** · Messages in total: **2** · Price: **€0.10** · Left of the budget this month: **€0.12**"
    )
    assert figures in texts(at)
    assert not at.error
    at.button(key="quick_send_send").click().run()
    assert any("€0.02 of the account's budget is left then this month." in text for text in texts(at))
    with house.app.state.write() as session:
        accounts.set_budget(session, account.account_id, Decimal(9))
    at.button(key="quick_send_sure_cancel").click().run()
    [beyond] = at.error
    assert beyond.value.replace("\u00a0", "").startswith(
        "**The account's budget is not enough**: €0.01 more is needed this month."
    )
    at.button(key="quick_send_send").click().run()
    [refused] = at.error
    assert refused.value.startswith("**The message costs more than is left of the account's budget this month")
    assert not [each for each in at.button if each.key == "quick_send_sure_ok"]
    assert sent(house, viewer) == []


def test_reset_starts_over(house: House) -> None:
    house.sign_in()
    at = house.open("quick_send")
    fill_in(at, *NUMBERS)
    before = at.session_state["quick_send_token"]
    at.button(key="quick_send_reset").click().run()
    assert "Recipients: **0** · Messages in total: **0**" in [element.value for element in at.markdown]
    assert at.text_input(key="quick_send_sender").value == ""
    assert at.session_state["quick_send_token"] != before


def test_without_the_permission_there_is_no_such_page(house: House) -> None:
    house.sign_in("Reporting manager")
    with pytest.raises(ValueError, match="quick_send"):
        house.open("quick_send")
