"""A lease is lost only where the work goes on without it."""

import threading
from collections.abc import Iterable

import pytest

from core.services.leases import beat


class Ending(threading.Event):
    """Answers each wait as told: whether the work has ended by then."""

    def __init__(self, answers: Iterable[bool]) -> None:
        super().__init__()
        self._answers = iter(answers)

    def wait(self, _timeout: float | None = None) -> bool:
        return next(self._answers)


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_work_that_has_just_settled_its_batch_has_lost_nothing(caplog: pytest.LogCaptureFixture):
    beat(lambda: False, 1, Ending([False, True]))
    assert logged(caplog) == []


def test_work_that_goes_on_without_its_lease_has_lost_it(caplog: pytest.LogCaptureFixture):
    beat(lambda: False, 1, Ending([False, False]))
    assert logged(caplog) == ["lease_lost"]


def test_a_lease_is_renewed_until_the_work_ends(caplog: pytest.LogCaptureFixture):
    renewals = []
    beat(lambda: renewals.append(1) is None, 1, Ending([False, False, True]))
    assert len(renewals) == 2
    assert logged(caplog) == []
