"""Answers that are kept: who asks for anything else, or as somebody else, gets no answer to another question."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from core.domain.accounts.accounts import AccountType
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.statistics import GroupBy, Measure, NameFilter, Operator, Sorting
from core.domain.times.periods import Period
from core.errors import Forbidden
from core.history.messages.message_store import MessageStore
from core.services.accounts.managing_accounts import NewAccount
from core.services.reports.kept_answers import KeptAnswers
from core.services.reports.reporting import Reporting, StatisticsRequest
from core.state.accounts import accounts
from tests.support.application.house import House, make_house
from tests.support.stores.messages import make_message, message_table, unsent_table

# Late enough to be of the next day in Berlin.
LATE = datetime(2026, 2, 20, 23, 30, tzinfo=UTC)
PERIOD = Period(LATE - timedelta(days=10), LATE + timedelta(days=10))
SIZE = 1


@dataclass(frozen=True)
class Question:
    """Who asks, and what; each method takes of it what it knows."""

    viewer: Viewer
    period: Period = PERIOD
    page: int = 1
    size: int = SIZE
    filters: tuple[NameFilter, ...] = ()
    group: GroupBy = GroupBy.DAY
    sorting: Sorting = field(default_factory=Sorting)


@dataclass(frozen=True)
class Two:
    """A house with two accounts, and somebody who may see everything of both."""

    house: House
    first: str
    second: str
    viewer: Viewer


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    house = make_house(tmp_path_factory.mktemp("apart"))
    create = house.app.accounts.managing.create
    first, second = (
        create(house.viewer, NewAccount(name, name.title(), AccountType.HTTP), house.now).account_id
        for name in ("shop", "alerts")
    )
    sent = [
        make_message(account=account_id, sent_at=LATE + timedelta(hours=hours), receiver=f"+4917965487{number}{hours}")
        for number, (account_id, times) in enumerate([(first, 4), (second, 3)])
        for hours in range(times)
    ]
    MessageStore(house.app.lake).append_batch("batch", "campaign", message_table(*sent), unsent_table(), house.now)
    viewer = Viewer("user", "Ada", "ada@example.com", frozenset(Permission), frozenset({first, second}))
    yield Two(house, first, second, viewer)
    house.app.close()


def ask_messages(reporting: Reporting, asked: Question) -> object:
    query = MessageQuery(frozenset(), asked.period, names=asked.filters)
    return reporting.messages(asked.viewer, query, asked.page, asked.size)


def ask_statistics(reporting: Reporting, asked: Question) -> object:
    request = StatisticsRequest(asked.period, (asked.group,), asked.filters, asked.sorting, asked.page, asked.size)
    return reporting.statistics(asked.viewer, request)


def ask_traffic(reporting: Reporting, asked: Question) -> object:
    return reporting.traffic(asked.viewer, asked.period)


MESSAGES, STATISTICS, TRAFFIC = {ask_messages}, {ask_statistics}, {ask_traffic}
EACH = MESSAGES | STATISTICS | TRAFFIC


def vary(two: Two, what: str) -> Question:
    """Return the usual question with one thing that is different."""
    viewer, usual = two.viewer, Question(two.viewer)
    return {
        "accounts": replace(usual, viewer=replace(viewer, account_ids=frozenset({two.first}))),
        "inactive accounts": replace(usual, viewer=replace(viewer, inactive_ids=frozenset({two.second}))),
        "no numbers": replace(
            usual, viewer=replace(viewer, permissions=viewer.permissions - {Permission.DISTRIBUTION_LISTS})
        ),
        "time zone": replace(usual, viewer=replace(viewer, time_zone="Europe/Berlin")),
        "period": replace(usual, period=Period(PERIOD.start, LATE + timedelta(hours=1))),
        "page": replace(usual, page=2),
        "size": replace(usual, size=2),
        "filters": replace(usual, filters=(NameFilter(GroupBy.ACCOUNT, Operator.EQUAL, "shop"),)),
        "group": replace(usual, group=GroupBy.ACCOUNT),
        "sorting": replace(usual, sorting=Sorting(Measure.SENT, descending=True)),
    }[what]


VARIED = {
    "accounts": EACH,
    "inactive accounts": MESSAGES,
    "no numbers": MESSAGES,
    "time zone": STATISTICS | TRAFFIC,
    "period": EACH,
    "page": MESSAGES | STATISTICS,
    "size": MESSAGES | STATISTICS,
    "filters": MESSAGES | STATISTICS,
    "group": STATISTICS,
    "sorting": STATISTICS,
}
CASES = [
    pytest.param(ask, what, id=f"{ask.__name__}, {what}")
    for what, methods in VARIED.items()
    for ask in sorted(methods, key=lambda method: method.__name__)
]


def told(answer: Any) -> Any:
    """Return what an answer says, to be compared."""
    if isinstance(answer, pa.Table):
        return answer.to_pylist()
    if is_dataclass(answer):
        return {each.name: told(getattr(answer, each.name)) for each in fields(answer)}
    return answer


def forgetful(reporting: Reporting) -> Reporting:
    """Return one that finds every answer anew."""
    return Reporting(
        reporting._state,
        replace(reporting._history, answers=KeptAnswers(reporting._history.answers._look, most_bytes=0)),
    )


@pytest.mark.parametrize(("ask", "what"), CASES)
def test_another_question_gets_its_own_answer(two: Two, ask: Any, what: str):
    kept = two.house.app.reports.reporting
    usual, other = Question(two.viewer), vary(two, what)
    before = told(ask(kept, usual))
    answer = told(ask(kept, other))
    assert answer == told(ask(forgetful(kept), other))
    # Or else nobody could tell one answer from the other.
    assert answer != before
    assert told(ask(kept, usual)) == before


@pytest.mark.parametrize("ask", [ask_messages, ask_statistics])
def test_an_account_that_is_renamed_is_called_so_at_once(two: Two, ask: Any):
    kept, asked = two.house.app.reports.reporting, Question(two.viewer, group=GroupBy.ACCOUNT)
    before = told(ask(kept, asked))
    with two.house.app.state.write() as session:
        accounts.set_display_name(session, two.first, f"Renamed for {ask.__name__}")
    answer = told(ask(kept, asked))
    assert answer != before
    assert answer == told(ask(forgetful(kept), asked))


@pytest.mark.parametrize("ask", [ask_messages, ask_statistics])
def test_what_is_kept_is_not_given_to_who_may_not_ask(two: Two, ask: Any):
    kept = two.house.app.reports.reporting
    ask(kept, Question(two.viewer))
    nobody = replace(two.viewer, permissions=frozenset())
    with pytest.raises(Forbidden):
        ask(kept, Question(nobody))
