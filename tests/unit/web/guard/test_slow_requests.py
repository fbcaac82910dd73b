"""Who asks nothing whole is let go; whoever is being answered, asks again and again, or has a page open stays."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.server import ServerState

from core.web.guard.slow_requests import end_slow_requests

ROOT = Path(__file__).parents[4]
# The longer one where a machine that is held up must not look like somebody who asks nothing.
HEAD_S, LONG_HEAD_S = 0.2, 1.0
END_S = 10.0
WHOLE = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Talk, float], None]


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    await asyncio.sleep(3 * HEAD_S if scope["path"] == "/slow" else 0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Return what lets somebody talk to a server that lets go who asks nothing for so many seconds."""
    monkeypatch.setattr(AutoHTTPProtocol, "connection_made", AutoHTTPProtocol.connection_made)

    async def run(talk: Talk) -> None:
        config = uvicorn.Config(answer, ws="websockets-sansio", lifespan="off")
        config.load()
        made: Any = AutoHTTPProtocol
        server = await asyncio.get_running_loop().create_server(
            lambda: made(config=config, server_state=ServerState(), app_state={}), "127.0.0.1", 0
        )
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            await asyncio.wait_for(talk(reader, writer), END_S)
        finally:
            writer.close()
            server.close()

    def start(talk: Talk, head_s: float) -> None:
        end_slow_requests(head_s)
        asyncio.run(run(talk))

    return start


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"", b""),
        (WHOLE[:20], b""),
        (b"GET / HTTP/1.1\r\nX: ", b"x"),
        (WHOLE + b"GET / HTTP/1.1\r\nX: ", b"x"),
        (b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100000\r\n\r\n", b"x"),
    ],
    ids=["nothing", "half a head", "a head bit by bit", "a second head bit by bit", "a body that nobody reads"],
)
def test_who_asks_nothing_whole_is_let_go(serve: Serve, first: bytes, piece: bytes):
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        ended = asyncio.ensure_future(reader.read())
        # Breaking off what was not read to the end is an end, too.
        with suppress(ConnectionError):
            while not ended.done():
                writer.write(piece)
                await asyncio.wait({ended}, timeout=HEAD_S / 5)
            await ended

    serve(trickle, HEAD_S)


def test_who_is_being_answered_stays(serve: Serve):
    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE.replace(b"/ ", b"/slow ", 1))
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")

    serve(ask, HEAD_S)


def test_who_asks_again_and_again_stays(serve: Serve):
    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        until_s = time.monotonic() + 2.5 * LONG_HEAD_S
        while time.monotonic() < until_s:
            writer.write(WHOLE)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(LONG_HEAD_S / 10)

    serve(ask, LONG_HEAD_S)


def test_a_page_s_socket_stays(serve: Serve):
    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(UPGRADE)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(), 4 * HEAD_S)

    serve(ask, HEAD_S)


def test_the_launcher_sees_to_it():
    # Seen from outside it would take ten seconds.
    assert "\nend_slow_requests()\n" in (ROOT / "Home.py").read_text("utf-8")
