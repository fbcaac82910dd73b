"""The web process answers at once; what makes it fast is read beside that."""

import asyncio
import gc
import logging
import threading

import pytest

from core.errors import StorageError
from core.web import lifespan


async def live(warm_up) -> None:
    async with lifespan(warm_up, lambda _: None)(None):
        pass


def test_warming_up_holds_nobody_up() -> None:
    may_end, ended = threading.Event(), threading.Event()

    def warm_up() -> None:
        may_end.wait(30)
        ended.set()

    asyncio.run(live(warm_up))
    assert not ended.is_set()
    may_end.set()
    assert ended.wait(30)


def test_a_store_that_does_not_answer_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def warm_up() -> None:
        raise StorageError("The message history could not be reached.", hint="")

    with caplog.at_level(logging.WARNING):
        asyncio.run(live(warm_up))
        for thread in threading.enumerate():
            if thread.name == "warm-up":
                thread.join(30)
    assert [record.message for record in caplog.records] == ["warm_up_failed"]


def test_the_clock_is_kept_from_start_to_end() -> None:
    begun, ended = threading.Event(), threading.Event()

    def keep_time(stop: threading.Event) -> None:
        begun.set()
        stop.wait(30)
        ended.set()

    async def begin() -> None:
        async with lifespan(lambda: None, keep_time)(None):
            assert begun.wait(30)
            assert not ended.is_set()

    asyncio.run(begin())
    assert ended.wait(30)


def test_what_is_there_after_the_start_is_not_searched_for_garbage() -> None:
    gc.unfreeze()
    try:
        asyncio.run(live(lambda: None))
        for thread in threading.enumerate():
            if thread.name == "warm-up":
                thread.join(30)
        assert gc.get_freeze_count() > 1_000
    finally:
        gc.unfreeze()
