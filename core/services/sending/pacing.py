"""
Pacing: each message gets a moment at which it may leave, by the limits of its account, its gateway and its campaign.

The moments are booked in the transaction that claims the messages, in logs that all workers share, by the store's own
time. The gateway lets a message leave at its moment or gives it back: then it is claimed and booked anew.
"""

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from core.domain.accounts.departures import (
    CELL_S,
    Limit,
    Log,
    Terms,
    ahead_after,
    book,
    enter,
    is_spare,
    is_wide,
    release,
    turn_after,
)
from core.domain.campaigns.campaigns import Campaign, Source
from core.domain.messages.messages import OutboundMessage
from core.errors import StorageError
from core.gateways.base import Observed
from core.gateways.departing import DepartureSchedule
from core.services.sending.punctuality import Punctuality
from core.state.accounts import accounts, departures, gateways
from core.state.campaigns import campaigns
from core.state.engine.store import State

log = logging.getLogger(__name__)

# The longest nap between two tries to book a moment for what is handed over once more.
NAP_MAX_S = 0.5
# Far from all limits nobody has to be punctual: as long as no more than such a share of them is booked, a message may
# leave so many cells after its moment, for all of which it counts, and the first moment is at once.
FAR = ((0.02, 2_000), (0.1, 64))
WITHIN = 100
# A single message of a person's must not wait for a campaign of a million.
EXPRESS_AHEAD, EXPRESS_WITHIN = 120, 240
_MOST_REMEMBERED = 1_000
# Seconds without a booking after the store's clock was set. The logs say nothing by the new time until every process
# knows it, what was booked by the old one has left, and a second has gone by.
SET_REST_S = 3.0
# When what is nothing was booked.
_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Slots:
    """
    The first *messages* of a window, and when they may leave; or in how many seconds to ask again.

    *logs* is what is to be kept of that, by subject; *limits*, *cells*, *patience* and *at* are what it was booked by.
    """

    messages: Sequence[OutboundMessage] = ()
    schedule: DepartureSchedule = field(default_factory=DepartureSchedule)
    wait_s: float = 0.0
    logs: Mapping[str, Log] = field(default_factory=dict)
    limits: Mapping[str, Limit] = field(default_factory=dict)
    cells: Sequence[int] = ()
    patience: int = 0
    at: datetime = _NEVER

    def first(self, count: int) -> "Slots":
        """Return those of the first *count* messages, 1 or more: the others' moments are left to whoever asks next."""
        if count == len(self.messages):
            return self
        messages, cells = self.messages[:count], self.cells[:count]
        segments = [message.segment_count for message in messages]
        logs = enter([*self.limits.values()], segments, cells, self.at, self.patience)
        return replace(self, messages=messages, cells=cells, logs=dict(zip(self.limits, logs, strict=True)))


class Pacing:
    """One per process: what its threads know of how punctual it is, and of whose turn it was when."""

    def __init__(self, stepped_s: Callable[[], float], steady_s: Callable[[], float] = time.monotonic) -> None:
        """Take who tells how many seconds ago the store's clock was set, and a clock in seconds that nobody sets."""
        self._process = _Process(stepped_s, steady_s, Punctuality(steady_s), _Turns(steady_s))

    def open(self, campaign: Campaign, clock: Callable[[], datetime]) -> "BatchPacing":
        """Return what paces a batch of the campaign."""
        return BatchPacing(self._process, campaign, clock)

    def is_spare(
        self, session: Session, campaign: Campaign, account_rate_tps: int, gateway: str, now: datetime
    ) -> bool:
        """Return whether whoever sends now leaves a part of every limit to others; nothing is booked."""
        own_tps = campaigns.get_terms(session, campaign.campaign_id).rate_tps
        rates = _find_rates(session, campaign, account_rate_tps, own_tps, gateway)
        limits = [Limit(rate, departures.look_at_log(session, subject)) for subject, rate in rates.items()]
        return all(is_spare(limit, now) for limit in limits)


class _Turns:
    """Since when each campaign waits for its turn: the longer, the further ahead of others it may book."""

    def __init__(self, steady_s: Callable[[], float]) -> None:
        self._steady_s = steady_s
        self._lock = threading.Lock()
        self._since_s: OrderedDict[str, float] = OrderedDict()

    def ahead(self, campaign_id: str) -> int:
        """Return how many cells ahead the campaign may begin to book."""
        with self._lock:
            return ahead_after(self._steady_s() - self._since_s.get(campaign_id, -math.inf))

    def note(self, campaign_id: str, segments: int, rate_tps: int) -> None:
        """Take that the campaign has booked so many segments of a limit that it shares."""
        with self._lock:
            since_s = self._since_s.get(campaign_id, -math.inf)
            self._since_s[campaign_id] = turn_after(since_s, self._steady_s(), segments, rate_tps)
            self._since_s.move_to_end(campaign_id)
            while len(self._since_s) > _MOST_REMEMBERED:
                self._since_s.popitem(last=False)


@dataclass(frozen=True)
class _Process:
    """What threads of a process share; *steady_s* is its clock that nobody sets, *stepped_s* as `Pacing` has it."""

    stepped_s: Callable[[], float]
    steady_s: Callable[[], float]
    punctuality: Punctuality
    turns: _Turns


@dataclass
class _Unused:
    """What one thread has booked for messages that were late: with its next booking others may have it."""

    _slots: list[tuple[Slots, Collection[str]]] = field(default_factory=list)

    def add(self, slots: Slots, late_ids: Collection[str]) -> None:
        """Take that these of the messages have not left."""
        if late_ids:
            self._slots.append((slots, late_ids))

    def release(self, subject: str, log: Log) -> Log:
        """Return the subject's log without them."""
        for slots, late_ids in self._slots:
            if subject in slots.limits:
                for message, cell in zip(slots.messages, slots.cells, strict=True):
                    if message.message_id in late_ids:
                        facts = slots.limits[subject].rate_tps, cell, message.segment_count, slots.patience
                        log = release(log, *facts)
        return log

    def clear(self) -> None:
        """Take that the logs are kept without them."""
        self._slots.clear()


class BatchPacing:
    """The moments of one lease of a batch; one thread's own."""

    def __init__(self, process: _Process, campaign: Campaign, clock: Callable[[], datetime]) -> None:
        self._process = process
        self._campaign = campaign
        self._clock = clock
        self._unused = _Unused()

    def book_one(
        self, session: Session, account_rate_tps: int, gateway: Observed, segment_count: int, *, is_patient: bool
    ) -> Slots:
        """
        Book one moment for so many segments that leave together; a *patient* one lets them leave some seconds late.

        The caller holds the account's lock, as for `find`.
        """
        together = OutboundMessage("", "", "", "", "", segment_count, "")
        own_tps = campaigns.get_terms(session, self._campaign.campaign_id).rate_tps
        slots = self.find(session, account_rate_tps, own_tps, gateway, [together], is_patient=is_patient)
        if slots.messages:
            self.keep(session, slots, self._clock())
        return slots

    def find(
        self,
        session: Session,
        account_rate_tps: int,
        own_rate_tps: int | None,
        gateway: Observed,
        window: Sequence[OutboundMessage],
        *,
        is_patient: bool = False,
    ) -> Slots:
        """
        Find moments for the longest beginning of *window* that may leave soon; `keep` books them.

        *own_rate_tps* is the campaign's own limit, None for none.
        The caller holds the account's lock (`accounts.lock_paced`) until its transaction ends.
        """
        rest_s = SET_REST_S - self._process.stepped_s()
        if rest_s > 0:
            return Slots(wait_s=rest_s)
        rates = _find_rates(session, self._campaign, account_rate_tps, own_rate_tps, gateway.name)
        limits = {
            subject: Limit(rate, self._unused.release(subject, departures.lock_log(session, subject, self._clock())))
            for subject, rate in rates.items()
        }
        known = [*limits.values()]
        # After the locks, for which others may have been waited.
        before_s = self._process.steady_s()
        now, now_s = self._clock(), self._process.steady_s()
        segments = [message.segment_count for message in window]
        far = (patience for share, patience in FAR if is_patient or is_wide(known, sum(segments), share, now))
        terms = self._terms(gateway, next(far, None))
        booking = book(known, segments, now, terms)
        if not booking.cells:
            return Slots(wait_s=booking.wait_s)
        # The thread may have had to rest while it read the two clocks: whichever moment the first was of, nothing
        # leaves before its cell, nor later than it may.
        offset_s = now_s - now.timestamp()
        moments = [offset_s + cell * CELL_S for cell in booking.cells]
        schedule = DepartureSchedule(moments, terms.patience * CELL_S - (now_s - before_s), self._process.steady_s)
        logs = dict(zip(limits, booking.logs, strict=True))
        return Slots(window[: len(moments)], schedule, 0.0, logs, limits, booking.cells, terms.patience, now)

    def keep(self, session: Session, slots: Slots, now: datetime) -> None:
        """Book the moments that were found, in the same transaction, and give back what late messages did not use."""
        for subject, log in slots.logs.items():
            departures.store_log(session, subject, log, now)
        self._unused.clear()
        campaign_id, segments = self._campaign.campaign_id, sum(message.segment_count for message in slots.messages)
        own = departures.of_campaign(campaign_id)
        shared_tps = min(limit.rate_tps for subject, limit in slots.limits.items() if subject != own)
        self._process.turns.note(campaign_id, segments, shared_tps)

    def note(self, slots: Slots, claimed: Sequence[OutboundMessage], late_ids: Collection[str]) -> None:
        """Take that of those *claimed* these were too late for their moments."""
        self._unused.add(slots, late_ids)
        self._process.punctuality.note(claimed, late_ids)

    def _terms(self, gateway: Observed, far_patience: int | None) -> Terms:
        """Return how the campaign's messages are to leave; *far_patience* is that where no limit is near."""
        lead, patience = self._process.punctuality.needs() if far_patience is None else (0, far_patience)
        if self._campaign.source is Source.QUICK_SEND:
            return Terms(lead, patience, EXPRESS_AHEAD, EXPRESS_WITHIN, gateway.per_request)
        ahead = self._process.turns.ahead(self._campaign.campaign_id)
        return Terms(lead, patience, ahead, WITHIN, gateway.per_request)


class BookingAgain:
    """
    Moments for what a gateway hands over once more while a sub-window is under way; of one lease of a batch.

    Halves of a request that was refused as a whole, parts of a long message that came too fast, the one message that
    tries whether a provider answers again: each leaves another time than was booked, and counts another time. The
    threads of the gateway share it, while the batch's own waits for them.
    """

    def __init__(
        self,
        state: State,
        pacing: BatchPacing,
        account_id: str,
        stop: threading.Event,
        lasts: timedelta,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the store, what paces the batch, whose limits it keeps to, what ends it, and how long to insist."""
        self._state = state
        self._pacing = pacing
        self._account_id = account_id
        self._stop = stop
        self._lasts = lasts
        self._steady_s = steady_s
        self._lock = threading.Lock()

    def book(self, gateway: Observed, segment_count: int, /, *, is_patient: bool) -> tuple[float, float] | None:
        """
        Book a moment for *segment_count* segments by the gateway, waiting for one that may be booked.

        Returns: As `core.gateways.departing.BookAgain`; None when the worker stops, or the store does not answer for as
        long as a lease lasts.
        """
        until_s = self._steady_s() + self._lasts.total_seconds()
        while not self._stop.is_set():
            try:
                slots = self._try(gateway, segment_count, is_patient=is_patient)
            except StorageError:
                log.warning("moment_not_booked", extra={"gateway": gateway.name}, exc_info=True)
                if self._steady_s() > until_s:
                    break
                slots = Slots(wait_s=NAP_MAX_S)
            if slots.messages:
                return slots.schedule.first
            self._stop.wait(min(slots.wait_s, NAP_MAX_S))
        return None

    def _try(self, gateway: Observed, segment_count: int, *, is_patient: bool) -> Slots:
        with self._lock, self._state.write() as session:
            rate_tps = accounts.lock_paced(session, self._account_id).rate_tps
            return self._pacing.book_one(session, rate_tps, gateway, segment_count, is_patient=is_patient)


def _find_rates(
    session: Session, campaign: Campaign, account_rate_tps: int, own_rate_tps: int | None, gateway: str
) -> dict[str, int]:
    """Return the limits there are, in the order in which they are locked, each with its segments per second."""
    rates = {departures.of_account(campaign.account_id): account_rate_tps}
    of_gateway = gateways.find_rate(session, gateway)
    if of_gateway is not None:
        rates[departures.of_gateway(gateway)] = of_gateway
    if own_rate_tps is not None:
        rates[departures.of_campaign(campaign.campaign_id)] = own_rate_tps
    return rates
