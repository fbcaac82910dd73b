"""Delays from sending to delivery, in a histogram that can be added up: exact counts, quantiles within a bound."""

import math

# A bucket ends at FIRST_END_S * GROWTH ** bucket seconds and begins where the one before it ends; the first holds all
# that is shorter, negative delays of clocks that differ included, and the last all that is longer (75 days).
FIRST_END_S = 0.1
GROWTH = 1.2
LAST_BUCKET = 100
# A quantile is the middle of its bucket: this much too high or too low at most, as a share of the true value.
MOST_ERROR = math.sqrt(GROWTH) - 1
MEDIAN, HIGH = 0.5, 0.95


def bucket_middle(bucket: int) -> float:
    """Return the geometric middle of *bucket* in seconds; the first one's is its end."""
    return FIRST_END_S * GROWTH ** (bucket - 0.5 if bucket else 0)
