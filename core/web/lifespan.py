"""
What happens around the web process's life.

The rollups are read into memory while it answers already, and its clock is kept at the state store's time.
"""

import gc
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from core.errors import AppError
from core.web.open_files import raise_most_files

log = logging.getLogger(__name__)


def lifespan(
    warm_up: Callable[[], None], *beside: Callable[[threading.Event], None]
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """
    Return what an ASGI server runs from start to end.

    *warm_up* runs beside it and holds nobody up, and so does what else is *beside*, each until its event is set.
    """

    @asynccontextmanager
    async def living(_server: Any) -> AsyncIterator[None]:
        raise_most_files()
        stop = threading.Event()
        for each in beside:
            threading.Thread(target=each, args=(stop,), name=each.__name__, daemon=True).start()
        threading.Thread(target=_warm_up, args=(warm_up,), name="warm-up", daemon=True).start()
        try:
            yield
        finally:
            stop.set()

    return living


def _warm_up(warm_up: Callable[[], None]) -> None:
    try:
        warm_up()
    except AppError as error:
        # Whoever asks next is told; what could not be read now is read then.
        log.warning("warm_up_failed", extra={"fault": error.message})
    # What is there by now stays; looking through it for garbage again and again holds everybody up for 160 ms.
    gc.freeze()
