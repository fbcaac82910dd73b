"""
What lets Streamlit serve many people from one process: three places of it that are changed as it starts.

Streamlit has no setting for them. Each is a function of its own that is put in the place of Streamlit's, and
`tests/pages/test_many_people.py` fails when a new version has it elsewhere.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from streamlit.runtime.runtime import Runtime
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from core.turns import Turns


def serve_many(turns: Turns) -> None:
    """Draw pages one after the other by *turns*, tell the server once that there is something to send, and send it."""
    _draw_in_turn(turns)
    _wake_once()
    _send_at_once()


def _draw_in_turn(turns: Turns) -> None:
    run: Callable[..., None] = ScriptRunner._run_script  # noqa: SLF001

    def run_in_turn(self: ScriptRunner, rerun_data: Any) -> None:
        with turns.take():
            run(self, rerun_data)

    ScriptRunner._run_script = run_in_turn  # type: ignore[method-assign]  # noqa: SLF001


def _wake_once() -> None:
    """
    Wake the server's loop for the first of a bundle of messages.

    Streamlit wakes it for each of a hundred a page has, and each time the two threads change places.
    """

    def wake(self: Runtime) -> None:
        shared = self._get_async_objs()
        if getattr(self, "_heliograph_waking", False) or shared.need_send_data.is_set():
            return
        self._heliograph_waking = True  # type: ignore[attr-defined]

        def awake() -> None:
            self._heliograph_waking = False  # type: ignore[attr-defined]
            shared.need_send_data.set()

        shared.eventloop.call_soon_threadsafe(awake)

    Runtime._enqueued_some_message = wake  # type: ignore[method-assign]  # noqa: SLF001


def _send_at_once() -> None:
    """
    Turn off Nagle's algorithm, which holds a message back until the browser has acknowledged the one before: 40 ms.

    asyncio does that by itself, but not for a socket that was made without naming TCP, as Streamlit's is.
    """
    connect = AutoHTTPProtocol.connection_made

    def connect_without_delay(self: Any, transport: asyncio.Transport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connect(self, transport)

    AutoHTTPProtocol.connection_made = connect_without_delay
