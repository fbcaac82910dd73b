"""Every page, as everybody: each preset role, a custom one, with and without the account, and a stranger."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from core.domain.campaigns.campaigns import CampaignDraft
from core.domain.people.permissions import PRESETS, Permission
from core.services.people.managing_people import Change
from core.services.sending.replying import keep_replies
from core.web.guard.cookies import SESSION_COOKIE
from pages._ui import navigation
from tests.support.application.factories import make_reply
from tests.support.application.page_tests import House
from tests.support.stores.messages import make_message

EVERYBODY = frozenset({*PRESETS, "Custom"})
CUSTOM = frozenset({Permission.STATISTICS, Permission.QUICK_SEND})
SENDERS = frozenset({"Administrator", "Campaign manager", "Custom"})
# Written down once more, apart from the navigation and the pages: a screen that is not here fails the test below.
OPEN_TO: dict[str, frozenset[str]] = {
    "dashboard": EVERYBODY,
    "distribution_lists": frozenset({"Administrator", "Campaign manager"}),
    "suppressions": frozenset({"Administrator", "Campaign manager"}),
    "campaigns": frozenset({"Administrator", "Campaign manager"}),
    "create_campaign": frozenset({"Administrator", "Campaign manager"}),
    "preflight": frozenset({"Administrator", "Campaign manager"}),
    "quick_send": SENDERS,
    "campaign": SENDERS,
    "campaign_rows": SENDERS,
    "statistics": frozenset({"Administrator", "Reporting manager", "Custom"}),
    "message_history": frozenset({"Administrator", "Reporting manager"}),
    "replies": frozenset({"Administrator", "Reporting manager"}),
    "message": frozenset({"Administrator", "Reporting manager"}),
    "import_traffic": frozenset({"Administrator", "User manager"}),
    "traffic_accounts": frozenset({"Administrator", "User manager"}),
    "gateways": frozenset({"Administrator"}),
    "users": frozenset({"Administrator", "User manager"}),
    "settings": EVERYBODY,
    "audit": frozenset({"Administrator"}),
}
# What belongs to the account, under a name that stands nowhere else.
LIST, CAMPAIGN, SENDER, SAID = "Secret guests", "Secret spring", "SECRETLY", "Secret answer"
# Where somebody of the account finds it.
SHOWN = {
    ("distribution_lists", "Campaign manager"): LIST,
    ("campaigns", "Campaign manager"): CAMPAIGN,
    ("campaign", "Campaign manager"): CAMPAIGN,
    ("message_history", "Reporting manager"): SENDER,
    ("replies", "Reporting manager"): SAID,
}


@dataclass
class Company:
    """A house whose account has a list, a campaign, a message and a reply."""

    house: House
    campaign_id: str

    def enter(self, role: str, *, with_account: bool) -> None:
        """Let the pages be those of somebody in this role."""
        admin = self.house.app.people.adding.get_viewer("administrator@example.org")
        viewer = (
            self.house.sign_in("Reporting manager" if role == "Custom" else role) if role != "Administrator" else admin
        )
        permissions = CUSTOM if role == "Custom" else viewer.permissions
        accounts = viewer.account_ids if with_account else frozenset[str]()
        change = Change("Ben", permissions, accounts)
        self.house.app.people.managing.change(admin, viewer.user_id, change, datetime.now(UTC))


@pytest.fixture
def company(house: House) -> Company:
    viewer = house.sign_in()
    (account_id,) = viewer.account_ids
    found = house.upload(viewer, LIST, b"PhoneNumber,FirstName\n491796000001,Beau\n")
    draft = CampaignDraft(account_id, CAMPAIGN, SENDER, (found.list_id,), "Hello")
    saved = house.app.campaigns.composing.save(viewer, draft, datetime.now(UTC))
    house.record([make_message(account=account_id, sender=SENDER, sent_at=datetime.now(UTC))])
    with house.app.state.write() as session:
        keep_replies(session, [make_reply(text=SAID, received_at=datetime.now(UTC))], datetime.now(UTC))
    return Company(house, saved.campaign_id)


@contextmanager
def nobody(house: House) -> Iterator[None]:
    kept = house.cookies.pop(SESSION_COOKIE)
    try:
        yield
    finally:
        house.cookies[SESSION_COOKIE] = kept


def said(at: AppTest) -> str:
    """Return everything the page says, tables and choices included."""
    words = [
        at.title,
        at.header,
        at.subheader,
        at.markdown,
        at.caption,
        at.text,
        at.error,
        at.info,
        at.warning,
        at.metric,
        at.button,
    ]
    shown = [str(getattr(element, "label", "")) + str(element.value) for kind in words for element in kind]
    shown += [str(choice.options) for kind in (at.selectbox, at.multiselect) for choice in kind]
    shown += [str(table.value.to_dict()) for table in (*at.dataframe, *at.table)]
    return "\n".join(shown)


def test_every_screen_is_in_the_table() -> None:
    assert {screen.stem for screen in navigation.SCREENS} == set(OPEN_TO)
    pages = {path.stem for path in navigation.PAGES.glob("*.py") if path.stem != "__init__"}
    assert pages == set(OPEN_TO)


@pytest.mark.parametrize("with_account", [True, False], ids=["with the account", "without"])
@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_each_role_opens_its_pages_and_no_other(company: Company, role: str, *, with_account: bool) -> None:
    company.enter(role, with_account=with_account)
    for stem, roles in OPEN_TO.items():
        if role not in roles:
            with pytest.raises(ValueError, match=stem):
                company.house.open(stem, id=company.campaign_id)
            at = company.house.open_directly(stem)
            assert "You do not have access to" in at.error[0].value, stem
            assert not at.dataframe, stem
            assert not at.text_input, stem
            assert not [button for button in at.button if not str(button.key).startswith("frame_")], stem
            continue
        at = company.house.open(stem, id=company.campaign_id)
        assert not at.exception, stem
        assert not [error for error in at.error if "You do not have access to" in error.value], stem
        assert at.button(key="frame_log_out"), stem
        words = said(at)
        if stem == "audit":
            # It is of the whole installation: whoever may read it reads the names of everything, and no numbers.
            assert "491796000001" not in words
        elif not with_account:
            assert not any(word in words for word in (LIST, CAMPAIGN, SENDER, SAID)), stem
        elif expected := SHOWN.get((stem, role)):
            assert expected in words, stem


@pytest.mark.parametrize("stem", sorted(OPEN_TO))
def test_a_stranger_sees_no_page(company: Company, stem: str) -> None:
    with nobody(company.house):
        for at in (
            AppTest.from_file(str(navigation.PAGES / "_ui" / "frame.py")).run(timeout=30),
            company.house.open_directly(stem),
        ):
            assert not at.exception
            assert said(at) == ""
