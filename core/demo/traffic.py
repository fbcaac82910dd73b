"""Drawing the demo company's messages: when, to whom, how long, at what price, with what end."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.demo.company import HOURS, RANGES, WEEKDAYS
from core.demo.people import Drawn, Ints, destinations, place_columns
from core.domain.messages import DeliveryStatus
from core.gateways.simulator.profiles import FAILURES, profile_of
from core.history.schema import MESSAGE_SCHEMA

Floats = npt.NDArray[np.float64]

# A quarter more traffic at the end of the period than at its beginning.
GROWTH = 0.25
LOST_RATE = 0.03
_DAY_US = 86_400_000_000
_HEX = 16


@dataclass(frozen=True)
class Sender:
    """What a batch of messages has in common; *senders* are drawn from evenly."""

    account_id: str
    campaign_id: str
    source: str
    senders: tuple[str, ...]
    gateway: str


def rhythm(generator: np.random.Generator, count: int, now: datetime, days: int) -> Ints:
    """Draw *count* moments (microseconds since 1970, sorted) in the *days* before *now*, by hour and weekday."""
    first = (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    hours = [first + timedelta(hours=index) for index in range(days * 24 + 2)]
    hours = [hour for hour in hours if hour < now]
    weights = np.array(
        [
            HOURS[hour.hour] * WEEKDAYS[hour.weekday()] * (1 + GROWTH * index / len(hours))
            for index, hour in enumerate(hours)
        ]
    )
    # The hour that has only begun gets its share of an hour.
    weights[-1] *= (now - hours[-1]).total_seconds() / 3600
    chosen = generator.choice(len(hours), size=count, p=weights / weights.sum())
    starts = np.array([_microseconds(hour) for hour in hours])
    lengths = np.full(len(hours), 3_600_000_000)
    lengths[-1] = _microseconds(now) - starts[-1]
    return np.sort(starts[chosen] + (generator.random(count) * lengths[chosen]).astype(np.int64))


def burst(generator: np.random.Generator, count: int, start: datetime, per_second: float) -> Ints:
    """Return the moments of a campaign that starts at *start* and sends *per_second*, with a little jitter."""
    even = np.arange(count) / per_second * 1_000_000
    return np.sort(_microseconds(start) + (even + generator.random(count) * 50_000).astype(np.int64))


def message_table(
    generator: np.random.Generator, sender: Sender, moments: Ints, drawn: Drawn, *, seed: int, now: datetime
) -> pa.Table:
    """Return the messages (`MESSAGE_SCHEMA`), those too young to have a receipt still Submitted."""
    count = len(moments)
    status, error_code, delivered = _ends(generator, moments, drawn.ranges, seed, _microseconds(now))
    unicode = generator.random(count) < 0.08
    segments = 1 + (generator.random(count) < 0.12).astype(np.int32) + unicode * (generator.random(count) < 0.3)
    unit_prices = np.array([int(area.price_eur_cents * 10_000) for area in RANGES])
    ids = _uuid7(generator, moments)
    columns = {
        "message_id": ids,
        "sent_at": pa.array(moments, pa.timestamp("us", tz="UTC")),
        "account": [sender.account_id] * count,
        "campaign_id": [sender.campaign_id] * count,
        "source": [sender.source] * count,
        "receiver": drawn.msisdns,
        "sender": [sender.senders[pick] for pick in generator.integers(0, len(sender.senders), size=count)],
        **place_columns(drawn.ranges),
        "delivery_status": status,
        "error_code": error_code,
        "delivered_at": pa.array(delivered, pa.timestamp("us", tz="UTC"), mask=delivered == 0),
        "price_eur_cents": pa.array(unit_prices[drawn.ranges] * segments / 10_000).cast(pa.decimal128(12, 4)),
        "segment_count": pa.array(segments, pa.int32()),
        "unicode": unicode,
        "gateway": [sender.gateway] * count,
        "gateway_message_id": [f"demo-{message_id}" for message_id in ids],
    }
    return pa.table(columns, schema=MESSAGE_SCHEMA)


def _ends(
    generator: np.random.Generator, moments: Ints, ranges: Ints, seed: int, now_us: int
) -> tuple[list[str], list[str], Ints]:
    """Return delivery_status, error_code and delivered_at (microseconds, 0 where there is no receipt yet)."""
    count = len(moments)
    profiles = [profile_of(seed, place.mccmnc) for place in destinations()]
    medians = np.array([profile.median_delay_s for profile in profiles])[ranges]
    sigmas = np.array([profile.delay_sigma for profile in profiles])[ranges]
    failing = np.array([profile.undelivered_rate for profile in profiles])[ranges]
    failed = generator.random(count) < failing
    delays_s = medians * np.exp(sigmas * generator.standard_normal(count)) * np.where(failed, 10, 1)
    delivered = moments + (delays_s * 1_000_000).astype(np.int64)
    waiting = (generator.random(count) < LOST_RATE) | (delivered > now_us)
    codes = generator.choice(len(FAILURES), size=count, p=[weight for _, _, weight in FAILURES])
    status = np.where(failed, DeliveryStatus.UNDELIVERED.value, DeliveryStatus.DELIVERED.value)
    status = np.where(waiting, DeliveryStatus.SUBMITTED.value, status)
    wrong = failed & ~waiting
    error_code = [FAILURES[code][1] if is_wrong else "" for code, is_wrong in zip(codes, wrong, strict=True)]
    return status.tolist(), error_code, np.where(waiting, 0, delivered)


def _uuid7(generator: np.random.Generator, moments: Ints) -> list[str]:
    """Return UUIDv7 texts for the moments: 48 bits of milliseconds, the rest drawn."""
    drawn = generator.bytes(10 * len(moments)).hex()
    width = 20
    found = []
    for index, milliseconds in enumerate((moments // 1_000).tolist()):
        head, tail = f"{milliseconds:012x}", drawn[index * width : (index + 1) * width]
        variant = "89ab"[int(tail[3], _HEX) & 3]
        found.append(f"{head[:8]}-{head[8:]}-7{tail[:3]}-{variant}{tail[4:7]}-{tail[7:19]}")
    return found


def _microseconds(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
