"""Waiting for what threads and other processes do."""

import time
from collections.abc import Callable

# Promised is less; tests share their machine with others.
PATIENCE_S = 120


def wait_until(condition: Callable[[], bool], what: str, pause_s: float = 0.05) -> None:
    """Look every *pause_s* seconds until *condition* holds; fail, saying *what* did not come, after `PATIENCE_S`."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s in vain until {what}"
        time.sleep(pause_s)
