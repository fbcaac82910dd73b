"""
What lets Streamlit serve many people from one process: three of its functions and one of uvicorn's are replaced.

There is no setting for any of them. `tests/pages/_ui/serving/test_many_people.py` fails when a new version has one
elsewhere.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from core.turns import Turns

BUNDLE_S = 0.005


def serve_many(turns: Turns) -> None:
    """Draw pages one after the other by *turns*, and send them without what holds many people up."""
    _draw_in_turn(turns)
    _hand_over_in_bundles()
    _send_at_once()
    _keep_theme()


def _draw_in_turn(turns: Turns) -> None:
    run: Callable[..., None] = ScriptRunner._run_script  # noqa: SLF001

    def run_in_turn(self: ScriptRunner, rerun_data: Any) -> None:
        with turns.take():
            run(self, rerun_data)

    ScriptRunner._run_script = run_in_turn  # type: ignore[method-assign]  # noqa: SLF001


def _hand_over_in_bundles() -> None:
    """
    Hand what a page has made over to the server's loop every few milliseconds.

    Streamlit wakes the loop for each of fifty messages a page has, and each time the two threads change places.
    """
    hand_over: Callable[[AppSession, Callable[[], None]], None] = AppSession._call_soon_on_event_loop  # noqa: SLF001
    bundles: WeakKeyDictionary[asyncio.AbstractEventLoop, _Bundle] = WeakKeyDictionary()

    def hand_over_soon(self: AppSession, callback: Callable[[], None]) -> None:
        loop = self._event_loop
        bundle = bundles.setdefault(loop, _Bundle())
        bundle.waiting.append(callback)
        # In this order: whoever unpacks lets the next bundle begin before it looks what there is.
        if not bundle.is_called:
            bundle.is_called = True
            hand_over(self, lambda: bundle.unpack_soon(loop))

    AppSession._call_soon_on_event_loop = hand_over_soon  # type: ignore[method-assign]  # noqa: SLF001


@dataclass
class _Bundle:
    """What waits for a loop, in the order it came."""

    waiting: deque[Callable[[], None]] = field(default_factory=deque)
    is_called: bool = False

    def unpack_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(BUNDLE_S, self._unpack, loop)

    def _unpack(self, loop: asyncio.AbstractEventLoop) -> None:
        self.is_called = False
        while self.waiting:
            loop.call_soon(self.waiting.popleft())


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


def _keep_theme() -> None:
    """Make the theme into a message once: it cannot change, and took the server a third of its time for every page."""
    populate: Callable[[CustomThemeConfig, str], None] = app_session._populate_theme_msg  # noqa: SLF001

    @cache
    def made(section: str) -> CustomThemeConfig:
        theme = CustomThemeConfig()
        populate(theme, section)
        return theme

    def populate_once(message: CustomThemeConfig, section: str = "theme") -> None:
        if made(section).ByteSize():
            message.MergeFrom(made(section))

    app_session._populate_theme_msg = populate_once  # noqa: SLF001
