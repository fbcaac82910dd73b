"""The Replies page: what people sent back, as text and nothing else, and the way to what each answers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.domain.messages.replies import Keyword
from core.domain.people.permissions import Viewer
from core.domain.reports.exports import ExportFormat
from core.services.reports.export_requests import RepliesRequest, decode
from core.services.sending.replying import keep_replies
from tests.support.application.campaigns import save_draft
from tests.support.application.factories import make_reply
from tests.support.application.page_tests import House, clicking
from tests.support.stores.messages import make_message

KEY = "replies"
NASTY = "=1+1\n<script>alert(1)</script> **bold** :red[x] \u202egnp.exe"


def hear(house: House, text: str, minutes_ago: int = 1, **facts: Any) -> None:
    now = datetime.now(UTC)
    with house.app.state.write() as session:
        keep_replies(session, [make_reply(text=text, received_at=now - timedelta(minutes=minutes_ago), **facts)], now)


def answer(house: House, viewer: Viewer, text: str, campaign_id: str = "") -> str:
    """Let somebody have answered a message; return its id."""
    (account_id,) = viewer.account_ids
    sent_at = datetime.now(UTC) - timedelta(minutes=9)
    facts = {"account": account_id, "receiver": "+491796000001", "campaign_id": campaign_id, "sent_at": sent_at}
    message = make_message(**facts)
    house.record([message], batch_id=f"batch of {message['message_id']}")
    hear(house, text)
    house.app.sending.linking.link(lambda: datetime.now(UTC))
    return str(message["message_id"])


def shown(at: Any, column: str = "Text") -> list[str]:
    return [] if not at.dataframe else at.dataframe[0].value[column].tolist()


def test_without_replies_it_says_what_will_be_here(house: House) -> None:
    house.sign_in()
    at = house.open(KEY)
    assert not at.exception
    assert at.subheader[0].value == "No replies"
    assert "appears here within seconds" in "".join(block.value for block in at.markdown)
    # What there is nothing of is not exported.
    assert not [button for button in at.button if "_export_" in str(button.key)]


def test_replies_are_shown_newest_first_and_in_full(house: House) -> None:
    house.sign_in()
    hear(house, NASTY, 2)
    hear(house, "Stop.", 1)
    hear(house, "Stop", 3, sender="Vodafone")
    at = house.open(KEY)
    assert not at.exception
    # What would turn the direction of writing is shown as what it is not.
    one_line = NASTY.replace("\n", " ↵ ").replace("\u202e", "\ufffd")
    assert shown(at) == ["Stop.", one_line, "Stop"]
    assert shown(at, "Asks For") == ["STOP", "", "STOP, not followed"]
    assert shown(at, "From") == ["+491796000001", "+491796000001", "Vodafone"]
    # Who has one account need not be told which.
    assert "Account" not in at.dataframe[0].value
    # Nobody knows yet what they answer.
    assert shown(at, "view") == [None] * 3


def test_the_eye_leads_to_the_message_and_back(house: House) -> None:
    viewer = house.sign_in()
    message_id = answer(house, viewer, "Thank you")
    hear(house, "Of nobody", 0, sender="4915112345678")
    at = house.open(KEY, replies_search="thank")
    assert shown(at, "view") == [":material/visibility:"]
    with clicking("view", 0):
        at.run()
    assert at.query_params["id"] in (message_id, [message_id])
    assert at.header[0].value == r"\+491796000001"
    back = at.button(key="message_back")
    assert back.label == "Replies"
    back.click().run()
    assert shown(at) == ["Thank you"]


def test_a_message_shows_what_was_sent_back_to_it_as_text(house: House) -> None:
    viewer = house.sign_in()
    message_id = answer(house, viewer, NASTY)
    at = house.open("message", id=message_id)
    assert not at.exception
    (said,) = (block.proto.body for block in at.get("html") if 'class="replies"' in block.proto.body)
    assert "=1+1\n&lt;script&gt;alert(1)&lt;/script&gt; **bold** :red[x] \u202egnp.exe</p>" in said
    assert 'dir="auto"' in said


def test_search_and_choices_narrow_it_down(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    answer(house, viewer, "Thank you", draft.campaign_id)
    hear(house, "STOP", sender="491796000002")
    at = house.open(KEY)
    at.text_input(key=f"{KEY}_search").input("0002").run()
    assert shown(at) == ["STOP"]
    at.text_input(key=f"{KEY}_search").input("").run()
    at.selectbox(key=f"{KEY}_keyword").select("Other").run()
    assert shown(at) == ["Thank you"]
    at.selectbox(key=f"{KEY}_keyword").select(None).run()
    at.selectbox(key=f"{KEY}_campaign").select(draft.campaign_id).run()
    assert shown(at) == ["Thank you"]
    assert shown(at, "Campaign") == [draft.name]


def test_the_export_asks_for_what_is_shown(house: House) -> None:
    viewer = house.sign_in()
    hear(house, "STOP")
    hear(house, "Thank you")
    at = house.open(KEY)
    at.selectbox(key=f"{KEY}_keyword").select("STOP").run()
    at.text_input(key=f"{KEY}_search").input("stop").run()
    at.button(key=f"{KEY}_export_{ExportFormat.CSV}").click().run()
    assert not at.exception
    (ordered,) = house.app.reports.exporting.list_mine(viewer)
    request = decode(ordered.request)
    assert isinstance(request, RepliesRequest)
    assert (request.wanted.search, request.wanted.keyword) == ("stop", Keyword.STOP)


def test_numbers_are_masked_for_those_who_see_them_masked(house: House) -> None:
    house.sign_in()
    hear(house, "STOP")
    house.sign_in("Reporting manager")
    at = house.open(KEY)
    assert shown(at, "From") == ["+4•••••••••••"]
    # Nor are campaigns named to whoever may not see them.
    assert f"{KEY}_campaign" not in {choice.key for choice in at.selectbox}


def test_a_view_of_it_can_be_saved(house: House) -> None:
    viewer = house.sign_in()
    hear(house, "STOP")
    at = house.open(KEY, replies_keyword="STOP")
    at.text_input(key=f"{KEY}_view_name").input("Who stopped")
    at.button(key=f"{KEY}_view_save").click().run()
    (view,) = house.app.reports.views.list_views(viewer, KEY)
    assert (view.name, view.address) == ("Who stopped", "replies_keyword=STOP")


def test_a_message_that_is_not_there_leads_back_to_the_replies(house: House) -> None:
    house.sign_in()
    at = house.open("message", id="0198a7c2-0000-7000-8000-00000000000a", origin=KEY)
    assert at.error
    assert at.button(key="message_back").label == "Replies"


@pytest.mark.parametrize("preset", ["Campaign manager", "User manager"])
def test_it_is_closed_to_everybody_else(house: House, preset: str) -> None:
    house.sign_in(preset)
    with pytest.raises(ValueError, match=KEY):
        house.open(KEY)
    assert house.open_directly(KEY).error
