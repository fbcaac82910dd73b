"""How much those without a session may ask, by the address they come from: so much at once, then so much a second."""

from collections import OrderedDict
from datetime import datetime

from core.domain.people.browsers import network_of

# A log-in with all it loads is some ten requests, and a company may share one address.
AT_ONCE, PER_SECOND = 300, 5
# More addresses than this are not remembered: whoever has so many is not held up by counting them.
MOST_ADDRESSES = 10_000


class Visitors:
    """A bucket for each address; of IPv6 for each network. Each web process counts for itself."""

    def __init__(self) -> None:
        # Requests that are left, and when that was so; the address that asked last is at the end.
        self._buckets: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def admits(self, address: str, now: datetime) -> bool:
        """Count a request. Return whether it may be answered."""
        key = network_of(address)
        left, seen_at = self._buckets.pop(key, (float(AT_ONCE), now))
        # A clock that was set back takes nothing away.
        left = min(AT_ONCE, left + max(0.0, (now - seen_at).total_seconds()) * PER_SECOND)
        self._buckets[key] = (max(0.0, left - 1), now)
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return left >= 1
