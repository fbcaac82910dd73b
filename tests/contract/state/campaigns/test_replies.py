"""Replies, on both databases."""

from datetime import timedelta

from sqlalchemy import select

from core.domain.messages.messages import Reply
from core.state.campaigns import replies
from core.state.engine.store import State
from core.state.tables.gateway_models import ReplyRow
from tests.support.application.factories import NOW

LATER = NOW + timedelta(minutes=5)


def make_reply(**overrides: object) -> Reply:
    facts = {
        "gateway": "Berlin",
        "sender": "+491796000001",
        "receiver": "HELIOGRAPH",
        "text": "STOP\nplease",
        "received_at": NOW,
        "reference": "their-1",
    }
    return Reply(**(facts | overrides))


def kept(state: State) -> list[ReplyRow]:
    with state.read() as session:
        return list(session.scalars(select(ReplyRow).order_by(ReplyRow.reply_id)))


def test_a_reply_comes_back_as_it_was_told(state: State):
    with state.write() as session:
        replies.add_replies(session, [make_reply()], LATER)
    (row,) = kept(state)
    assert (row.gateway, row.sender, row.receiver) == ("Berlin", "+491796000001", "HELIOGRAPH")
    assert row.text == "STOP\nplease"
    assert (row.reference, row.received_at, row.stored_at) == ("their-1", NOW, LATER)
    assert (row.account_id, row.campaign_id, row.message_id) == (None, None, None)


def test_the_same_one_is_kept_once_and_those_without_a_reference_each(state: State):
    nameless = make_reply(reference="")
    with state.write() as session:
        replies.add_replies(session, [make_reply(), make_reply(), nameless, nameless], NOW)
        replies.add_replies(session, [make_reply(text="told again")], LATER)
        # Another gateway's ids are its own.
        replies.add_replies(session, [make_reply(gateway="Munich")], LATER)
        replies.add_replies(session, [], LATER)
    assert sorted((row.gateway, row.reference) for row in kept(state)) == [
        ("Berlin", ""),
        ("Berlin", ""),
        ("Berlin", "their-1"),
        ("Munich", "their-1"),
    ]


def test_one_that_is_too_long_is_made_to_fit(state: State):
    long = make_reply(sender="9" * 100, receiver="R" * 100, text="x" * 10_000, reference="r" * 500)
    with state.write() as session:
        replies.add_replies(session, [long, make_reply(reference="r" * 499)], NOW)
    assert len({row.reference for row in kept(state)}) == 2
