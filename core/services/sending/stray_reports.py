"""
Stray reports: what came for nobody, or cannot be read, is kept where an administrator looks.

A provider that sends nothing but such things must fill neither the store nor the log: of each fault a few are kept in a
minute, and one line says how many there were.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.domain.messages.strays import Stray, StrayReason, mask_content
from core.domain.numbering.msisdn import mask_msisdn
from core.domain.people.permissions import Viewer
from core.errors import StorageError
from core.services.accounts.managing_accounts import require_administrator
from core.state.campaigns import receipts, strays
from core.state.engine.store import State

log = logging.getLogger(__name__)

# What stands for a fault is one of its kind in this time, by each process; so many of them are kept.
SPAN = timedelta(minutes=1)
MOST_IN_SPAN = 20
KEPT_FOR = timedelta(days=30)
# So many are shown.
SHOWN = 50
# So many of those that wait are counted.
COUNTED = 1_000


@dataclass
class _Fault:
    since: datetime
    count: int = 0
    untold: int = 0


class StrayReports:
    """Threads share it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._faults: dict[tuple[str, StrayReason], _Fault] = {}
        self._lock = threading.Lock()

    def keep(self, came: Sequence[Stray], more: int = 0) -> None:
        """
        Keep what came, unless there is much of it just now; so many *more* came like each, and are only counted.

        What the store does not take is lost, and logged.
        """
        kept = [stray for stray in came if self._is_worth_keeping(stray, more)]
        if not kept:
            return
        try:
            with self._state.write() as session:
                strays.add_strays(session, kept)
        except StorageError as error:
            log.warning("strays_not_kept", extra={"count": len(kept), "reason": error.message})

    def list_newest(self, viewer: Viewer, gateway: str) -> tuple[Stray, ...]:
        """Return what came by the gateway, the newest first; numbers masked for who may not see them."""
        require_administrator(viewer)
        with self._state.read() as session:
            found = strays.list_newest(session, gateway, SHOWN)
        return found if viewer.sees_numbers else tuple(map(_masked, found))

    def count_waiting(self, viewer: Viewer, gateway: str) -> int:
        """
        Return how many receipts of the gateway have found no message yet, `COUNTED` where there are as many or more.

        Each is tried again for some days, and kept here if it finds none. Raises: Forbidden: not an administrator.
        """
        require_administrator(viewer)
        with self._state.read() as session:
            return receipts.count_unmatched(session, gateway, COUNTED)

    def forget(self, now: datetime) -> int:
        """Delete what came long ago; return how much that was."""
        with self._state.write() as session:
            return strays.delete_old(session, now - KEPT_FOR)

    def _is_worth_keeping(self, stray: Stray, more: int) -> bool:
        key = stray.gateway, stray.reason
        with self._lock:
            fault = self._faults.get(key)
            is_new = fault is None or not timedelta(0) <= stray.came_at - fault.since < SPAN
            if fault is None or is_new:
                untold = fault.untold if fault else 0
                fault = self._faults[key] = _Fault(stray.came_at)
            fault.count += 1
            fault.untold += more if is_new else 1 + more
        if is_new:
            facts = {"gateway": stray.gateway, "reason": stray.reason.value, "before": untold}
            log.warning("stray_kept", extra=facts)
        return fault.count <= MOST_IN_SPAN


def _masked(stray: Stray) -> Stray:
    sender, receiver = (mask_msisdn(each) if each else "" for each in (stray.sender, stray.receiver))
    return replace(stray, content=mask_content(stray.content), sender=sender, receiver=receiver)
