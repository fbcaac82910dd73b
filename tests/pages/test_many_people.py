"""What is put in the place of Streamlit's own functions does what they do, and is there at all."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.runtime.runtime import Runtime
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from core.turns import Turns
from pages._ui.many_people import serve_many


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let functions be put in the place of Streamlit's, as it starts, and put Streamlit's back afterwards."""

    def put(owner: type, name: str, ours: Any) -> None:
        assert callable(getattr(owner, name))
        monkeypatch.setattr(owner, name, ours)

    for owner, name in (
        (ScriptRunner, "_run_script"),
        (Runtime, "_enqueued_some_message"),
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


def test_a_bundle_of_messages_wakes_the_server_once(replaced: Callable[..., None]):
    serve_many(Turns())
    planned: list[Callable[[], None]] = []
    needed = asyncio.Event()
    shared = SimpleNamespace(need_send_data=needed, eventloop=SimpleNamespace(call_soon_threadsafe=planned.append))
    runtime: Any = SimpleNamespace(_get_async_objs=lambda: shared)
    wake = Runtime._enqueued_some_message

    wake(runtime)
    wake(runtime)
    assert len(planned) == 1
    planned.pop()()
    assert needed.is_set()
    wake(runtime)
    assert planned == []
    # The server has taken what there was; what comes now is news.
    needed.clear()
    wake(runtime)
    assert len(planned) == 1


def test_what_is_sent_is_not_held_back(replaced: Callable[..., None]):
    seen: list[Any] = []
    replaced(AutoHTTPProtocol, "connection_made", lambda _self, transport: seen.append(transport))
    serve_many(Turns())
    with socket.socket() as connection:
        transport = SimpleNamespace(get_extra_info={"socket": connection}.get)
        AutoHTTPProtocol.connection_made(None, transport)
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert seen == [transport]
