import threading

import pytest

from jobs.keeping_open import KeepingOpen

PATIENCE_S = 30


class Gateways:
    """Counts how often they were to be kept open; the first time something breaks."""

    def __init__(self) -> None:
        self.count = 0
        self.again = threading.Event()

    def keep_open(self) -> None:
        self.count += 1
        if self.count == 1:
            raise ZeroDivisionError
        self.again.set()


def test_gateways_are_kept_open_until_it_is_stopped_whatever_breaks(caplog: pytest.LogCaptureFixture):
    gateways = Gateways()
    keeping = KeepingOpen(gateways, lambda: None, keep_s=0.001)
    keeping.start()
    assert gateways.again.wait(PATIENCE_S)
    keeping.stop()
    keeping._thread.join(PATIENCE_S)
    assert not keeping._thread.is_alive()
    assert "keeping_open_failed" in {record.getMessage() for record in caplog.records}
