"""Finding the message that a reply answers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from core.domain.messages.replies import ROUNDED
from core.domain.times.periods import Period
from core.history.engine.door import Cursor
from core.history.lake.connection import Lake
from core.history.numbers.number_search import find_newest, is_moment, join_near, messages_in
from core.history.sql.statements import load_statements

_SQL = load_statements("messages/answering.sql")

# Nobody answers what is older: a STOP is followed without knowing what it answers.
LOOKBACK = timedelta(days=90)
# So many of a number's newest messages are looked at, and so many stretches beside them.
_MOST, _MOST_STRETCHES = 200, 24
# Most people answer within hours: what was sent so long before the newest of several replies, and before the first of
# those that came in that time, is looked at for all of them.
_RECENT = timedelta(days=2)
_ASKED_SCHEMA = pa.schema(
    [
        ("asked_no", pa.int64()),
        ("gateway", pa.string()),
        ("msisdn", pa.string()),
        ("sender_id", pa.string()),
        ("until", pa.timestamp("us", tz="UTC")),
        ("accounts", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True)
class Asked:
    """
    A reply from *msisdn* by *gateway*, received at *received_at*.

    *sender_id* is what it was sent to, as the gateway writes it; *account_ids* are those it is probably meant for.
    """

    gateway: str
    msisdn: str
    sender_id: str
    received_at: datetime
    account_ids: Collection[str]


@dataclass(frozen=True)
class AnsweredMessage:
    """The message that was found; *campaign_id* is "" for one of no campaign."""

    message_id: str
    account: str
    campaign_id: str


class AnsweredMessages:
    """Looks for messages that were answered, whoever's they are: a reply says nothing of accounts."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def find(self, asked: Asked) -> AnsweredMessage | None:
        """
        Return the newest message to the number by the gateway that was sent before the reply, None without one.

        A message under the sender ID that was replied to comes before every other, and one of the accounts that the
        reply is probably meant for before the rest: a number may get messages of several by one gateway.
        """
        period = Period(asked.received_at - LOOKBACK, asked.received_at + ROUNDED)
        with self._lake.read() as cursor:
            stretches = _stretches(cursor, asked.msisdn, period)
            if not stretches:
                return None
            messages = messages_in(stretches)
            values = {
                "receiver": asked.msisdn,
                "gateway": asked.gateway,
                "sender_id": _plain(asked.sender_id),
                "accounts": sorted(asked.account_ids),
            }
            sql = _SQL["find"].format(messages=messages.sql)
            row = cursor.execute(sql, {**messages.values, **values}).fetchone()
        return AnsweredMessage(*map(str, row)) if row else None

    def find_recent(self, asked: Sequence[Asked]) -> Mapping[int, AnsweredMessage]:
        """
        Return what `find` would for those of *asked*, by position, of which one look at recent messages can tell.

        They came within two days, and answer a message that went out not more than two days before the first of them,
        under the sender ID that was replied to, from an account they are probably meant for: no other message would
        come before it. A campaign gets its answers in bursts, and looked for one by one each costs several questions
        to the catalog.
        """
        if not asked:
            return {}
        end = max(each.received_at for each in asked)
        # Not all of the history for one that a provider has told late.
        recent = {number: each for number, each in enumerate(asked) if each.received_at > end - _RECENT}
        start = min(each.received_at for each in recent.values()) - _RECENT
        values = {"start": start, "end": end + ROUNDED}
        with self._lake.read() as cursor:
            cursor.register("asked", _table(recent))
            rows = cursor.execute(_SQL["find_recent"], values).fetchall()
        return {asked_no: AnsweredMessage(*map(str, message)) for asked_no, *message in rows}


def _plain(sender_id: str) -> str:
    return sender_id.lower().lstrip("+")


def _table(asked: Mapping[int, Asked]) -> pa.Table:
    rows = [
        {
            "asked_no": number,
            "gateway": each.gateway,
            "msisdn": each.msisdn,
            "sender_id": _plain(each.sender_id),
            "until": each.received_at + ROUNDED,
            "accounts": sorted(each.account_ids),
        }
        for number, each in asked.items()
    ]
    return pa.Table.from_pylist(rows, _ASKED_SCHEMA)


def _stretches(cursor: Cursor, msisdn: str, period: Period) -> list[Period]:
    """Return where to look: not at more places than a statement opens fast, and so perhaps at what lies between."""
    found = find_newest(cursor, msisdn, period, _MOST)
    stretches = [period] if found is None else found[0]
    long = [stretch for stretch in stretches if not is_moment(stretch)]
    if len(long) <= _MOST_STRETCHES:
        return stretches
    gap = timedelta(hours=2)
    while len(long) > _MOST_STRETCHES:
        long = join_near(long, gap)
        gap *= 2
    both = sorted([*long, *filter(is_moment, stretches)], key=lambda each: each.start, reverse=True)
    return join_near(both, timedelta())
