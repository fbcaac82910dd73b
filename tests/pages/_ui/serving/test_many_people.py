"""What is put in the place of Streamlit's own functions does what they do, and is there at all."""

import socket
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from core.turns import Turns
from pages._ui.serving.many_people import serve_many


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let functions be put in the place of Streamlit's, as it starts, and put Streamlit's back afterwards."""

    def put(owner: Any, name: str, ours: Any) -> None:
        assert callable(getattr(owner, name))
        monkeypatch.setattr(owner, name, ours)

    for owner, name in (
        (ScriptRunner, "_run_script"),
        (AppSession, "_call_soon_on_event_loop"),
        (app_session, "_populate_theme_msg"),
        (AutoHTTPProtocol, "connection_made"),
    ):
        put(owner, name, getattr(owner, name))
    return put


def test_pages_are_drawn_one_after_the_other(replaced: Callable[..., None]):
    drawing: list[int] = []
    at_once: list[int] = []

    def draw(_self: Any, number: int) -> None:
        drawing.append(number)
        at_once.append(len(drawing))
        time.sleep(0.002)
        drawing.remove(number)

    replaced(ScriptRunner, "_run_script", draw)
    serve_many(Turns(patience_s=60))
    threads = [threading.Thread(target=ScriptRunner._run_script, args=(None, number)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert at_once == [1] * 8


class Loop:
    """The server's loop, as far as bundles need it: what it is told to do, and how often another thread woke it."""

    def __init__(self) -> None:
        self.woken: list[Callable[[], None]] = []
        self.later: list[Callable[[], None]] = []
        self.soon: list[Callable[[], None]] = []

    def call_soon_threadsafe(self, callback: Callable[[], None]) -> None:
        self.woken.append(callback)

    def call_later(self, _seconds: float, callback: Callable[..., None], *values: Any) -> None:
        self.later.append(lambda: callback(*values))

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.soon.append(callback)

    def run(self) -> None:
        for waiting in (self.woken, self.later, self.soon):
            while waiting:
                waiting.pop(0)()


def test_what_a_page_has_made_wakes_the_server_once_a_bundle(replaced: Callable[..., None]):
    serve_many(Turns())
    loop, done = Loop(), list[str]()
    session: Any = SimpleNamespace(_event_loop=loop)

    def hand_over(word: str) -> None:
        AppSession._call_soon_on_event_loop(session, lambda: done.append(word))

    for word in ("first", "second", "third"):
        hand_over(word)
    assert len(loop.woken) == 1
    loop.run()
    assert done == ["first", "second", "third"]
    hand_over("of the next bundle")
    assert len(loop.woken) == 1
    loop.run()
    assert done[3:] == ["of the next bundle"]


def test_what_comes_while_a_bundle_is_unpacked_is_not_forgotten(replaced: Callable[..., None]):
    serve_many(Turns())
    loop, done = Loop(), list[str]()
    session: Any = SimpleNamespace(_event_loop=loop)

    def last() -> None:
        done.append("last")

    AppSession._call_soon_on_event_loop(session, lambda: AppSession._call_soon_on_event_loop(session, last))
    loop.run()
    loop.run()
    assert done == ["last"]


def test_a_page_tells_its_theme_as_streamlit_would(replaced: Callable[..., None]):
    sections = ("theme", "theme.light", "theme.dark", "theme.sidebar", "theme.dark.sidebar")
    expected = {section: CustomThemeConfig() for section in sections}
    for section, message in expected.items():
        app_session._populate_theme_msg(message, section)
    assert any(message.ByteSize() for message in expected.values())
    serve_many(Turns())
    for _ in range(2):
        for section, message in expected.items():
            ours = CustomThemeConfig()
            app_session._populate_theme_msg(ours, section)
            assert ours == message


def test_what_is_sent_is_not_held_back(replaced: Callable[..., None]):
    seen: list[Any] = []
    replaced(AutoHTTPProtocol, "connection_made", lambda _self, transport: seen.append(transport))
    serve_many(Turns())
    with socket.socket() as connection:
        transport = SimpleNamespace(get_extra_info={"socket": connection}.get)
        AutoHTTPProtocol.connection_made(None, transport)
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert seen == [transport]
