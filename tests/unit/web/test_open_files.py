"""As many files may be open as the administrator lets, and not as the shell happens to say."""

import resource

import pytest

from core.web import open_files
from core.web.open_files import ENOUGH, raise_most_files


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ((1_024, 4_096), 4_096),
        ((1_024, 1 << 20), ENOUGH),
        ((1_024, resource.RLIM_INFINITY), ENOUGH),
        ((ENOUGH, 1 << 20), None),
        ((1 << 20, 1 << 20), None),
        ((4_096, 4_096), None),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), None),
    ],
)
def test_the_limit_is_raised_as_far_as_it_may_and_helps(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], wanted: int | None
):
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(open_files.resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(open_files.resource, "setrlimit", lambda _, both: told.append(both))
    raise_most_files()
    assert told == ([] if wanted is None else [(wanted, limits[1])])


def test_a_limit_that_cannot_be_raised_stops_nothing(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    def refuse(*_: object) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(open_files.resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(open_files.resource, "setrlimit", refuse)
    raise_most_files()
    assert [record.message for record in caplog.records] == ["open_files_not_raised"]
