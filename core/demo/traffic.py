"""Drawing the demo company's messages: when, to whom, how long, at what price, with what end."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.demo.company import CITIES, FIRST_NAMES, HOURS, RANGES, WEEKDAYS, DemoCampaign
from core.demo.people import Flags, Ints, People, destinations, place_columns
from core.domain.messages.messages import DeliveryStatus
from core.domain.texts.encoding import Encoding
from core.domain.texts.placeholders import parse_template, render
from core.domain.texts.segments import measure
from core.gateways.simulator.profiles import FAILURES, profile_of
from core.history.lake.schema import MESSAGE_SCHEMA

Floats = npt.NDArray[np.float64]

# A quarter more traffic at the end of the first period than at its beginning.
GROWTH = 0.25
LOST_RATE = 0.03
# Of the messages no campaign makes, whose texts are not known.
UNICODE_RATE, SECOND_SEGMENT_RATE = 0.08, 0.15
_HOUR = timedelta(hours=1)
_HEX = 16


@dataclass(frozen=True)
class Sender:
    """What a batch of messages has in common; *senders* are drawn from evenly."""

    account_id: str
    campaign_id: str
    source: str
    senders: tuple[str, ...]
    gateway: str


@dataclass(frozen=True)
class Lengths:
    """For each message whether it is unicode, and how many segments it has."""

    unicode: Flags
    segments: Ints


@dataclass(frozen=True)
class Traffic:
    """Messages to be: *moments* in microseconds since 1970, rising, and to each its receiver and its length."""

    moments: Ints
    people: People
    lengths: Lengths


def weigh(start: datetime, end: datetime) -> float:
    """Return how much traffic there is between *start* and *end*, relative to other such spans; growth apart."""
    return float(_hours(start, end)[1].sum())


def rhythm(generator: np.random.Generator, count: int, start: datetime, end: datetime, *, growth: float = 0.0) -> Ints:
    """Draw *count* moments (microseconds since 1970, sorted) from *start* to *end*, by hour and weekday."""
    hours, weights = _hours(start, end)
    weights = weights * (1 + growth * np.arange(len(hours)) / len(hours))
    chosen = generator.choice(len(hours), size=count, p=weights / weights.sum())
    starts = np.array([_microseconds(max(hour, start)) for hour in hours])
    ends = np.array([_microseconds(min(hour + _HOUR, end)) for hour in hours])
    lengths = (ends - starts)[chosen]
    return np.sort(starts[chosen] + (generator.random(count) * lengths).astype(np.int64))


def burst(generator: np.random.Generator, count: int, start: datetime, per_second: float) -> Ints:
    """Return the moments of a campaign that starts at *start* and sends *per_second*, with a little jitter."""
    even = np.arange(count) / per_second * 1_000_000
    return np.sort(_microseconds(start) + (even + generator.random(count) * 50_000).astype(np.int64))


def draw_lengths(generator: np.random.Generator, count: int) -> Lengths:
    """Draw the lengths of messages whose texts are not known."""
    unicode = generator.random(count) < UNICODE_RATE
    return Lengths(unicode, 1 + (generator.random(count) < SECOND_SEGMENT_RATE).astype(np.int64))


def measure_texts(item: DemoCampaign, people: People) -> Lengths:
    """Measure the campaign's text for each of the people."""
    parts = parse_template(item.message, item.placeholders)
    found = [[measure(render(parts, {"FirstName": name, "City": city})) for city in CITIES] for name in FIRST_NAMES]
    unicode = np.array([[text.encoding is Encoding.UCS2 for text in row] for row in found])
    segments = np.array([[text.segment_count for text in row] for row in found])
    return Lengths(unicode[people.names, people.cities], segments[people.names, people.cities])


def message_table(
    generator: np.random.Generator, sender: Sender, traffic: Traffic, *, seed: int, now: datetime
) -> pa.Table:
    """Return the messages (`MESSAGE_SCHEMA`); at *now*, those whose receipt has not come yet are Submitted."""
    moments, people, segments = traffic.moments, traffic.people, traffic.lengths.segments
    count = len(moments)
    status, error_code, delivered = _ends(generator, traffic, seed, _microseconds(now))
    unit_prices = np.array([int(area.price_eur_cents * 10_000) for area in RANGES])
    ids = _uuid7(generator, moments)
    columns = {
        "message_id": ids,
        "sent_at": pa.array(moments, pa.timestamp("us", tz="UTC")),
        "account": [sender.account_id] * count,
        "campaign_id": [sender.campaign_id] * count,
        "source": [sender.source] * count,
        "receiver": people.msisdns,
        "sender": [sender.senders[pick] for pick in generator.integers(0, len(sender.senders), size=count)],
        **place_columns(people.ranges),
        "delivery_status": status,
        "error_code": error_code,
        "delivered_at": pa.array(delivered, pa.timestamp("us", tz="UTC"), mask=delivered == 0),
        "price_eur_cents": pa.array(unit_prices[people.ranges] * segments / 10_000).cast(pa.decimal128(12, 4)),
        "segment_count": pa.array(segments, pa.int32()),
        "unicode": traffic.lengths.unicode,
        "gateway": [sender.gateway] * count,
        "gateway_message_id": [f"demo-{message_id}" for message_id in ids],
    }
    return pa.table(columns, schema=MESSAGE_SCHEMA)


def _hours(start: datetime, end: datetime) -> tuple[list[datetime], Floats]:
    """Return the full hours that *start* to *end* touches and the weight of each, of a broken one its share."""
    first = start.replace(minute=0, second=0, microsecond=0)
    hours = [first + index * _HOUR for index in range((end - first) // _HOUR + 1)]
    weights = [
        HOURS[hour.hour] * WEEKDAYS[hour.weekday()] * ((min(hour + _HOUR, end) - max(hour, start)) / _HOUR)
        for hour in hours
    ]
    return hours, np.array(weights)


def _ends(
    generator: np.random.Generator, traffic: Traffic, seed: int, now_us: int
) -> tuple[list[str], list[str], Ints]:
    """Return delivery_status, error_code and delivered_at (microseconds, 0 where there is no receipt yet)."""
    moments, ranges = traffic.moments, traffic.people.ranges
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
