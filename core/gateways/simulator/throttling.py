"""
Throttling, as a provider does it: a token bucket in segments, which lets a burst pass after a rest.

A bucket is a value: whoever keeps it takes, and keeps what `take` returned. In any stretch of t seconds it grants at
most its capacity plus rate * t. What Heliograph itself sends keeps to its limits otherwise: see
`core.domain.accounts.departures`.
"""

from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, isfinite

from core.errors import ConfigurationError

# Those who ask disagree a little about the time. A bucket further in the future than this was written before the clock
# was set back, and must not block until the old time comes round again.
MAX_CLOCK_SKEW_S = 60.0

# Adding up fractions may miss a whole token by less than this.
_ROUNDING = 1e-6
_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Bucket:
    """*tokens* (segments that may leave at once) as of *updated_at* (aware UTC)."""

    tokens: float
    updated_at: datetime


def take(
    bucket: Bucket,
    wanted: int,
    rate_tps: float,
    now: datetime,
    capacity: float | None = None,
) -> tuple[Bucket, int, float]:
    """
    Take up to *wanted* tokens.

    Nothing is spent until the returned bucket is stored: a sender that can use only some of what it was granted (whole
    messages) calls again with that number and stores the second answer.

    Args:
        bucket: As it was stored, whatever the rate was then.
        wanted: Segments, 0 or more; 0 only asks how long to wait.
        rate_tps: Segments per second, above 0.
        now: A clock that goes backwards mints nothing.
        capacity: Most tokens a rest can save up, 1 or more; by default one second of *rate_tps*, at least 1. Sending
            a message whole needs a capacity of its segments.

    Returns: The bucket afterwards; how many tokens were granted, 0 to *wanted*; and seconds until one more can be, 0
        when it can be at once.
    Raises: ConfigurationError: *rate_tps* or *capacity* is no such number. ValueError: *wanted* is negative.
    """
    if wanted < 0:
        raise ValueError(f"wanted is {wanted}")
    capacity = _check_capacity(rate_tps, capacity)
    filled = _refill(bucket, rate_tps, now, capacity)
    granted = min(wanted, floor(filled.tokens + _ROUNDING))
    left = Bucket(filled.tokens - granted, filled.updated_at)
    return left, granted, _wait_s(left, rate_tps, now)


def _check_capacity(rate_tps: float, capacity: float | None) -> float:
    if not (isfinite(rate_tps) and rate_tps > 0):
        raise ConfigurationError(
            f"The sending rate is {rate_tps} segments per second.",
            hint="Set a rate above 0.",
        )
    if capacity is None:
        return max(1.0, rate_tps)
    if not (isfinite(capacity) and capacity >= 1):
        raise ConfigurationError(
            f"The sending burst is {capacity} segments.", hint="Set a burst of at least 1 segment."
        )
    return capacity


def _refill(bucket: Bucket, rate_tps: float, now: datetime, capacity: float) -> Bucket:
    elapsed_s = (now - bucket.updated_at).total_seconds()
    if elapsed_s < -MAX_CLOCK_SKEW_S:
        # Starting empty mints nothing even if the clock was set back.
        return Bucket(0.0, now)
    if elapsed_s <= 0:
        # The later time is kept, so that going back and forth does not count the same second twice.
        return Bucket(min(bucket.tokens, capacity), bucket.updated_at)
    return Bucket(min(bucket.tokens + elapsed_s * rate_tps, capacity), now)


def _wait_s(bucket: Bucket, rate_tps: float, now: datetime) -> float:
    missing = 1 - bucket.tokens
    if missing <= _ROUNDING:
        return 0.0
    behind_s = (bucket.updated_at - now).total_seconds()
    # Clocks tick in microseconds: a wait rounded down would wake its caller just too early, again and again.
    return ceil((behind_s + missing / rate_tps) * _MICROSECONDS) / _MICROSECONDS
