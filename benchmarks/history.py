"""How fast Message History shows a page of a year's messages, whatever the filter and however far back it lies."""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from benchmarks.rivals import Rivals, add_options
from core.history.filters import condition
from core.history.queries import MessageQuery

__all__ = ["add_options", "run"]

_SIZE = 15
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
    rivals = Rivals.open(options)
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
    one = rivals.app.reporting.messages(rivals.viewer, everything, middle, _SIZE).table.to_pylist()[0]
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
    page = question.page
    if not page:
        page = -(-rivals.app.reporting.count_messages(rivals.viewer, question.query) // _SIZE)
    ask = partial(rivals.app.reporting.messages, rivals.viewer, question.query, page, _SIZE)
    others = list(_others(rivals, question, (page - 1) * _SIZE))
    rivals.compare(f"history: {question.name}", ask, others)
    if not others:
        return True
    _, plain = others[0]
    found = plain()
    return bool(found["message_id"].cast("string").to_pylist() == ask().table["message_id"].to_pylist())


def _others(rivals: Rivals, question: _Question, offset: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the page in plain SQL, which does not say how many there are."""
    if rivals.native is None:
        return
    wanted = condition(question.query)
    tail = f"ORDER BY sent_at DESC, message_id DESC LIMIT {_SIZE} OFFSET {offset}"
    sql = f"SELECT {_COLUMNS} FROM {{messages}} WHERE {wanted.sql} {tail}"
    yield "plain SQL on the lake", partial(rivals.made.ask_lake, rivals.app.lake, sql, wanted.values)
    yield "plain SQL on a DuckDB file", partial(rivals.native.ask, sql, wanted.values)
    if rivals.clickhouse is not None:
        text = f"SELECT {_COLUMNS} FROM messages WHERE {question.clickhouse} {tail}"
        yield "ClickHouse", partial(rivals.clickhouse.ask, text)
