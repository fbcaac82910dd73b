"""The writer's lock of a lake on this machine: those who wait for it take turns."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from core.doorways import doorway, is_someone_in
from core.errors import StorageError
from core.history.catalog import locks
from core.history.catalog.locks import FileGate, FileLock
from tests.support.processes.waiting import wait_until

PATIENCE_S = 20


def test_who_waits_for_the_lock_has_it_before_who_has_just_let_it_go(tmp_path: Path):
    path, held = tmp_path / "lock", []

    def hold(who: str) -> None:
        with FileLock(path).hold(PATIENCE_S):
            held.append(who)

    waiting = threading.Thread(target=hold, args=("theirs",))
    with FileLock(path).hold(0):
        held.append("ours")
        waiting.start()
        wait_until(lambda: is_someone_in(path), "somebody stands in the doorway", pause_s=0.002)
    hold("ours again")
    waiting.join()
    assert held == ["ours", "theirs", "ours again"]


def test_who_was_stopped_while_next_to_have_the_lock_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(locks, "DOORWAY_S", 0.01)
    path = tmp_path / "lock"
    with doorway(path, 0), FileLock(path).hold(PATIENCE_S):
        assert is_someone_in(path)


def test_who_reads_waits_for_a_gate_that_is_closed_and_not_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(locks, "GATE_PATIENCE_S", PATIENCE_S)
    inside, read = threading.Event(), threading.Event()

    def enter() -> None:
        with FileGate(tmp_path).enter():
            inside.set()
            read.wait(PATIENCE_S)

    reading = threading.Thread(target=enter)
    with FileGate(tmp_path).closed(0):
        reading.start()
        assert not inside.wait(0.05)
    # As soon as it is open; several are inside together.
    assert inside.wait(PATIENCE_S)
    with FileGate(tmp_path).enter():
        read.set()
    reading.join()
    # Whoever closed it was stopped within.
    monkeypatch.setattr(locks, "GATE_PATIENCE_S", 0.1)
    with (
        FileGate(tmp_path).closed(0),
        pytest.raises(StorageError, match="has been closed") as caught,
        FileGate(tmp_path).enter(),
    ):
        pass
    assert "let it go on, or end it" in (caught.value.hint or "")


def hold(folder: Path) -> AbstractContextManager[None]:
    return FileLock(folder / "writer.lock").hold(0)


def try_hold(folder: Path) -> AbstractContextManager[bool]:
    return FileLock(folder / "writer.lock").try_hold()


def enter(folder: Path) -> AbstractContextManager[None]:
    return FileGate(folder).enter()


def close(folder: Path) -> AbstractContextManager[None]:
    return FileGate(folder).closed(0)


@pytest.mark.parametrize("open_it", [hold, try_hold, enter, close])
def test_a_lock_that_cannot_be_opened_is_said_in_words(
    tmp_path: Path, open_it: Callable[[Path], AbstractContextManager[object]]
):
    # Root, as whom tests may run, opens every file, but writes into no folder.
    for name in ("writer.lock", "readers.lock"):
        (tmp_path / name).mkdir()
    with pytest.raises(StorageError, match=r"\.lock cannot be opened: .+\."), open_it(tmp_path):
        pass
