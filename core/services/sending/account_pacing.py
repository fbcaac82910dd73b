"""
Pacing an account: tokens from its stored bucket, by a clock that is the bucket's own.

Workers' clocks differ, and any of them may be set back. So a process reads its clock only for how long it is since it
looked last, and goes on from where the stored bucket stands: never behind it, and never by more than has passed here.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import ceil
from threading import Lock

from sqlalchemy.orm import Session

from core.domain.accounts.pacing import take
from core.domain.messages.messages import OutboundMessage
from core.domain.texts.segments import MAX_SEGMENTS
from core.state.accounts import accounts
from core.state.accounts.accounts import PacedAccount

# An account at its limit lets this many seconds' worth of tokens flow in before the next sub-window.
REFILL_S = 0.1
# What flows in for this long, and lies there, is more than those who send can spend. Less than half of a bucket, so
# that another thread comes before it overflows; more than there is between two sub-windows.
SPARE_S = 0.25


class AccountPacing:
    """One per process: what its threads know of the buckets' clocks."""

    def __init__(self) -> None:
        # By account: when it was looked at last, by this process's clock and by the bucket's own.
        self._seen: dict[str, tuple[datetime, datetime]] = {}
        self._lock = Lock()

    def take(
        self,
        session: Session,
        account_id: str,
        paced: PacedAccount,
        window: Sequence[OutboundMessage],
        clock: Callable[[], datetime],
    ) -> tuple[list[OutboundMessage], float]:
        """
        Take tokens for the longest beginning of *window* they pay for, and say how long to wait for the next.

        The caller holds the account's lock (`accounts.lock_bucket`) until its transaction ends.
        """
        now = self._bucket_time(account_id, paced.bucket.updated_at, clock)
        capacity = _capacity(paced)
        wanted = sum(message.segment_count for message in window)
        _, granted, _ = take(paced.bucket, wanted, paced.rate_tps, now, capacity)
        # Each sub-window costs a transaction: a handful of tokens is not worth one.
        least = min(wanted, max(window[0].segment_count, round(paced.rate_tps * REFILL_S)))
        if granted < least:
            return [], (least - granted) / paced.rate_tps
        taken = _affordable(window, granted)
        spent = sum(message.segment_count for message in taken)
        bucket, _, wait_s = take(paced.bucket, spent, paced.rate_tps, now, capacity)
        accounts.set_bucket(session, account_id, bucket)
        return taken, 0.0 if len(taken) == len(window) else wait_s

    def is_spare(self, account_id: str, paced: PacedAccount, clock: Callable[[], datetime]) -> bool:
        """Return whether tokens lie there that whoever sends for the account now leaves; nothing is taken."""
        now = self._bucket_time(account_id, paced.bucket.updated_at, clock)
        capacity = _capacity(paced)
        spare = ceil(min(capacity, paced.rate_tps * SPARE_S))
        return take(paced.bucket, spare, paced.rate_tps, now, capacity)[1] == spare

    def _bucket_time(self, account_id: str, stored: datetime, clock: Callable[[], datetime]) -> datetime:
        """Return what time it is for the bucket that is *stored* as of then."""
        # Who only looks holds no lock of the account's. Read before this one, his time could be older than what another
        # thread has seen meanwhile, and that thread's seconds would be counted a second time.
        with self._lock:
            now = clock()
            # How long ago somebody else wrote it cannot be told from his clock: what is seen first begins to fill now.
            looked_at, bucket_time = self._seen.get(account_id, (now, stored))
            # Where the stored one is further, another process has counted the same seconds.
            reckoned = max(stored, bucket_time + max(timedelta(0), now - looked_at))
            self._seen[account_id] = (now, reckoned)
            return reckoned


def _capacity(paced: PacedAccount) -> float:
    # A bucket smaller than the longest message would never let it through.
    return float(max(paced.rate_tps, MAX_SEGMENTS))


def _affordable(window: Sequence[OutboundMessage], granted: int) -> list[OutboundMessage]:
    """Return the longest beginning of *window* that *granted* segments pay for."""
    taken: list[OutboundMessage] = []
    for message in window:
        granted -= message.segment_count
        if granted < 0:
            break
        taken.append(message)
    return taken
