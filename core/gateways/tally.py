"""What comes and goes by the gateways of a process, and what went wrong: counted here, told elsewhere."""

import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from core.domain.gateways.sights import SeenFault

# Of the errors of one gateway the last ones are kept.
FAULTS_MOST = 5


class Tally:
    """Counts since the process began, by the gateway's name. Threads share it."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._lock = threading.Lock()
        self._submitted, self._receipts = Counter[str](), Counter[str]()
        # The newest first.
        self._faults = defaultdict[str, tuple[SeenFault, ...]](tuple)

    def count_submitted(self, gateway: str, messages: int) -> None:
        """Take that so many *messages* have left by the gateway."""
        with self._lock:
            self._submitted[gateway] += messages

    def count_receipts(self, counts: Mapping[str, int]) -> None:
        """Take that so many receipts have come, by gateway."""
        with self._lock:
            self._receipts.update(counts)

    def note_fault(self, gateway: str, text: str, now: datetime) -> None:
        """Take why the gateway as a whole took nothing; what was said last already is noted once."""
        with self._lock:
            last, *older = self._faults[gateway] or (None,)
            if last is not None and last.text == text:
                self._faults[gateway] = (replace(last, last_at=now), *older)
            else:
                self._faults[gateway] = (SeenFault(text, now, now), *self._faults[gateway])[:FAULTS_MOST]

    def counts(self) -> Mapping[str, tuple[int, int]]:
        """Return by gateway how many messages have left and how many receipts have come."""
        with self._lock:
            names = {*self._submitted, *self._receipts}
            return {name: (self._submitted[name], self._receipts[name]) for name in names}

    def list_faults(self, gateway: str) -> tuple[SeenFault, ...]:
        """Return what went wrong last, the newest first."""
        with self._lock:
            return self._faults.get(gateway, ())
