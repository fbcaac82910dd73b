"""No second sees more segments than any limit allows, whoever books and however late messages leave."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from core.domain.accounts.departures import (
    CELL_S,
    Limit,
    Log,
    Terms,
    ahead_after,
    book,
    cell_of,
    enter,
    is_spare,
    is_wide,
    release,
    turn_after,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TERMS = Terms()


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@dataclass
class Street:
    """Limits by name, and what has left by each: (when, segments)."""

    rates: dict[str, int]
    logs: dict[str, Log] = field(default_factory=dict)
    left: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    chance: Random = field(default_factory=lambda: Random(7))

    def send(self, names: Sequence[str], segments: Sequence[int], seconds: float, terms: Terms = TERMS) -> list[float]:
        """Book at NOON and so many seconds, and let all leave as late as chance has it; return when, from NOON on."""
        limits = [Limit(self.rates[name], self.logs.get(name, Log())) for name in names]
        found = book(limits, segments, after(seconds), terms)
        if not found.cells:
            return []
        self.logs |= dict(zip(names, found.logs, strict=True))
        late = [self.chance.random() * terms.patience for _ in found.cells]
        moments = [
            cell * CELL_S + cells_late * CELL_S - NOON.timestamp()
            for cell, cells_late in zip(found.cells, late, strict=True)
        ]
        for name in names:
            self.left.setdefault(name, []).extend(zip(moments, segments, strict=False))
        return moments

    def most_in_a_second(self, name: str) -> int:
        left = sorted(self.left[name])
        most = inside = first = 0
        for at, count in left:
            inside += count
            while at - left[first][0] >= 1:
                inside -= left[first][1]
                first += 1
            most = max(most, inside)
        return most

    def mean(self, name: str, begin: float, end: float) -> float:
        return sum(count for at, count in self.left[name] if begin <= at < end) / (end - begin)


def crowd(
    street: Street,
    senders: Sequence[Sequence[str]],
    seconds: float,
    counts: Sequence[int] = (1,),
    patiences: Sequence[int] = (2, 2, 8, 64),
) -> list[int]:
    """Let threads send windows of 50 as long, each by its limits; return how many segments each has sent."""
    chance, free_at, sent = Random(3), [0.0] * len(senders), [0] * len(senders)
    turns = [-1.0] * len(senders)
    while min(free_at) < seconds:
        who = min(range(len(senders)), key=free_at.__getitem__)
        now = free_at[who]
        segments = [chance.choice(counts) for _ in range(50)]
        ahead = ahead_after(now - turns[who])
        moments = street.send(senders[who], segments, now, Terms(ahead=ahead, patience=chance.choice(patiences)))
        if moments:
            turns[who] = turn_after(turns[who], now, sum(segments[: len(moments)]), street.rates[senders[who][0]])
        free_at[who] = max([now, *moments]) + chance.uniform(0.001, 0.02)
        sent[who] += sum(segments[: len(moments)])
    return sent


def test_one_thread_leaves_nothing_of_a_limit_unused():
    street = Street({"account": 50})
    street.left["account"] = []
    now = 0.0
    while now < 60:
        moments = street.send(["account"], [1] * 50, now)
        now = max([now, *moments]) + 0.01
    assert street.most_in_a_second("account") == 50
    assert street.mean("account", 1, 60) >= 0.98 * 50


@pytest.mark.parametrize(
    ("rates", "senders"),
    [
        ({"a": 50}, [["a"]] * 6),
        ({"a": 500, "c": 100}, [["a"], ["a", "c"]]),
        ({"a": 500, "c": 10, "g": 300}, [["a", "g"], ["a", "g", "c"], ["a", "g"]]),
        ({"a": 1_000, "b": 1_000, "g": 100}, [["a", "g"], ["b", "g"]]),
        ({"a": 1}, [["a"], ["a"]]),
    ],
    ids=["six campaigns", "a slow campaign", "three limits", "two accounts", "one a second"],
)
def test_no_second_sees_more_than_any_limit(rates: dict[str, int], senders: list[list[str]]):
    street = Street(rates)
    crowd(street, senders, seconds=20)
    assert {name: street.most_in_a_second(name) <= rate for name, rate in rates.items()} == dict.fromkeys(rates, True)


@pytest.mark.parametrize("rate_tps", [7, 50, 333])
def test_messages_of_several_segments_keep_it_as_well(rate_tps: int):
    street = Street({"a": rate_tps})
    crowd(street, [["a"]] * 3, seconds=20, counts=(1, 2, 3, 7))
    assert street.most_in_a_second("a") <= rate_tps


def test_a_message_longer_than_a_second_allows_leaves_alone_and_takes_its_seconds():
    street = Street({"a": 3})
    assert street.send(["a"], [10, 1], 0) == [pytest.approx(0, abs=0.02)]
    assert street.send(["a"], [1], 3.9) == []
    assert len(street.send(["a"], [1], 4.1)) == 1


def test_campaigns_share_a_limit_alike():
    sent = crowd(Street({"a": 50}), [["a"]] * 5, seconds=60)
    assert max(sent) <= 1.2 * min(sent)


def test_a_slow_campaign_takes_none_of_the_time_of_others():
    street = Street({"a": 500, "c": 10})
    crowd(street, [["a"], ["a"], ["a", "c"]], seconds=20, patiences=[2])
    assert street.mean("c", 1, 20) >= 0.9 * 10
    assert street.mean("a", 1, 20) >= 0.98 * 500


@pytest.mark.parametrize(("account_tps", "campaign_tps"), [(100, 45), (50, 20)])
def test_a_campaign_that_others_keep_waiting_makes_up_for_that(account_tps: int, campaign_tps: int):
    street = Street({"a": account_tps, "c": campaign_tps})
    crowd(street, [["a"], ["a", "c"]], seconds=20, patiences=[2])
    # Without it, it gets less than half of what it may.
    assert street.mean("c", 1, 20) >= 0.8 * campaign_tps
    assert street.mean("a", 1, 20) >= 0.98 * account_tps


@pytest.mark.parametrize(
    ("account_tps", "campaign_tps", "others"), [(100, 30, 2), (100, 22, 3), (50, 5, 3)], ids=["two", "three", "slow"]
)
def test_a_campaign_of_a_limit_of_its_own_does_not_wait_for_its_few_as_long_as_others_for_their_many(
    account_tps: int, campaign_tps: int, others: int
):
    street = Street({"a": account_tps, "c": campaign_tps})
    crowd(street, [["a"]] * others + [["a", "c"]], seconds=20, patiences=[2])
    # By turns alone, whatever each has booked, it gets half of it.
    assert street.mean("c", 2, 20) >= 0.8 * campaign_tps
    assert street.mean("a", 1, 20) >= 0.98 * account_tps


def test_a_turn_is_used_up_as_far_as_it_was_booked_in():
    assert turn_after(7, 8, 30, 100) == turn_after(7, 8, 90, 100) == 8
    assert turn_after(7, 8, 15, 100) == 7.5
    # However long nobody was there to take it, it is not worth more.
    assert turn_after(-math.inf, 8, 15, 100) == 7.25
    assert [ahead_after(seconds) for seconds in (0, 0.5, math.inf)] == [20, 30, 50]


def test_who_may_book_further_ahead_passes():
    street = Street({"a": 50})
    while street.send(["a"], [1] * 50, 0):
        pass
    assert street.send(["a"], [1], 0) == []
    assert len(street.send(["a"], [1], 0, Terms(ahead=120, within=240))) == 1


def test_they_leave_evenly():
    moments = Street({"a": 50}).send(["a"], [1] * 50, 0)
    steps = [later - earlier for earlier, later in pairwise(moments)]
    assert all(step <= 0.03 for step in steps)
    assert sum(at < 0.1 for at in moments) <= 7


def test_messages_of_one_request_leave_together_but_no_more_than_a_tenth_of_a_second_s():
    found = book([Limit(500, Log())], [1] * 200, NOON, Terms(together=100))
    assert len(set(found.cells[:50])) == 1
    assert found.cells[50] > found.cells[49]


def test_a_second_is_kept_where_one_arrives_a_cell_later_than_it_may_leave():
    terms = Terms(patience=2, ahead=300)
    found = book([Limit(1, Log())], [1], NOON, terms)
    (first,), (second,) = found.cells, book([Limit(1, found.logs[0])], [1], NOON, terms).cells
    arrived = first + terms.patience + 1
    assert (second - arrived) * CELL_S == pytest.approx(1)


def test_a_changed_limit_is_kept_from_the_next_booking_on():
    street = Street({"a": 50})
    now = 0.0
    while now < 10:
        street.rates["a"] = 50 if now < 5 else 500
        now = max([now, *street.send(["a"], [1] * 50, now)]) + 0.005
    street.rates["a"] = 50
    changed_at = now + 1
    while now < 15:
        now = max([now, *street.send(["a"], [1] * 50, now)]) + 0.005
        street.logs["a"] = replace(street.logs["a"])
    assert street.mean("a", 1, 5) <= 50
    assert street.mean("a", 6, 10) >= 0.9 * 500
    # What was booked under the old limit has left within half a second.
    late = Street({"a": 50}, left={"a": [item for item in street.left["a"] if item[0] >= changed_at]})
    assert late.most_in_a_second("a") <= 50


def test_a_clock_set_back_stops_nothing_and_gives_nothing():
    street = Street({"a": 10})
    street.send(["a"], [1] * 10, 3_600)
    used = street.logs["a"]
    found = book([Limit(10, used)], [1] * 10, NOON, TERMS)
    again = book([Limit(10, used)], [1] * 10, after(1.1), TERMS)
    assert len(found.cells) < 10
    assert again.cells
    assert max(again.cells) <= cell_of(after(1.1)) + 100


def test_a_message_counts_for_its_second_its_patience_and_its_way():
    (log,) = book([Limit(1, Log())], [1], NOON, Terms(patience=7)).logs
    (next_cell,) = book([Limit(1, log)], [1], after(1), TERMS).cells
    assert next_cell == cell_of(NOON) + round(1 / CELL_S) + 7 + 1


def test_what_did_not_leave_is_given_back_once():
    found = book([Limit(4, Log())], [2, 2], NOON, TERMS)
    (full,) = found.logs
    assert not book([Limit(4, full)], [2], after(0.9), TERMS).cells
    facts = 4, found.cells[1], 2, TERMS.patience
    less = release(full, *facts)
    assert less.last == full.last
    assert len(book([Limit(4, less)], [2], after(0.9), TERMS).cells) == 1
    assert release(less, *facts) == less


@pytest.mark.parametrize("count", [1, 3, 17, 50])
def test_the_first_of_what_was_booked_are_entered_as_if_the_others_had_not_been_there(count: int):
    (log,) = book([Limit(60, Log())], [1, 2], NOON, TERMS).logs
    limits, segments, terms = [Limit(60, log), Limit(40, Log())], [1, 2] * 25, Terms(ahead=60, within=300)
    found = book(limits, segments, after(0.1), terms)
    count = min(count, len(found.cells))
    entered = enter(limits, segments[:count], found.cells[:count], after(0.1), terms.patience)
    assert entered == book(limits, segments[:count], after(0.1), terms).logs


def test_clocks_that_differ_a_little_share_the_limit():
    street = Street({"a": 50})
    chance = Random(5)
    for step in range(2_000):
        street.send(["a"], [1] * 3, step / 100 + chance.choice((0, -0.03)))
    assert street.most_in_a_second("a") <= 50


def test_a_wait_is_long_enough():
    street = Street({"a": 5})
    street.send(["a"], [5], 0)
    found = book([Limit(5, street.logs["a"])], [5], NOON, TERMS)
    assert not found.cells
    assert book([Limit(5, street.logs["a"])], [5], after(found.wait_s + CELL_S), TERMS).cells


@pytest.mark.parametrize("rate_tps", [0, -1])
def test_a_limit_of_nothing_is_an_error(rate_tps: int):
    with pytest.raises(ValueError, match="limit"):
        book([Limit(rate_tps, Log())], [1], NOON, TERMS)


def test_a_limit_is_far_away_while_little_of_it_is_booked():
    street = Street({"a": 1_000})
    assert is_wide([Limit(1_000, Log())], 50, 0.05, NOON)
    assert not is_wide([Limit(1_000, Log()), Limit(900, Log())], 50, 0.05, NOON)
    street.send(["a"], [1] * 10, 0)
    assert not is_wide([Limit(1_000, street.logs["a"])], 50, 0.05, NOON)
    assert is_wide([Limit(1_000, street.logs["a"])], 50, 0.05, after(1.5))


@pytest.mark.parametrize(("share", "spare"), [(1.0, False), (0.8, True)])
def test_a_limit_that_is_not_used_up_is_spare(share: float, spare: bool):
    street = Street({"a": 100})
    steps = round(2 * 100 * share)
    for step in range(steps):
        street.send(["a"], [1], 2 * step / steps)
    assert is_spare(Limit(100, street.logs["a"]), after(2)) is spare


@pytest.mark.parametrize("rate_tps", [5, 100])
def test_a_limit_that_is_used_up_is_not_spare_between_two_bookings(rate_tps: int):
    street = Street({"a": rate_tps})
    now = 0.0
    while now < 3:
        while street.send(["a"], [1], now):
            pass
        now += 0.01
    told = {is_spare(Limit(rate_tps, street.logs["a"]), after(now + step * CELL_S)) for step in range(41)}
    assert told == {False}


def test_a_limit_that_nobody_uses_is_spare_and_one_just_begun_is_not_told_yet():
    street = Street({"a": 100})
    assert is_spare(Limit(100, Log()), NOON)
    street.send(["a"], [1] * 5, 0)
    assert not is_spare(Limit(100, street.logs["a"]), after(0.05))
    street.send(["a"], [1], 0.1)
    assert not is_spare(Limit(100, street.logs["a"]), after(0.1))
    assert is_spare(Limit(100, street.logs["a"]), after(5))


def test_a_log_stays_short_however_long_messages_may_take():
    street = Street({"a": 1_000_000})
    for step in range(2_000):
        street.send(["a"], [1] * 50, step / 200, Terms(patience=2_000))
    assert len(street.logs["a"].booked) < 50
    assert sum(count for _, count in street.logs["a"].booked) == 50 * 2_000
