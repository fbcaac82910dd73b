"""Reading replies: what people sent back, for those who may see messages of their accounts."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import pyarrow as pa
from sqlalchemy.orm import Session

from core.domain.accounts.accounts import label_accounts
from core.domain.messages.replies import Keyword
from core.domain.numbering.msisdn import find_msisdn, mask_msisdn
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.paging import Page
from core.domain.reports.questions import refuse_odd_question
from core.domain.reports.replies import ReplyChoices, ReplyFilter, ShownReply
from core.state.accounts import accounts
from core.state.engine.store import State
from core.state.reports import replies
from core.state.reports.replies import ReplyQuery, StoredReply

_ROWS = 1_000
# What people type into a number to read it better, and a part of a number without that.
_SEPARATORS = re.compile(r"[\s()./-]")
_PART = re.compile(r"\+?[0-9]+")
# No message has more.
_MOST_OF_ONE = 100

SCHEMA = pa.schema(
    [
        ("received_at", pa.timestamp("us", tz="UTC")),
        ("sender", pa.string()),
        ("receiver", pa.string()),
        ("text", pa.string()),
        ("asks_for", pa.string()),
        ("account", pa.string()),
        ("campaign", pa.string()),
        ("message_id", pa.string()),
        ("gateway", pa.string()),
    ]
)


class ReadingReplies:
    """Questions about replies, within the viewer's active accounts."""

    def __init__(self, state: State) -> None:
        self._state = state

    def page(self, viewer: Viewer, wanted: ReplyFilter, page: int, size: int) -> Page[ShownReply]:
        """
        Return page *page* (from 1) of the replies, newest first.

        Raises: Forbidden: without the permission MessageHistory. InvalidInput: too long a search.
        """
        query = _scope(viewer, wanted)
        offset = (max(1, page) - 1) * size
        with self._state.read() as session:
            found = replies.list_replies(session, query, size, offset)
            # A page that is not full is the last one, unless it is beyond that.
            is_last = len(found) < size and (found or not offset)
            total = offset + len(found) if is_last else replies.count_replies(session, query)
            names = _names(session, viewer)
        return Page(tuple(_shown(viewer, each, names) for each in found), total)

    def of_message(self, viewer: Viewer, message_id: str) -> tuple[ShownReply, ...]:
        """Return the replies to one message, oldest first; () for another account's. Raises: Forbidden."""
        viewer.require(Permission.MESSAGE_HISTORY)
        refuse_odd_question(message_id)
        query = ReplyQuery(viewer.open_ids, message_id=message_id.strip().lower())
        if not query.message_id:
            return ()
        with self._state.read() as session:
            found = replies.list_replies(session, query, _MOST_OF_ONE, 0)
            names = _names(session, viewer)
        return tuple(_shown(viewer, each, names) for each in reversed(found))

    def choices(self, viewer: Viewer) -> ReplyChoices:
        """Return what replies can be narrowed down to; no campaigns for who may not see any. Raises: Forbidden."""
        viewer.require(Permission.MESSAGE_HISTORY)
        with self._state.read() as session:
            names = _names(session, viewer)
            may_see = viewer.may(Permission.CAMPAIGN)
            campaigns = replies.list_campaigns(session, viewer.open_ids) if may_see else ()
        open_ones = {account_id: name for account_id, name in names.items() if account_id in viewer.open_ids}
        return ReplyChoices(open_ones, dict(campaigns))

    def in_words(self, viewer: Viewer, wanted: ReplyFilter) -> list[str]:
        """Return what narrows the replies down besides the period, as people read it. Raises: as `page`."""
        query = _scope(viewer, wanted)
        words = {"Number or text": query.text}
        if wanted.keyword:
            words["Asks for"] = "something else" if wanted.keyword is Keyword.NONE else wanted.keyword.upper()
        if wanted.account_id:
            with self._state.read() as session:
                words["Account"] = _names(session, viewer).get(wanted.account_id, "none of yours")
        if wanted.campaign_id:
            words["Campaign"] = self.choices(viewer).campaigns.get(wanted.campaign_id, wanted.campaign_id)
        return [f"{name}: {value}" for name, value in words.items() if value]

    def all_replies(self, viewer: Viewer, wanted: ReplyFilter) -> tuple[int, Iterator[pa.Table]]:
        """Return how many replies there are, and all of them as tables of `SCHEMA`. Raises: as `page`."""
        query = _scope(viewer, wanted)
        with self._state.read() as session:
            count = replies.count_replies(session, query)
        return count, self._tables(viewer, query)

    def _tables(self, viewer: Viewer, query: ReplyQuery) -> Iterator[pa.Table]:
        with self._state.read() as session:
            names = _names(session, viewer)
            found = replies.stream_replies(session, query)
            while rows := [_row(_shown(viewer, each, names)) for each in islice(found, _ROWS)]:
                yield pa.Table.from_pylist(rows, SCHEMA)


def _names(session: Session, viewer: Viewer) -> Mapping[str, str]:
    return label_accounts(accounts.list_accounts(session, viewer.account_ids))


def _row(reply: ShownReply) -> dict[str, Any]:
    return {name: getattr(reply, name) for name in SCHEMA.names}


def _scope(viewer: Viewer, wanted: ReplyFilter) -> ReplyQuery:
    """Return what the viewer may ask for."""
    viewer.require(Permission.MESSAGE_HISTORY)
    refuse_odd_question(wanted)
    search = wanted.search.strip()
    digits = _SEPARATORS.sub("", search)
    is_part = viewer.sees_numbers and _PART.fullmatch(digits) is not None
    return ReplyQuery(
        account_ids=viewer.open_ids & {wanted.account_id} if wanted.account_id else viewer.open_ids,
        period=wanted.period,
        text=search,
        digits=digits.lstrip("+") if is_part else "",
        # Part by part, searching would spell out what is masked.
        msisdn="" if viewer.sees_numbers else find_msisdn(search) or "",
        keyword=wanted.keyword,
        campaign_id=wanted.campaign_id,
    )


def _shown(viewer: Viewer, each: StoredReply, names: Mapping[str, str]) -> ShownReply:
    sender = each.msisdn or each.sender
    whose = [each.account_id] if each.account_id else each.concerned
    return ShownReply(
        reply_id=each.reply_id,
        received_at=each.received_at,
        sender=sender if viewer.sees_numbers else mask_msisdn(sender),
        receiver=each.receiver,
        text=each.text,
        keyword=each.keyword,
        is_followed=bool(each.msisdn) or each.keyword not in {Keyword.STOP, Keyword.START},
        account=", ".join(sorted(names[account_id] for account_id in whose)),
        campaign=each.campaign if viewer.may(Permission.CAMPAIGN) else "",
        message_id=each.message_id,
        gateway=each.gateway,
    )
