"""How fast Message History shows a page of a year's messages, whatever the filter and however far back it lies."""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import pyarrow as pa

from benchmarks.rivals import Rivals, add_options
from core.domain.reports.message_query import MessageQuery
from core.history.sql.filters import condition

__all__ = ["add_options", "run"]

_SIZE = 15
_MOST_SKIPPED = 100_000
_COLUMNS = (
    "message_id, sent_at, account, campaign_id, source, receiver, sender, country, network, mccmnc, delivery_status, "
    "error_code, delivered_at, price_eur_cents, segment_count, unicode, gateway, gateway_message_id"
)


@dataclass(frozen=True)
class _Question:
    """A page of *query*; *clickhouse* is the same condition in its SQL. Page 0 is the last one."""

    name: str
    query: MessageQuery
    clickhouse: str = "1"
    page: int = 1


def run(options: argparse.Namespace) -> int:
    """Ask for every page; 1 when one of them does not show what the plain query shows."""
    rivals = Rivals.open(options, is_searched=True)
    try:
        wrong = [question.name for question in _questions(rivals) if not _compare(rivals, question)]
    finally:
        rivals.close()
    for name in wrong:
        print(f"the page of {name} is not what the messages say", file=sys.stderr)
    return 1 if wrong else 0


def _questions(rivals: Rivals) -> Iterator[_Question]:
    """Yield questions about what is there: a message from the middle of the year lends them its values."""
    everything = MessageQuery(rivals.made.account_ids, rivals.made.period, time_zone=rivals.viewer.time_zone)
    middle = rivals.made.rows // _SIZE // 2
    one = rivals.app.reports.reporting.messages(rivals.viewer, everything, middle, _SIZE).table.to_pylist()[0]
    number, sender = one["receiver"], one["sender"]
    yield _Question("no filter", everything)
    yield _Question("no filter, in the middle", everything, page=middle)
    yield _Question("no filter, the last page", everything, page=0)
    yield _Question("a country", replace(everything, country="DE"), "country = 'DE'")
    undelivered = replace(everything, delivery_status="Undelivered")
    yield _Question("undelivered", undelivered, "delivery_status = 'Undelivered'")
    yield _Question("undelivered, the last page", undelivered, "delivery_status = 'Undelivered'", page=0)
    yield _Question("an error code", replace(everything, error_code="expired"), "error_code = 'expired'")
    yield _Question("a sender", replace(everything, sender=sender), f"positionCaseInsensitive(sender, '{sender}') > 0")
    yield _Question(
        "a sender nobody has", replace(everything, sender="nobody"), "positionCaseInsensitive(sender, 'nobody') > 0"
    )
    message_id = one["message_id"]
    yield _Question("a message", replace(everything, message_id=message_id), f"message_id = '{message_id}'")
    for name, part in (
        ("four digits of a number", number[-5:-1]),
        ("six digits of a number", number[-7:-1]),
        ("the last eight digits of a number", number[-8:]),
        ("a whole number", number),
        ("a number nobody has", "+4999999999999"),
    ):
        yield _Question(name, replace(everything, receiver=part), f"position(receiver, '{part}') > 0")


def _compare(rivals: Rivals, question: _Question) -> bool:
    """Print the cases of a question; return whether the page is the one that plain SQL finds, where it is asked."""
    page, total = question.page, 0
    if not page:
        total = rivals.app.reports.reporting.count_messages(rivals.viewer, question.query)
        page = -(-total // _SIZE)
    ask = partial(rivals.app.reports.reporting.messages, rivals.viewer, question.query, page, _SIZE)
    others = list(_others(rivals, question, (page - 1) * _SIZE, total))
    rivals.compare(f"history: {question.name}", ask, others)
    if not others:
        return True
    _, plain = others[0]
    return sorted(plain()["message_id"].cast("string").to_pylist()) == sorted(ask().table["message_id"].to_pylist())


def _others(
    rivals: Rivals, question: _Question, offset: int, total: int
) -> Iterator[tuple[str, Callable[[], pa.Table]]]:
    """
    Yield the page in plain SQL, which does not say how many messages there are.

    The last page is asked for from the other end, as somebody would who knows that it is the last. One in the middle
    of millions is not asked for at all: it would have to sort them all.
    """
    if rivals.native is None:
        return
    tail = f"ORDER BY sent_at DESC, message_id DESC LIMIT {_SIZE} OFFSET {offset}"
    if not question.page:
        tail = f"ORDER BY sent_at, message_id LIMIT {total - offset}"
    elif offset > _MOST_SKIPPED:
        return
    wanted = condition(question.query)
    sql = f"SELECT {_COLUMNS} FROM {{messages}} WHERE {wanted.sql} {tail}"
    yield "plain SQL on the lake", partial(rivals.made.ask_lake, rivals.app.lake, sql, wanted.values)
    yield "plain SQL on a DuckDB file", partial(rivals.native.ask, sql, wanted.values)
    if rivals.clickhouse is not None:
        text = f"SELECT {_COLUMNS} FROM messages WHERE {question.clickhouse} {tail}"
        yield "ClickHouse", partial(rivals.clickhouse.ask, text)
