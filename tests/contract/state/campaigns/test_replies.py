"""Replies, on both databases."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.messages.messages import LedgerState, Reply
from core.domain.messages.replies import Keyword
from core.state.accounts import accounts
from core.state.campaigns import campaigns, ledger, replies
from core.state.campaigns.ledger import Claim, Outcome
from core.state.campaigns.replies import Answered, HeardReply
from core.state.engine.store import State
from core.state.tables.gateway_models import ReplyAccountRow, ReplyRow
from tests.support.application.factories import NOW, make_account, make_campaign, make_reply

LATER = NOW + timedelta(minutes=5)
MSISDN = "+491796000001"


def heard(reply: Reply | None = None, keyword: Keyword = Keyword.NONE, account_ids: tuple[str, ...] = ()) -> HeardReply:
    return HeardReply(reply or make_reply(reference="their-1"), MSISDN, keyword, account_ids)


def kept(state: State) -> list[ReplyRow]:
    with state.read() as session:
        return list(session.scalars(select(ReplyRow).order_by(ReplyRow.reply_id)))


def whose(state: State) -> list[str]:
    with state.read() as session:
        return list(session.scalars(select(ReplyAccountRow.account_id).order_by(ReplyAccountRow.account_id)))


def keep(state: State, *items: HeardReply, now: datetime = NOW) -> tuple[HeardReply, ...]:
    with state.write() as session:
        return replies.add_replies(session, items, now)


@pytest.fixture
def two(state: State) -> State:
    """Return the store with two accounts that send by the same gateway, and one that sends by none of them."""
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)
        facts = {"gateway": "Oslo", "fallback_gateway": "simulator"}
        accounts.add_account(session, make_account(account_id="account-2", name="service", **facts), NOW)
        accounts.add_account(session, make_account(account_id="account-3", name="other", gateway="Oslo"), NOW)
    return state


def use(state: State, account_id: str, sender_id: str, launched_at: datetime | None = NOW) -> None:
    facts = {"campaign_id": f"campaign of {account_id}", "account_id": account_id, "lists": ()}
    sent = make_campaign(status=CampaignStatus.COMPLETED, sender_id=sender_id, launched_at=launched_at, **facts)
    with state.write() as session:
        campaigns.add_campaign(session, sent)


def find(state: State, receiver: str, gateway: str = "simulator") -> tuple[str, ...]:
    with state.read() as session:
        return replies.list_addressed(session, gateway, [receiver])[receiver]


def test_a_reply_comes_back_as_it_was_told(state: State):
    told = make_reply(gateway="Berlin", text="STOP\nplease", reference="their-1")
    assert keep(state, heard(told), now=LATER) == (heard(told),)
    (row,) = kept(state)
    assert (row.gateway, row.sender, row.msisdn, row.receiver) == ("Berlin", "491796000001", MSISDN, "HELIOGRAPH")
    assert (row.text, row.keyword) == ("STOP\nplease", "none")
    assert (row.reference, row.received_at, row.stored_at, row.due_at) == ("their-1", NOW, LATER, LATER)
    assert (row.account_id, row.campaign_id, row.message_id) == (None, None, None)


def test_the_same_one_is_kept_once_and_those_without_a_reference_each(state: State):
    named, nameless = heard(make_reply(gateway="Berlin", reference="their-1")), heard(make_reply(gateway="Berlin"))
    assert len(keep(state, named, named, nameless, nameless)) == 3
    assert keep(state, heard(make_reply(gateway="Berlin", text="told again", reference="their-1")), now=LATER) == ()
    # Another gateway's ids are its own.
    assert len(keep(state, heard(make_reply(gateway="Munich", reference="their-1")), now=LATER)) == 1
    assert keep(state, now=LATER) == ()
    assert sorted((row.gateway, row.reference) for row in kept(state)) == [
        ("Berlin", ""),
        ("Berlin", ""),
        ("Berlin", "their-1"),
        ("Munich", "their-1"),
    ]


def test_one_that_is_too_long_is_made_to_fit(state: State):
    facts = {"sender": "9" * 100, "receiver": "R" * 100, "text": "x" * 10_000}
    keep(state, *(heard(make_reply(reference="r" * length, **facts)) for length in (500, 499)))
    assert len({row.reference for row in kept(state)}) == 2


def test_nothing_is_received_after_it_was_stored(state: State):
    # By the clock of a provider that is ahead.
    keep(state, heard(make_reply(received_at=LATER)))
    assert [row.received_at for row in kept(state)] == [NOW]


def test_a_sender_that_is_no_number_waits_for_no_message(state: State):
    keep(state, HeardReply(make_reply(sender="Vodafone"), "", Keyword.STOP, ()))
    assert [(row.sender, row.msisdn, row.due_at) for row in kept(state)] == [("Vodafone", "", None)]


def test_a_reply_concerns_the_accounts_that_have_used_its_sender_id(two: State):
    use(two, "account-2", "+4915112345678")
    # As an SMSC writes it, and as a person would.
    assert find(two, "4915112345678") == find(two, "+4915112345678") == ("account-2",)
    assert find(two, "tel:+4915112345678") == ("account-2",)


def test_a_reply_concerns_all_accounts_of_its_gateway_where_none_has_used_the_sender_id(two: State):
    use(two, "account-3", "HELIOGRAPH")
    use(two, "account-2", "heliograph", launched_at=None)
    assert find(two, "HELIOGRAPH") == ("account-1", "account-2")
    assert find(two, "12345") == ("account-1", "account-2")
    use(two, "account-1", "Heliograph")
    assert find(two, "HELIOGRAPH") == ("account-1",)


def test_whom_replies_concern_is_found_for_all_receivers_at_once(two: State):
    use(two, "account-2", "HELIOGRAPH")
    use(two, "account-3", "12345")
    with two.read() as session:
        found = replies.list_addressed(session, "simulator", ["heliograph", "+HELIOGRAPH", "12345", ""])
    both = ("account-1", "account-2")
    assert found == {"heliograph": ("account-2",), "+HELIOGRAPH": ("account-2",), "12345": both, "": both}


def test_a_reply_by_a_gateway_that_no_account_has_any_more_concerns_who_has_used_the_sender_id(two: State):
    use(two, "account-3", "HELIOGRAPH")
    assert find(two, "HELIOGRAPH", gateway="gone") == ("account-3",)
    assert find(two, "12345", gateway="gone") == ()


def test_replies_are_due_until_they_are_linked_or_given_up(two: State):
    keep(two, *(heard(make_reply(text=text)) for text in ("a", "b")))
    with two.write() as session:
        assert not replies.is_any_due(session, NOW - timedelta(seconds=1))
        first, second = replies.list_due(session, NOW, 10)
        assert replies.list_due(session, NOW, 1) == (first,)
        replies.put_off(session, [first.reply_id], LATER)
        replies.put_off(session, [second.reply_id], None)
        assert not replies.is_any_due(session, NOW)
        replies.link(session, first, Answered("message-1", "account-3", ""))
        assert not replies.is_any_due(session, LATER)
    row, _ = kept(two)
    assert (row.message_id, row.account_id, row.campaign_id) == ("message-1", "account-3", None)


@pytest.mark.parametrize("keyword", Keyword)
def test_once_linked_a_reply_is_of_one_account_unless_others_have_followed_it(two: State, keyword: Keyword):
    keep(two, heard(keyword=keyword, account_ids=("account-1", "account-2")))
    with two.write() as session:
        (waiting,) = replies.list_due(session, NOW, 10)
        assert waiting.account_ids == ("account-1", "account-2")
        replies.link(session, waiting, Answered("message-1", "account-1", "campaign-1"))
    is_followed = keyword in {Keyword.STOP, Keyword.START}
    assert whose(two) == (["account-1", "account-2"] if is_followed else ["account-1"])


def test_of_what_a_number_asks_of_an_account_the_last_counts(two: State):
    def ask(keyword: Keyword, minute: int, *account_ids: str, msisdn: str = MSISDN) -> None:
        said = make_reply(received_at=NOW + timedelta(minutes=minute))
        keep(two, HeardReply(said, msisdn, keyword, account_ids), now=LATER)

    ask(Keyword.START, 2, "account-1")
    # It was received before, and told later; and what is no wish takes none back.
    ask(Keyword.STOP, 1, "account-1", "account-2")
    ask(Keyword.NONE, 3, "account-1", "account-2")
    ask(Keyword.STOP, 4, "account-1", msisdn="+491796000002")
    ask(Keyword.START, 4, "account-1", msisdn="+491796000002")
    both = [MSISDN, "+491796000002", "+491796000003"]
    with two.read() as session:
        assert replies.list_wishes(session, "account-1", both) == {
            MSISDN: Keyword.START,
            "+491796000002": Keyword.START,
        }
        assert replies.list_wishes(session, "account-2", both) == {MSISDN: Keyword.STOP}
        assert replies.list_wishes(session, "account-3", both) == {}


def test_replies_are_forgotten_with_whose_they_were(two: State):
    keep(two, heard(account_ids=("account-1",)))
    with two.write() as session:
        assert replies.delete_replies(session, NOW) == 0
        assert replies.delete_replies(session, LATER) == 1
    assert (kept(two), whose(two)) == ([], [])


def test_of_what_is_in_the_ledger_the_newest_is_answered_that_was_there_and_has_not_failed(two: State):
    keep(two, heard(make_reply(received_at=NOW)))
    states = {"older": LedgerState.SENT, "newer": LedgerState.UNKNOWN, "refused": LedgerState.FAILED}
    with two.write() as session:
        for minute, (name, state) in enumerate({**states, "later": LedgerState.SENT}.items(), -3):
            campaigns.add_campaign(session, make_campaign(campaign_id=name, name=name, status=CampaignStatus.ACTIVE))
            ledger.add_batches(session, name, [(1, 1)])
            at = NOW + (timedelta(minutes=minute) if name in states else timedelta(minutes=1))
            batch = ledger.lease_batch(session, name, "one", at, LATER)
            assert batch is not None
            ledger.claim(session, batch, [Claim(f"message of {name}", MSISDN, "simulator")], at)
            ledger.record_outcomes(session, [Outcome(f"message of {name}", state, at)])
        (waiting,) = replies.list_due(session, NOW, 10)
        found = replies.find_in_flight(session, [waiting])
    assert found == {waiting.reply_id: Answered("message of newer", "account-1", "newer")}
