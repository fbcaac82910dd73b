"""A reply is led to the message it answers, at once or as soon as that message is in history."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.domain.accounts.accounts import AccountType
from core.domain.campaigns.campaigns import Campaign
from core.domain.messages.messages import Reply
from core.history.messages.answering import Asked
from core.services.accounts.managing_accounts import AccountSettings, NewAccount
from core.services.sending import linking
from core.services.sending.linking import GIVE_UP, RETRY_FIRST, LinkedReplies
from core.services.work_queue import Work, WorkKind
from core.state.accounts import accounts
from core.state.tables.gateway_models import ReplyRow
from tests.integration.services.steps import at_submit, work
from tests.support.application.factories import make_reply
from tests.support.application.house import House, contacts
from tests.support.stores.suppressed import list_suppressed

MSISDN = "+491796000000"


def hear(house: House, text: str = "Thank you", **facts: object) -> None:
    told: Reply = make_reply(**{"sender": MSISDN.lstrip("+"), "text": text, "received_at": house.now} | facts)
    house.app.accounts.gateways._tools.inbox.store([], [told])


def link(house: House) -> LinkedReplies:
    return house.app.sending.linking.link(house.clock)


def linked(house: House) -> list[tuple[str | None, str | None, str | None]]:
    with house.app.state.read() as session:
        rows = session.scalars(select(ReplyRow).order_by(ReplyRow.reply_id)).all()
        return [(row.account_id, row.campaign_id, row.message_id) for row in rows]


def is_waiting(house: House) -> bool:
    return Work(WorkKind.REPLIES) in house.app.work.find(house.now, [WorkKind.REPLIES])


def message_of(house: House, campaign: Campaign) -> tuple[str, str, str]:
    with house.app.lake.read() as cursor:
        row = cursor.execute(
            "SELECT account, campaign_id, message_id FROM lake.messages WHERE campaign_id = $id AND receiver = $to",
            {"id": campaign.campaign_id, "to": MSISDN},
        ).fetchone()
    return tuple(map(str, row))


def send(house: House, **overrides: object) -> Campaign:
    campaign = house.launch(house.upload(contacts(3), name=f"Guests {house.now}").list_id, **overrides)
    work(house)
    house.wait(timedelta(minutes=1))
    return campaign


@pytest.fixture(autouse=True)
def _clock_of_the_house(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is heard be stored at the house's time."""
    monkeypatch.setattr(house.app.accounts.gateways._tools.inbox, "_clock", house.clock)


def test_the_newest_message_to_the_number_is_what_is_answered(house: House):
    send(house)
    second = send(house)
    assert not is_waiting(house)
    hear(house)
    assert is_waiting(house)
    assert link(house) == LinkedReplies(1, 0, 0)
    assert linked(house) == [message_of(house, second)]
    # The idle worker stays idle.
    assert not is_waiting(house)
    assert link(house) == LinkedReplies(0, 0, 0)


def test_a_message_whose_batch_is_not_in_history_yet_is_waited_for(house: House):
    send(house)
    second = house.launch(house.upload(contacts(3), name="Others").list_id)
    heard: list[LinkedReplies] = []

    def answer() -> None:
        hear(house)
        heard.append(link(house))

    at_submit(house, answer)
    work(house)
    # Not to the older message, which is in history.
    assert (heard, linked(house)) == ([LinkedReplies(0, 1, 0)], [(None, None, None)])
    assert not is_waiting(house)
    house.wait(RETRY_FIRST)
    assert link(house) == LinkedReplies(1, 0, 0)
    assert linked(house) == [message_of(house, second)]


@pytest.mark.parametrize("several", [1, 1_000])
def test_a_burst_of_replies_is_linked_like_single_ones(house: House, monkeypatch: pytest.MonkeyPatch, several: int):
    monkeypatch.setattr(linking, "SEVERAL", several)
    campaign = send(house)
    hear(house, "First")
    hear(house, "Of nobody", sender="4915112345678")
    hear(house, "To another sender ID", receiver="12345")
    assert link(house) == LinkedReplies(2, 1, 0)
    assert linked(house) == [message_of(house, campaign), (None, None, None), message_of(house, campaign)]


def test_a_reply_to_nothing_is_looked_up_ever_more_seldom_and_given_up_after_a_day(house: House):
    hear(house)
    first, tries = house.now, 0
    while is_waiting(house) or house.now - first < 2 * GIVE_UP:
        if is_waiting(house):
            tries += 1
            done = link(house)
        house.wait(timedelta(seconds=10) if house.now - first < timedelta(hours=1) else timedelta(minutes=10))
    assert done == LinkedReplies(0, 0, 1)
    assert 5 < tries < 20
    assert linked(house) == [(None, None, None)]


def test_of_several_workers_one_looks_replies_up(house: House, monkeypatch: pytest.MonkeyPatch):
    hear(house)
    history = house.app.sending.linking._history
    find, meanwhile = history.find, list[LinkedReplies]()

    def look_up(asked: Asked) -> object:
        # Another worker's turn comes while this one looks.
        monkeypatch.setattr(history, "find", find)
        meanwhile.append(link(house))
        return find(asked)

    monkeypatch.setattr(history, "find", look_up)
    assert link(house) == LinkedReplies(0, 1, 0)
    assert meanwhile == [LinkedReplies(0, 0, 0)]


def test_a_stop_is_followed_by_the_account_whose_message_it_answers_whoever_has_the_gateway_now(house: House):
    campaign = send(house)
    account_id = house.account.account_id
    moved = NewAccount("apart", "Apart", AccountType.CAMPAIGN, AccountSettings("simulator", 100))
    apart = house.app.accounts.managing.create(house.viewer, moved, house.now)
    with house.app.state.write() as session:
        accounts.set_gateways(session, account_id, "Oslo", "")
    hear(house, "STOP", receiver="12345")

    def suppressed(account_id: str) -> list[str]:
        with house.app.state.read() as session:
            return list_suppressed(session, account_id)

    assert (suppressed(apart.account_id), suppressed(account_id)) == ([MSISDN], [])
    link(house)
    assert linked(house) == [message_of(house, campaign)]
    assert suppressed(apart.account_id) == suppressed(account_id) == [MSISDN]


def test_a_reply_during_a_campaign_that_is_canceled_is_linked_once_it_is_settled(house: House):
    campaign = house.launch(house.upload(contacts(3)).list_id)
    at_submit(house, lambda: hear(house, "HELP"))
    work(house)
    house.wait(timedelta(minutes=1))
    work(house)
    assert linked(house) == [message_of(house, campaign)]
