"""Refused callbacks are a line in the log once a minute, with how many there were: providers ask again for days."""

import logging
from collections import Counter
from datetime import datetime, timedelta

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)


class Refusals:
    """Counts what is refused, by what it is and the gateway. Belongs to one event loop."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._said_at = dict[tuple[str, str], datetime]()
        self._counts = Counter[tuple[str, str]]()

    def tell(self, event: str, gateway: str, reason: str, now: datetime) -> None:
        """Log it, or count it if the same was logged less than a minute ago; *reason* is that of the last one."""
        key = event, gateway
        self._counts[key] += 1
        said_at = self._said_at.get(key)
        if said_at is not None and timedelta(0) <= now - said_at < EVERY:
            return
        self._said_at[key] = now
        log.warning(event, extra={"gateway": gateway, "reason": reason, "count": self._counts.pop(key)})
