"""Real pages opened by addresses nobody means: they say so, or show what they have."""

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from core.domain.campaigns.campaigns import CampaignDraft
from core.domain.reports.addresses import ENDS, NAMES, check_address
from core.errors import InvalidInput
from pages._ui import navigation
from tests.support.application.page_tests import House
from tests.support.application.page_tests import house as open_house
from tests.support.cases.nasty import EXAMPLES, SUITE, TABLE
from tests.support.stores.messages import make_message

STEMS = [screen.stem for screen in navigation.SCREENS]
# Beside what breaks out of quotes: what looks like a page's own value and is none, or is none any more.
ALMOST = (
    *("2026-02-30", "9999-99-99", "-", "--", "0", "9999999", "7", "NaN", "-Infinity", "1E-9999", "1e99999", "."),
    *("Custom range", "Today,Today", "Network,Network", ",,,", "-sent", "-nope", "ALL", "empty", "not_sent", "sent"),
    *("Network|Equal to|", "Network|Nope|x", "|||", "Network|Contains|%' OR 1=1 --", "De", "Delivered", "///", ""),
)
# More of them with HELIOGRAPH_FUZZ: each is a page.
ROUNDS = 2 if EXAMPLES <= SUITE else 40


def passing(name: str) -> list[str]:
    """Return the nasty texts that the rules let pass for *name*: the page has to stand them."""

    def is_let(text: str) -> bool:
        try:
            check_address([(name, text)])
        except InvalidInput:
            return False
        return True

    return [text for text in (*ALMOST, *TABLE) if is_let(text)]


PASSING = {name: passing(name) for name in (*NAMES, *ENDS)}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, list[str]]]:
    """Return a house with somebody who may do everything, and the ids of what is in it, and of what is not."""
    with open_house(tmp_path_factory.mktemp("addresses")) as house:
        viewer = house.sign_in()
        found = house.upload(viewer, "Guests", b"PhoneNumber,FirstName\n+491796000001,Ada\n")
        (account,) = house.app.accounts.managing.list_accounts(viewer)
        draft = CampaignDraft(account.account_id, "Spring", "HELIOGRAPH", (found.list_id,), "Hello")
        campaign = house.app.campaigns.composing.save(viewer, draft, datetime.now(UTC))
        message = make_message(account=account.account_id, sent_at=datetime.now(UTC))
        house.record([message])
        yield house, [campaign.campaign_id, str(message["message_id"]), "nope", "-" * 64]


@pytest.mark.parametrize("number", range(ROUNDS))
@pytest.mark.parametrize("stem", STEMS)
def test_every_page_stands_every_value_that_is_let_pass(
    company: tuple[House, list[str]], stem: str, number: int
) -> None:
    house, ids = company
    address = {"id": ids[number % len(ids)], "campaign": ids[(number + 2) % len(ids)]}
    for index, name in enumerate((*NAMES, *ENDS)):
        # Another part of the texts in each round; no two names have the same one.
        texts = PASSING[name]
        address.setdefault(f"{stem}{name}" if name in ENDS else name, texts[(number * 7 + index) % len(texts)])
    at = house.open(stem, **address)
    assert not at.exception
    assert not [button.key for button in at.button if button.key == "frame_clear_address"]


@pytest.mark.parametrize("stem", STEMS)
def test_every_page_says_what_is_wrong_with_its_address(company: tuple[House, list[str]], stem: str) -> None:
    house, _ = company
    at = house.open(stem, **{NAMES[STEMS.index(stem) % len(NAMES)]: "0\x00", "back": "x"})
    assert not at.exception
    assert "cannot be used" in at.error[0].value
    assert [button.key for button in at.button if button.key == "frame_clear_address"]
    assert not at.dataframe


@pytest.mark.parametrize("name", [*NAMES, *(f"x{end}" for end in ENDS)])
def test_no_parameter_takes_what_breaks_out_of_a_statement(name: str) -> None:
    for text in ("0\x00", "a\nb", "\ud800", "\x7f", "x" * 100_000):
        with pytest.raises(InvalidInput):
            check_address([(name, text)])


@pytest.mark.parametrize("value", ["'; DROP TABLE x; --", "$$", "{0}%s", "x" * 199])
def test_what_might_be_meant_is_looked_for(house: House, value: str) -> None:
    house.sign_in()
    where = f"Network|Equal to|{value}"[:200]
    at = house.open("message_history", error_code=value, sender=value, network=value, where=where)
    assert not at.exception
    assert not [error for error in at.error if "address" in error.value]


def test_no_view_keeps_what_no_page_may_say(house: House) -> None:
    viewer = house.sign_in()
    app = house.app
    for address in (f"error_code={quote(chr(0))}", "country=XX", f"receiver={'1' * 300}"):
        with pytest.raises(InvalidInput):
            app.reports.views.save_view(viewer, "message_history", "Mine", address, shared=False, now=datetime.now(UTC))
