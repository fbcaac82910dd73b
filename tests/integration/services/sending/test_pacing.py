"""Moments in the logs that all workers share: whose turn it is, how punctual they are, and what limits are now."""

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.domain.accounts.accounts import AccountType
from core.domain.accounts.departures import CELL_S, Log
from core.domain.campaigns.campaigns import Campaign, CampaignStatus, Source
from core.errors import StorageError
from core.gateways.departing import DepartureSchedule
from core.services.accounts.managing_accounts import AccountSettings, NewAccount
from core.services.campaigns.limiting import OwnLimits
from core.services.sending.pacing import FAR, SET_REST_S, BatchPacing, BookingAgain, Pacing, Slots
from core.services.sending.punctuality import CALM_S, LEAD_FIRST, LEAD_MOST, LOOK_S, PATIENCE_LEAST, PATIENCE_MOST
from core.state.accounts import accounts, departures, gateways
from core.state.campaigns import campaigns
from tests.contract.gateways.gateway_contract import make_outbound
from tests.integration.services import steps
from tests.integration.services.paying import CENTS, COST, COUNT, SUB_WINDOW, frozen, spent
from tests.support.application.factories import make_campaign
from tests.support.application.house import House, make_house

RATE_TPS = 50
WINDOW = tuple(make_outbound(number) for number in range(150))


@dataclass
class Steady:
    """A clock that nobody sets, of one worker."""

    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class Worker:
    """A worker's pacing; where the house's clock stands still, so does the worker's own."""

    def __init__(self, house: House, steady_s: float = 1_000.0) -> None:
        self.house = house
        self.steady = Steady(steady_s)
        self.stepped_s = math.inf
        self.pacing = Pacing(lambda: self.stepped_s, self.steady)

    def find(
        self, campaign: Campaign, count: int = 50, *, keeps: bool = False, batch: BatchPacing | None = None
    ) -> Slots:
        """Find moments, and book them if it *keeps* them, as a *batch* does; one of its own where there is none."""
        with self.house.app.state.write() as session:
            paced = accounts.lock_paced(session, campaign.account_id)
            gateway = self.house.app.accounts.gateways.get(paced.gateway)
            batch = batch or self.pacing.open(campaign, self.clock)
            stored = campaigns.find_campaign(session, campaign.campaign_id)
            own_tps = stored.rate_tps if stored else None
            slots = batch.find(session, paced.rate_tps, own_tps, gateway, WINDOW[:count])
            if keeps and slots.messages:
                batch.keep(session, slots, self.house.now)
        return slots

    def book(self, campaign: Campaign, count: int = 50) -> list[int]:
        """Book moments; return in which cells they are."""
        found = self.seconds(self.find(campaign, count, keeps=True))
        return [round((self.told.timestamp() + seconds) / CELL_S) for seconds in found]

    def seconds(self, slots: Slots) -> list[float]:
        """Return in how many seconds from now they are."""
        return [moment_s - self.steady.now_s for moment_s in slots.schedule._moments_s]

    def wait(self, seconds: float) -> None:
        self.house.wait(timedelta(seconds=seconds))
        self.steady.now_s += seconds

    def clock(self) -> datetime:
        # The last one that was told is the one that moments were found by.
        self.told = self.house.clock()
        return self.told


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path, default_rate_tps=RATE_TPS)
    yield made
    made.app.close()


@pytest.fixture
def worker(house: House) -> Worker:
    return Worker(house)


@pytest.fixture
def campaign(house: House) -> Campaign:
    return frozen(house)


def set_rate(house: House, rate_tps: int) -> None:
    with house.app.state.write() as session:
        accounts.set_rate(session, house.account.account_id, rate_tps)


def patience_of(slots: Slots) -> int:
    return round(slots.schedule._patience_s / CELL_S)


def note(worker: Worker, *late: int) -> None:
    """Let the worker learn of a window whose messages of these numbers were late."""
    batch = worker.pacing.open(make_campaign(), worker.clock)
    batch.note(Slots(), WINDOW[:50], {WINDOW[number].message_id for number in late})


def lead_of(worker: Worker, campaign: Campaign) -> int:
    """Return how many cells after the present one the first message leaves."""
    return round(worker.seconds(worker.find(campaign))[0] / CELL_S)


def test_who_begins_late_gets_more_time_before_the_first_and_less_again_once_it_is_calm(
    worker: Worker, campaign: Campaign
):
    assert lead_of(worker, campaign) == 0
    leads = []
    for _ in range(7):
        worker.wait(LOOK_S)
        note(worker, 0, 1, 2)
        leads.append(lead_of(worker, campaign))
    assert leads == [LEAD_FIRST, 4, 8, 16, 32, LEAD_MOST, LEAD_MOST]
    for _ in range(8):
        worker.wait(CALM_S)
        # Once for each time of calm.
        note(worker)
        note(worker)
        leads.append(lead_of(worker, campaign))
    assert leads[7:] == [32, 16, 8, 4, 2, 1, 0, 0]


def test_who_becomes_late_on_the_way_may_leave_later_and_less_late_again_once_it_is_calm(
    worker: Worker, campaign: Campaign
):
    patiences = []
    for _ in range(6):
        worker.wait(LOOK_S)
        note(worker, 47, 48, 49)
        patiences.append(patience_of(worker.find(campaign)))
    assert patiences == [4, 8, 16, 32, PATIENCE_MOST, PATIENCE_MOST]
    for _ in range(7):
        worker.wait(CALM_S)
        note(worker)
    assert patience_of(worker.find(campaign)) == PATIENCE_LEAST


def test_a_late_message_among_many_changes_nothing(worker: Worker, campaign: Campaign):
    for _ in range(5):
        worker.wait(LOOK_S)
        note(worker, 0, 1)
        note(worker)
    assert (lead_of(worker, campaign), patience_of(worker.find(campaign))) == (0, PATIENCE_LEAST)


def test_a_window_that_is_late_as_a_whole_is_learned_from_at_once(worker: Worker, campaign: Campaign):
    note(worker, *range(50))
    assert lead_of(worker, campaign) == LEAD_FIRST


@pytest.mark.parametrize(("count", "patience"), [(20, 2_000), (21, 64), (100, 64), (101, PATIENCE_LEAST)])
def test_who_is_far_from_all_limits_need_not_be_punctual(worker: Worker, campaign: Campaign, count: int, patience: int):
    set_rate(worker.house, 1_000)
    note(worker, *range(50))
    slots = worker.find(campaign, count)
    assert patience_of(slots) == patience
    # Nor is anything waited for.
    assert (worker.seconds(slots)[0] > CELL_S / 2) is (patience == PATIENCE_LEAST)


def test_what_the_log_holds_counts_for_being_far(worker: Worker, campaign: Campaign):
    set_rate(worker.house, 1_000)
    assert [patience_of(worker.find(campaign, 20, keeps=True)) for _ in range(2)] == [2_000, 64]


def test_time_that_passes_between_the_two_clocks_makes_nothing_later_than_it_may_be(worker: Worker, campaign: Campaign):
    def clock() -> datetime:
        worker.steady.now_s += 0.004
        return worker.house.now

    worker.house.clock = clock
    slots = worker.find(campaign)
    # No earlier by the one reading, no later by the other.
    assert worker.seconds(slots)[0] == pytest.approx(0, abs=1e-5)
    assert slots.schedule._patience_s == pytest.approx(PATIENCE_LEAST * CELL_S - 0.004)


def test_nothing_is_booked_until_all_know_that_the_clock_was_set(worker: Worker, campaign: Campaign):
    for worker.stepped_s in (0.0, SET_REST_S - 0.1):
        slots = worker.find(campaign)
        assert slots.messages == ()
        assert slots.wait_s == pytest.approx(SET_REST_S - worker.stepped_s)
    worker.stepped_s = SET_REST_S
    assert worker.book(campaign)


def booked_by(house: House) -> int:
    """Return how many segments of the account's count."""
    return sum(segments for _, segments in log_of(house).booked)


@pytest.mark.parametrize(("late_count", "more"), [(0, 1), (1, 0), (2, -1)])
def test_the_moments_of_late_messages_are_given_back_once(
    worker: Worker, campaign: Campaign, late_count: int, more: int
):
    # Five have one moment: whoever gave back twice would give away others'.
    set_rate(worker.house, 1_000)
    batch = worker.pacing.open(campaign, worker.clock)
    first = worker.find(campaign, 5, keeps=True, batch=batch)
    assert booked_by(worker.house) == len(first.messages) == 5
    batch.note(first, first.messages, {message.message_id for message in first.messages[:late_count]})
    worker.wait(0.5)
    # The one that is booked, without those that did not leave.
    assert len(worker.find(campaign, 1, keeps=True, batch=batch).messages) == 1
    assert booked_by(worker.house) == 5 + more
    worker.wait(0.2)
    assert len(worker.find(campaign, 1, keeps=True, batch=batch).messages) == 1
    assert booked_by(worker.house) == 5 + more + 1


def test_a_quick_send_passes_a_campaign_that_has_booked_ahead(worker: Worker, campaign: Campaign):
    other = replace(campaign, campaign_id="other")
    quick = replace(campaign, campaign_id="quick", source=Source.QUICK_SEND)
    booked = []
    while more := worker.book(campaign):
        booked += more
    assert worker.book(other) == []
    assert worker.find(other).wait_s > 0
    (moment,) = worker.book(quick, 1)
    assert max(booked) <= moment < max(booked) + 2 / RATE_TPS / CELL_S


def test_who_has_had_no_turn_for_long_comes_before_who_just_had_one(worker: Worker, campaign: Campaign):
    other = replace(campaign, campaign_id="other")
    while worker.book(campaign):
        pass
    worker.wait(0.3)
    assert worker.book(campaign) == []
    assert worker.book(other)


def test_workers_share_the_logs(either: House):
    set_rate(either, RATE_TPS)
    campaign, workers = frozen(either), [Worker(either, 1_000.0), Worker(either, 77.0)]
    cells = list[int]()
    for _ in range(30):
        for worker in workers:
            cells += worker.book(campaign)
            worker.steady.now_s += 0.1
        either.wait(timedelta(seconds=0.1))
    assert len(cells) >= 0.9 * 3 * RATE_TPS
    assert most_in_a_second(cells) <= RATE_TPS


def most_in_a_second(cells: list[int]) -> int:
    """Return how many may leave in the fullest second, some of them as late as they may be."""
    length = round(1 / CELL_S) + PATIENCE_LEAST
    return max(sum(begin <= cell < begin + length for cell in cells) for begin in cells)


def test_threads_of_two_accounts_neither_exceed_a_gateways_limit_nor_hold_each_other_up(either: House):
    new = NewAccount("apart", "Apart", AccountType.CAMPAIGN, AccountSettings("simulator", 1_000_000))
    apart = either.app.accounts.managing.create(either.viewer, new, either.now)
    campaigns = [frozen(either), replace(frozen(either, name="Other"), account_id=apart.account_id)]
    set_gateway_rate(either, 200)
    either.clock = lambda: datetime.now(UTC)
    cells = list[int]()
    end = datetime.now(UTC) + timedelta(seconds=steps.PATIENCE_S)

    def book(campaign: Campaign) -> None:
        worker = Worker(either)
        # More than a second's worth, however long that takes on a machine that is busy.
        while len(cells) < 300 and datetime.now(UTC) < end:
            cells.extend(worker.book(campaign))

    assert steps.at_once([lambda item=item: book(item) for item in [*campaigns, *campaigns]]) == [None] * 4
    assert len(cells) >= 300
    assert most_in_a_second(cells) <= 200


def set_gateway_rate(house: House, rate_tps: int | None) -> None:
    with house.app.state.write() as session:
        stored = gateways.get_gateway(session, "simulator")
        gateways.change_gateway(session, replace(stored.setup, rate_tps=rate_tps), stored.sealed)


def set_account_rate(house: House, _: Campaign, rate_tps: int | None) -> None:
    set_rate(house, rate_tps or RATE_TPS)


def set_rate_of_gateway(house: House, _: Campaign, rate_tps: int | None) -> None:
    set_gateway_rate(house, rate_tps)


def set_campaign_rate(house: House, campaign: Campaign, rate_tps: int | None) -> None:
    stored = house.campaign(campaign.campaign_id)
    seen = OwnLimits(None, stored.rate_tps)
    house.app.campaigns.limiting.change(house.viewer, campaign.campaign_id, seen, OwnLimits(None, rate_tps), house.now)


@pytest.mark.parametrize("set_limit", [set_account_rate, set_rate_of_gateway, set_campaign_rate])
def test_a_limit_that_is_changed_counts_from_the_next_moments_on(
    worker: Worker, campaign: Campaign, set_limit: Callable[[House, Campaign, int | None], None]
):
    # The campaign as the thread has it that sends it: it was read with the lease.
    before = len(worker.book(campaign))
    set_limit(worker.house, campaign, 10)
    worker.wait(2)
    slower = len(worker.book(campaign))
    set_limit(worker.house, campaign, None)
    worker.wait(2)
    assert (before, len(worker.book(campaign))) == (before, before)
    assert 1 <= slower <= before / 3


def log_of(house: House) -> Log:
    with house.app.state.read() as session:
        return departures.look_at_log(session, departures.of_account(house.account.account_id))


def test_what_no_budget_pays_for_takes_nobodys_moments(paying: House):
    campaign = frozen(paying)
    steps.set_budget(paying, "0")
    steps.work(paying)
    assert paying.campaign(campaign.campaign_id).status is CampaignStatus.PAUSED
    assert log_of(paying) == Log()


def test_of_what_a_budget_pays_for_in_part_only_that_part_takes_moments(paying: House):
    frozen(paying)
    steps.set_budget(paying, str(3 * CENTS))
    steps.work(paying)
    assert len(steps.receivers(paying)) == booked_by(paying) == 3


def booking_again(worker: Worker, campaign: Campaign) -> BookingAgain:
    batch = worker.pacing.open(campaign, worker.clock)
    stop, account_id = threading.Event(), campaign.account_id
    return BookingAgain(worker.house.app.state, batch, account_id, stop, timedelta(), worker.steady)


@pytest.mark.parametrize("is_patient", [True, False])
def test_what_is_handed_over_again_is_booked_and_counts_for_as_long_as_it_may_take(
    worker: Worker, campaign: Campaign, is_patient: bool
):
    gateway = worker.house.app.accounts.gateways.get("simulator")
    booked = booking_again(worker, campaign).book(gateway, 7, is_patient=is_patient)
    assert booked is not None
    patience_s = FAR[0][1] * CELL_S if is_patient else PATIENCE_LEAST * CELL_S
    assert (round(booked[0] - worker.steady.now_s, 2), round(booked[1], 4)) == (0, patience_s)
    ((until, count),) = log_of(worker.house).booked
    assert count == 7
    assert until * CELL_S - worker.told.timestamp() == pytest.approx(1 + patience_s, abs=0.5 * is_patient + 0.02)


def test_it_waits_for_a_moment_while_others_have_booked_all_there_is(worker: Worker, campaign: Campaign):
    gateway, naps = worker.house.app.accounts.gateways.get("simulator"), list[float]()
    while worker.book(campaign):
        pass
    again = booking_again(worker, campaign)
    again._stop = Napping(worker, naps)
    booked = again.book(gateway, 1, is_patient=False)
    assert booked is not None
    assert booked[0] >= worker.steady.now_s
    assert naps


class Napping(threading.Event):
    """What ends a nap: a worker's, during which its clocks go on."""

    def __init__(self, worker: Worker, naps: list[float]) -> None:
        super().__init__()
        self.worker, self.naps = worker, naps

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.naps.append(timeout)
        self.worker.wait(timeout)
        return self.is_set()


def test_nothing_is_handed_over_again_by_a_worker_that_stops_or_without_a_store(
    worker: Worker, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
):
    gateway = worker.house.app.accounts.gateways.get("simulator")
    again = booking_again(worker, campaign)
    again._stop.set()
    assert again.book(gateway, 1, is_patient=False) is None

    def away(*_: object) -> None:
        raise StorageError("The state store does not answer.")

    again = booking_again(worker, campaign)
    again._lasts = timedelta(seconds=-1)
    monkeypatch.setattr(accounts, "lock_paced", away)
    assert again.book(gateway, 1, is_patient=False) is None


def test_a_gateway_books_what_it_hands_over_again_in_the_logs_of_all(paying: House):
    frozen(paying, count=SUB_WINDOW)
    submit, again = paying.simulator.submit, list[float | None]()

    def hand_over_twice(messages: list, now: datetime, schedule: DepartureSchedule) -> list:
        again.append(schedule.wait_again(len(messages)))
        return submit(messages, now, schedule)

    paying.simulator.submit = hand_over_twice
    steps.work(paying)
    assert len(again) == 1
    assert booked_by(paying) == 2 * SUB_WINDOW == 2 * len(steps.receivers(paying))


def test_who_was_late_is_pending_again_costs_nothing_meanwhile_and_gets_one_message(either_paying: House):
    campaign, submit, costs = frozen(either_paying), either_paying.simulator.submit, []

    def late_at_first(messages: list, now: datetime, schedule: DepartureSchedule) -> list:
        # What is on its way is charged; of the first sub-window nothing is any more when the second one leaves.
        costs.append(spent(either_paying))
        return submit(messages, now, schedule if len(costs) > 1 else DepartureSchedule([0.0] * len(messages), 0.01))

    either_paying.simulator.submit = late_at_first
    steps.work(either_paying)
    assert costs[0] == costs[1] > 0
    assert either_paying.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    assert len(set(steps.receivers(either_paying))) == len(steps.receivers(either_paying)) == COUNT
    assert spent(either_paying) == COST
