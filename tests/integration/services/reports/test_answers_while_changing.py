"""Answers that are kept while messages come, receipts change them, and upkeep moves them: always those of now."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from core.domain.accounts.accounts import AccountType
from core.domain.messages.messages import DeliveryStatus
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.statistics import GroupBy
from core.domain.times.periods import Period, day_start
from core.history.lake.maintenance import Maintenance, StepBounds
from core.history.messages.message_store import MessageStore
from core.history.messages.queries import MessageQueries
from core.history.rollups.adding_up import RollupReader
from core.history.rollups.rollups import Rollups
from core.history.rollups.statistics import Statistics
from core.history.rollups.traffic import TrafficReader
from core.services.accounts.managing_accounts import NewAccount
from core.services.reports.kept_answers import KeptAnswers
from core.services.reports.reporting import History, Reporting, StatisticsRequest
from tests.support.application.house import House, make_house
from tests.support.stores.messages import NOW, make_message, make_update, merge_receipts, message_table, unsent_table
from tests.support.stores.small_files import build_missing

ZONES = ("UTC", "Asia/Kolkata")
STEPS = 24


@dataclass
class Changing:
    """A house whose history changes by chance, from a seed."""

    house: House
    accounts: tuple[str, ...]
    draw: random.Random
    sent: list[dict[str, Any]]

    def change(self) -> str:
        """Do one thing, and say which."""
        act = self.draw.choice(
            [self._send, self._send, self._report, self._report, self._fold, self._tidy, self._build]
        )
        act()
        return act.__name__

    def begin(self) -> None:
        """Let every account have sent something on each day."""
        times = [NOW - timedelta(days=days, hours=1) for days in range(3)]
        self._append([make_message(account=account, sent_at=at) for account in self.accounts for at in times])

    def _send(self) -> None:
        sent_at = NOW - timedelta(days=self.draw.randrange(3), seconds=self.draw.randrange(80_000))
        account = self.draw.choice(self.accounts)
        self._append([make_message(account=account, sent_at=sent_at) for _ in range(self.draw.randrange(1, 15))])

    def _append(self, fresh: list[dict[str, Any]]) -> None:
        self.sent += fresh
        store, name = MessageStore(self.house.app.lake), f"batch-{len(self.sent)}"
        store.append_batch(name, "campaign", message_table(*fresh), unsent_table(), NOW)

    def _report(self) -> None:
        if self.sent:
            message = self.draw.choice(self.sent)
            names = {name: message[name] for name in ("gateway", "gateway_message_id")}
            status = self.draw.choice([DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED])
            done_at = message["sent_at"] + timedelta(seconds=self.draw.randrange(1, 900))
            merge_receipts(MessageStore(self.house.app.lake), [make_update(status, done_at=done_at, **names)])

    def _fold(self) -> None:
        Rollups(self.house.app.lake).fold()

    def _tidy(self) -> None:
        maintenance = Maintenance(self.house.app.lake)
        for table in ("messages", "traffic_log"):
            maintenance.flush(table)
        maintenance.rewrite("messages", StepBounds(share=0.01, share_small=0.01))
        maintenance.merge("messages", StepBounds())

    def _build(self) -> None:
        build_missing(Rollups(self.house.app.lake))


@pytest.fixture
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changing]:
    house = make_house(tmp_path_factory.mktemp("changing"))
    create = house.app.accounts.managing.create
    accounts = tuple(
        create(house.viewer, NewAccount(name, name.title(), AccountType.HTTP), house.now).account_id
        for name in ("shop", "alerts", "news")
    )
    yield Changing(house, accounts, random.Random(1), [])
    house.app.close()


def test_kept_answers_are_those_of_now(changing: Changing):
    lake, kept = changing.house.app.lake, changing.house.app.reports.reporting
    everything = frozenset(Permission)
    viewers = [
        Viewer(zone, zone, f"{number}@example.com", everything, frozenset(accounts), time_zone=zone)
        for number, (zone, accounts) in enumerate(zip(ZONES, (changing.accounts[:2], changing.accounts), strict=True))
    ]
    answers = kept._history.answers
    asked = [(viewer, period_of(days, viewer)) for viewer in viewers for days in range(3)]
    finds, get = [], answers.get
    answers.get = lambda question, extent, find: get(question, extent, lambda: (finds.append(1), find())[1])
    changing.begin()
    for _ in range(STEPS):
        done = changing.change()
        for viewer, period in changing.draw.sample(asked, 2):
            forgetful = anew(kept, RollupReader(lake, 1 << 20))
            assert list_answers(kept, viewer, period) == list_answers(forgetful, viewer, period), done
            # The chart is of the same accounts as the figures.
            traffic = kept.traffic(viewer, period)
            assert sum(traffic.series["sent"].to_pylist()) == traffic.total, done
    # Some of what was asked had not changed since.
    assert 0 < len(finds) < STEPS * 2 * 3 * 0.9


def period_of(days: int, viewer: Viewer) -> Period:
    """Return the viewer's day so many days ago."""
    day = NOW.date() - timedelta(days=days)
    return Period(day_start(day, viewer.time_zone), day_start(day + timedelta(days=1), viewer.time_zone))


def anew(kept: Reporting, rollups: RollupReader) -> Reporting:
    """Return one that knows nothing of what was asked before."""
    answers = KeptAnswers(kept._history.answers._look, most_bytes=0)
    history = History(MessageQueries(rollups), Statistics(rollups), TrafficReader(rollups), rollups, answers)
    return Reporting(kept._state, history)


def list_answers(reporting: Reporting, viewer: Viewer, period: Period) -> list[object]:
    return [
        told(reporting.messages(viewer, MessageQuery(frozenset(), period), 1, 5)),
        told(reporting.statistics(viewer, StatisticsRequest(period, (GroupBy.DAY, GroupBy.ACCOUNT)))),
        told(reporting.traffic(viewer, period)),
    ]


def told(answer: Any) -> Any:
    """Return what an answer says, to be compared."""
    if isinstance(answer, pa.Table):
        return answer.to_pylist()
    if is_dataclass(answer):
        return {each.name: told(getattr(answer, each.name)) for each in fields(answer)}
    return answer
