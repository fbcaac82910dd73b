"""Pages of messages are the same whether rollups lead to them or a look at all messages does."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.domain.numbering import country_name
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.statistics import GroupBy, NameFilter, Operator
from core.domain.times.periods import Period
from core.domain.words.folding import fold
from core.history.lake.connection import Lake
from core.history.messages import paging, queries
from core.history.messages.message_store import MessageStore
from core.history.messages.queries import MessageQueries
from core.history.rollups.adding_up import RollupReader
from core.history.rollups.rollups import Rollups
from tests.support.stores.messages import NOW, make_random_message, message_table, unsent_table

START, SPAN = datetime(2026, 2, 20, tzinfo=UTC), timedelta(days=40)
ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns")
ACCOUNTS = frozenset({"account-0", "account-1"})
# The last is nobody's, and the one before is another account's.
SENDERS = ("Heliograph", "Acmé", "ACME 100%")
SENDER_PARTS = ("helio", " acme ", "ácm", "%", "rare", "elsewhere", "nobody")
Row = dict[str, Any]


@pytest.fixture(autouse=True)
def _small_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a few hundred messages, take the ways that are meant for millions."""
    for module in (paging, queries):
        monkeypatch.setattr(module, "FEW", 5)
    monkeypatch.setattr(paging, "FIRST_LOOK", 20)
    monkeypatch.setattr(queries, "COUNTED_FREELY", 40)


def test_pages_of_every_filter_make_up_all_messages_in_order(lake: Lake) -> None:
    source, store, rollups = random.Random(23), MessageStore(lake), Rollups(lake)
    history = MessageQueries(RollupReader(lake, 1 << 20))
    sent: list[Row] = []
    for stage in range(3):
        fresh = [make_random_message(source, START, SPAN) | {"sender": source.choice(SENDERS)} for _ in range(80)]
        fresh[0] |= {"account": "account-0", "sender": "Rare"}
        fresh[-1] |= {"account": "account-2", "sender": "Elsewhere"}
        # Several of one moment, so that only the id tells which comes first.
        fresh += [row | {"sent_at": fresh[0]["sent_at"]} for row in fresh[1:8]]
        sent += fresh
        store.append_batch(f"batch-{stage}", "campaign-1", message_table(*fresh), unsent_table(), NOW)
        # Each page takes several questions to the catalog, and what is asked does not depend on where that is.
        for _ in range(3 if lake.location.catalog else 12):
            _check(history, sent, _ask(source), source)
        if stage:
            rollups.fold()
        for month in rollups.list_unbuilt(ZONES[stage:]):
            rollups.build(month)


def _ask(source: random.Random) -> MessageQuery:
    start = START + source.random() * SPAN
    period = Period(start, start + timedelta(days=source.choice([1, 9, 60])))
    choices: dict[str, Sequence[Any]] = {
        "receiver": ["1", "+491", "79"],
        "sender": SENDER_PARTS,
        "country": ["DE", "fr", "XX"],
        "network": ["o", "Telekom"],
        "mccmnc": ["262", "20801"],
        "delivery_status": ["Delivered", "Undelivered", "Submitted", "Lost"],
        "error_code": ["27", "1"],
        "price_eur_cents": [Decimal("7.5000"), Decimal("0.0050"), Decimal("0.00001")],
        "names": [
            (NameFilter(GroupBy.COUNTRY, Operator.CONTAINS, "an"),),
            (NameFilter(GroupBy.NETWORK, Operator.NOT_EQUAL, "orange"),),
            (NameFilter(GroupBy.NETWORK_CODE, Operator.STARTS_WITH, "2"),),
        ],
    }
    filters = {name: source.choice(values) for name, values in choices.items() if source.random() < 0.2}
    return MessageQuery(ACCOUNTS, period, time_zone=source.choice(ZONES), **filters)


def _check(history: MessageQueries, sent: Sequence[Row], query: MessageQuery, source: random.Random) -> None:
    expected = sorted(
        (row for row in sent if _matches(row, query)), key=lambda row: (row["sent_at"], row["message_id"]), reverse=True
    )
    size = source.choice([3, 7, 50])
    found: list[Row] = []
    for page in _pages(history, query, size):
        found += page.table.to_pylist()
        assert page.total in {None, len(expected)}
        assert page.has_more == (len(found) < len(expected))
    assert found == expected
    assert history.count(query) == len(expected)
    beyond = history.page(query, size, len(expected) + size)
    assert (beyond.table.num_rows, beyond.total, beyond.has_more) == (0, len(expected), False)


def _pages(history: MessageQueries, query: MessageQuery, size: int) -> Iterator[paging.FoundMessages]:
    offset, has_more = 0, True
    while has_more:
        page = history.page(query, size, offset)
        yield page
        offset, has_more = offset + size, page.has_more


def _matches(row: Row, query: MessageQuery) -> bool:
    shown = {
        GroupBy.COUNTRY: country_name(row["country"]),
        GroupBy.NETWORK: row["network"],
        GroupBy.NETWORK_CODE: row["mccmnc"],
    }
    return (
        row["account"] in query.account_ids
        and query.period.start <= row["sent_at"] < query.period.end
        and query.receiver in row["receiver"]
        and fold(query.sender.strip()) in fold(row["sender"])
        and query.country.upper() in ("", row["country"])
        and query.network.lower() in row["network"].lower()
        and row["mccmnc"].startswith(query.mccmnc)
        and query.delivery_status in ("", row["delivery_status"])
        and query.error_code in ("", row["error_code"])
        and query.price_eur_cents in (None, row["price_eur_cents"])
        and all(each.matches(shown[each.field]) for each in query.names)
    )
