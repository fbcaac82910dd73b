"""Keeping gateways open: what they report comes at any time, also while nobody sends. Each worker process does so."""

import logging
import threading
from collections.abc import Callable

from core.gateways.gateways import Gateways

log = logging.getLogger(__name__)

# How often each gateway is told to stay connected; the versions it goes by come from the pulse.
KEEP_S = 1.0


class KeepingOpen:
    """A thread of its own: closing a gateway that was set up otherwise takes as long as its last answers."""

    def __init__(self, gateways: Gateways, tell: Callable[[], None], keep_s: float = KEEP_S) -> None:
        """Take the gateways, and what tells people what this process sees of them; nothing connects yet."""
        self._gateways = gateways
        self._tell = tell
        self._keep_s = keep_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeping open", daemon=True)

    def start(self) -> None:
        """Connect, and stay connected."""
        self._thread.start()

    def stop(self) -> None:
        """Connect nothing more; what is connected is closed with the application."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._keep_s):
            for step in (self._gateways.keep_open, self._tell):
                try:
                    step()
                except Exception:
                    # A defect of one gateway, or a store that does not answer. Without this thread none would ever be
                    # connected again.
                    log.exception("keeping_open_failed")
