"""The simulator as a gateway: throttles, refuses, goes silent and reports as its profiles say."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import uuid_utils

from core.config import Settings
from core.domain.gateways.gateways import SIMULATOR
from core.domain.gateways.sights import InUse
from core.domain.messages.messages import OutboundMessage, Receipt, SubmitOutcome, SubmitResult
from core.domain.texts.segments import MAX_SEGMENTS
from core.errors import BadCredentials, GatewayError, Unavailable
from core.gateways.departing import AT_ONCE, DepartureSchedule
from core.gateways.simulator.accepted import Accepted
from core.gateways.simulator.journal import Journal, OwedReceipt, add_accepted, bring_forward, set_bucket
from core.gateways.simulator.profiles import NetworkProfile, fate_of, profile_of
from core.gateways.simulator.throttling import MAX_CLOCK_SKEW_S, Bucket, take

NAME = SIMULATOR
# Generous: what throttles a campaign should be the account's own rate.
MAX_TPS = 50_000
CLOCK_SKEW = timedelta(seconds=MAX_CLOCK_SKEW_S)
# What the journal may hold.
_TAKEN = frozenset({SubmitOutcome.ACCEPTED, SubmitOutcome.UNKNOWN, SubmitOutcome.REJECTED})


@dataclass
class Faults:
    """Switches for tests, off by default."""

    unavailable: bool = False
    bad_credentials: bool = False
    # Everything is taken, but no answer arrives.
    silent: bool = False


@dataclass(frozen=True)
class Behavior:
    """
    *speed* divides delays (2: twice as fast). *max_tps* is in segments per second.

    An answer takes *answer_s* longer than it must, as one from far away does.
    """

    seed: int
    speed: float = 1.0
    answer_s: float = 0.0
    max_tps: int = MAX_TPS
    profile_of: Callable[[int, str], NetworkProfile] = profile_of


class SimulatorGateway:
    """Takes messages into its journal in one transaction, then answers."""

    name = NAME

    def __init__(self, path: Path, behavior: Behavior) -> None:
        """Take where the journal is and how to behave."""
        self.journal = Journal(path)
        self.faults = Faults()
        self._behavior = behavior

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the simulator of an installation."""
        return cls(
            settings.simulator_path,
            Behavior(settings.seed, settings.simulator_speed, settings.simulator_answer_ms / 1000),
        )

    @property
    def window(self) -> int:
        """Whatever is handed over is one transaction of its log."""
        return MAX_TPS

    @property
    def per_request(self) -> int:
        """Each by itself; see `Gateway.per_request`."""
        return 1

    def submit(
        self, messages: Sequence[OutboundMessage], now: datetime, schedule: DepartureSchedule = AT_ONCE
    ) -> list[SubmitResult]:
        """Take, refuse or throttle; see `Gateway.submit`."""
        self._refuse_if_broken()
        if not messages:
            return []
        begin_s = time.monotonic()
        results: list[SubmitResult] = []
        for departure in schedule.depart(messages):
            since_s = 0.0 if schedule is AT_ONCE else time.monotonic() - begin_s
            if departure.is_late(begin_s + since_s):
                results += [SubmitResult(message.message_id, SubmitOutcome.LATE, now) for message in departure.messages]
                continue
            try:
                results += self._submit(departure.messages, now + timedelta(seconds=since_s))
            except GatewayError:
                if not any(result.outcome in _TAKEN for result in results):
                    raise
                # Of these nothing has left, but something has of those before.
                rest = messages[len(results) :]
                results += [SubmitResult(message.message_id, SubmitOutcome.THROTTLED, now) for message in rest]
                break
        if self._behavior.answer_s:
            time.sleep(self._behavior.answer_s)
        return results

    def _submit(self, messages: Sequence[OutboundMessage], now: datetime) -> list[SubmitResult]:
        self._refuse_if_broken()
        self._follow_back(now)
        taken: list[Accepted] = []
        owed: list[OwedReceipt] = []
        with self.journal.write() as connection:
            bucket, admitted_count, wait_s = self._admit(messages, now)
            results = [self._take(message, now, taken, owed) for message in messages[:admitted_count]]
            add_accepted(connection, taken, owed)
            set_bucket(connection, bucket)
        throttled = [
            SubmitResult(message.message_id, SubmitOutcome.THROTTLED, now, retry_after_s=wait_s)
            for message in messages[admitted_count:]
        ]
        return results + throttled

    def may_have_receipts(self, now: datetime) -> bool:
        """Return whether any is due, or owed in another time, or nobody knows; see `Gateway.may_have_receipts`."""
        try:
            return self.faults.unavailable or bool(self.journal.list_due(1, now)) or self._ahead(now) > CLOCK_SKEW
        except Unavailable:
            return True

    def fetch_receipts(self, limit: int, now: datetime) -> list[tuple[str, Receipt]]:
        """Return due receipts; see `Gateway.fetch_receipts`."""
        if self.faults.unavailable:
            raise Unavailable("The simulator is switched off.", gateway=NAME)
        self._follow_back(now)
        return [
            (str(token), Receipt(NAME, owed.gateway_message_id, owed.state, owed.error_code, owed.due_at))
            for token, owed in self.journal.list_due(limit, now)
        ]

    def acknowledge(self, tokens: Sequence[str]) -> None:
        """Forget receipts; see `Gateway.acknowledge`."""
        self.journal.acknowledge([int(token) for token in tokens])

    def try_out(self) -> str:
        """Return in words that its log can be written. Raises: Unavailable."""
        self._refuse_if_broken()
        with self.journal.write():
            return "The simulator answers. Nothing that is sent by it leaves this installation."

    def keep_open(self) -> None:
        """Nothing is to be kept open: every call opens its log."""

    def links(self) -> tuple[()]:
        """Return none; see `Gateway.links`."""
        return ()

    def in_use(self) -> InUse:
        """Return nothing: it answers at once; see `Gateway.in_use`."""
        return InUse()

    def try_now(self) -> None:
        """Nothing is put off."""

    def close(self) -> None:
        """Nothing is open; see `Gateway.close`."""

    def _refuse_if_broken(self) -> None:
        if self.faults.unavailable:
            raise Unavailable("The simulator is switched off.", gateway=NAME)
        if self.faults.bad_credentials:
            raise BadCredentials("The simulator refuses these credentials.", gateway=NAME, provider_code="0x0000000E")

    def _follow_back(self, now: datetime) -> None:
        """After the clock was set back, let no owed receipt wait for the old time: all are due earlier by as much."""
        if self._ahead(now) > CLOCK_SKEW:
            with self.journal.write() as connection:
                # Looked at again behind the lock: another process may have done so.
                ahead = self._ahead(now)
                if ahead > CLOCK_SKEW:
                    bring_forward(connection, ahead)
                    set_bucket(connection, Bucket(0.0, now))

    def _ahead(self, now: datetime) -> timedelta:
        """Return how far in the future the journal's last message was taken."""
        bucket = self.journal.find_bucket()
        return bucket.updated_at - now if bucket else timedelta(0)

    def _admit(self, messages: Sequence[OutboundMessage], now: datetime) -> tuple[Bucket, int, float]:
        """Return the bucket after this call, how many messages get in, and how long the others should wait."""
        rate = self._behavior.max_tps
        # A bucket smaller than the longest message would never let it through.
        capacity = float(max(rate, MAX_SEGMENTS))
        bucket = self.journal.find_bucket() or Bucket(capacity, now)
        wanted = sum(message.segment_count for message in messages)
        _, granted, _ = take(bucket, wanted, rate, now, capacity)
        spent = count = 0
        for message in messages:
            if spent + message.segment_count > granted:
                break
            spent += message.segment_count
            count += 1
        bucket, _, _ = take(bucket, spent, rate, now, capacity)
        missing = messages[count].segment_count if count < len(messages) else 0
        return bucket, count, missing / rate

    def _take(
        self, message: OutboundMessage, now: datetime, taken: list[Accepted], owed: list[OwedReceipt]
    ) -> SubmitResult:
        profile = self._behavior.profile_of(self._behavior.seed, message.mccmnc)
        fate = fate_of(self._behavior.seed, message.message_id, profile)
        if fate.refusal:
            return SubmitResult(message.message_id, SubmitOutcome.REJECTED, now, error_code=fate.refusal)
        key = uuid_utils.uuid7().hex
        taken.append(Accepted(key, message.message_id, message.msisdn, message.sender_id, message.segment_count, now))
        for delay_s, state, error_code in fate.receipts:
            due_at = now + timedelta(seconds=delay_s / self._behavior.speed)
            owed.append(OwedReceipt(key, state, error_code, due_at))
        if fate.silent or self.faults.silent:
            return SubmitResult(message.message_id, SubmitOutcome.UNKNOWN, now)
        return SubmitResult(message.message_id, SubmitOutcome.ACCEPTED, now, gateway_message_id=key)
