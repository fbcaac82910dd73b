"""Messages by the hour: the same whether they are folded, logged, or neither, and each account's own."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.config import Settings
from core.domain.messages.messages import DeliveryStatus
from core.domain.times.periods import Period, day_start
from core.history.lake.connection import Lake
from core.history.lake.watch import ChangeWatch
from core.history.messages.message_store import MessageStore
from core.history.rollups.adding_up import RollupReader
from core.history.rollups.rollups import Rollups
from core.history.rollups.traffic import TrafficReader
from tests.support.stores.messages import NOW, make_message, make_update, merge_receipts, message_table, unsent_table
from tests.support.stores.small_files import build_missing


class Day:
    """A day of a zone, of which the same reader is asked again and again."""

    def __init__(self, lake: Lake, zone: str) -> None:
        self._lake, self._zone = lake, zone
        self._sent: list[dict[str, Any]] = []
        self._traffic = TrafficReader(RollupReader(lake, 1 << 20))
        self._period = Period(day_start(NOW.date(), zone), day_start(NOW.date() + timedelta(days=1), zone))

    def send(self, *accounts: str, hour: float) -> None:
        fresh = [make_message(account=account, sent_at=NOW + timedelta(hours=hour)) for account in accounts]
        self._sent += fresh
        name = f"batch-{len(self._sent)}"
        MessageStore(self._lake).append_batch(name, "campaign", message_table(*fresh), unsent_table(), NOW)

    def report(self) -> None:
        names = {name: self._sent[-1][name] for name in ("gateway", "gateway_message_id")}
        done_at = self._sent[-1]["sent_at"] + timedelta(seconds=5)
        merge_receipts(MessageStore(self._lake), [make_update(DeliveryStatus.DELIVERED, done_at=done_at, **names)])

    def go_back(self, count: int, lake: Lake) -> None:
        """Have sent no more than the first *count*; from now on *lake* sends."""
        self._lake = lake
        del self._sent[count:]

    def is_right(self) -> bool:
        """Whether what some are told is what was sent."""
        return all(self._is_right_for(accounts) for accounts in (["a"], ["b"], ["a", "b"], ["c"], ["nobody"]))

    def _is_right_for(self, accounts: list[str]) -> bool:
        told = self._traffic.sum_up(accounts, self._period, self._zone)
        hours = zip(told.series["bucket"].to_pylist(), told.series["sent"].to_pylist(), strict=True)
        expected = Counter(
            _hour_of(message["sent_at"], self._zone)
            for message in self._sent
            if message["account"] in accounts and self._period.start <= message["sent_at"] < self._period.end
        )
        return {bucket.astimezone(UTC): sent for bucket, sent in hours if sent} == expected and told.total == sum(
            expected.values()
        )


def _hour_of(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(minute=0, second=0, microsecond=0).astimezone(UTC)


@pytest.mark.parametrize("is_built", [True, False], ids=["built", "not built"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_hours_are_right_whatever_is_folded(lake: Lake, zone: str, is_built: bool):
    rollups, day = Rollups(lake), Day(lake, zone)
    day.send("a", "b", hour=-1)
    if is_built:
        for month in rollups.list_unbuilt([zone]):
            rollups.build(month)
    # Logged when it is asked for the first time.
    day.send("a", "a", "b", hour=0.4)
    day.send("a", hour=-20)
    assert day.is_right()
    day.send("b", "b", hour=1.6)
    assert day.is_right()
    rollups.fold()
    assert day.is_right()
    # Two of whom the rollups have not heard yet.
    day.send("a", "c", "d", hour=-1)
    day.report()
    assert day.is_right()
    rollups.fold()
    day.send("c", hour=2)
    assert day.is_right()


@pytest.mark.parametrize("is_folded", [True, False], ids=["folded", "logged"])
def test_a_catalog_that_was_put_back_has_hours_of_its_own(
    lake: Lake, lake_settings: Settings, keep_catalog: Callable[[], Callable[[], None]], is_folded: bool
):
    day, watch = Day(lake, "UTC"), ChangeWatch(lake, iter(range(1_000_000)).__next__)
    day.send("a", hour=-1)
    build_missing(Rollups(lake))
    lake.close()
    put_back = keep_catalog()
    day.send("b", "b", hour=-2)
    if is_folded:
        Rollups(lake).fold()
    watch.look()
    assert day.is_right()
    put_back()
    beside = Lake(lake_settings)
    day.go_back(1, beside)
    # It comes to the same snapshot, by the same steps.
    day.send("a", hour=-3)
    if is_folded:
        Rollups(beside).fold()
    beside.close()
    watch.look()
    assert day.is_right()


@pytest.mark.parametrize("is_built", [True, False], ids=["built", "not built"])
def test_the_same_time_has_the_hours_of_each_zone(lake: Lake, is_built: bool):
    zones = ("UTC", "Asia/Kolkata")
    at = NOW.replace(hour=12, minute=10)
    period = Period(day_start(NOW.date(), "UTC"), day_start(NOW.date() + timedelta(days=1), "UTC"))
    sent = message_table(make_message(account="a", sent_at=at))
    MessageStore(lake).append_batch("batch", "campaign", sent, unsent_table(), NOW)
    if is_built:
        rollups = Rollups(lake)
        for month in rollups.list_unbuilt(zones):
            rollups.build(month)
    traffic = TrafficReader(RollupReader(lake, 1 << 20))
    for zone in zones:
        series = traffic.sum_up(["a"], period, zone).series.to_pylist()
        assert [row["bucket"].astimezone(UTC) for row in series if row["sent"]] == [_hour_of(at, zone)]
