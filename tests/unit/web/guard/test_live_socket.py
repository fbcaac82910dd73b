import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import pytest
from starlette.types import Message, Receive, Scope, Send

from core.web.guard.cookies import SESSION_COOKIE, Cookies
from core.web.guard.guard import Guard
from core.web.guard.live_socket import SESSION_ENDED, Watch
from core.web.guard.origin import ANOTHER_SITE, OwnPagesOnly
from tests.support.fakes.asgi import Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.fake_sign_in import ADA, FakeSignIn

NEVER_S = 3_600.0
PROMPTLY_S = 0.01
CLICK = {"type": "websocket.receive", "bytes": b"click"}
TICK = {"type": "websocket.receive", "bytes": b"tick"}
CONNECT = {"type": "websocket.connect"}


@dataclass
class Socket:
    """One websocket to a guarded echo; *seen* is what the application inside received."""

    sign_in: FakeSignIn
    clock: StoppedClock
    period_s: float = NEVER_S
    to_server: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    from_server: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    seen: list[Message] = field(default_factory=list)

    async def run(self, token: str, headers: Mapping[str, str] | None = None) -> None:
        watch = Watch(lambda content: content == b"click", period_s=self.period_s, touch_period_s=5)
        guard = Guard(self._echo, sign_in=self.sign_in, watch=watch, clock=self.clock, cookies=Cookies(secure=False))
        browser = Browser(guard, cookies={SESSION_COOKIE: token})
        site = OwnPagesOnly(guard)
        await site(browser.scope("websocket", "/_stcore/stream", headers), self.to_server.get, self.from_server.put)

    async def say(self, message: Message) -> Message:
        """Send *message* and return the server's next one."""
        await self.to_server.put(message)
        return await self.hear()

    async def hear(self) -> Message:
        return await asyncio.wait_for(self.from_server.get(), timeout=10)

    async def _echo(self, scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            self.seen.append(message)
            if message["type"] == "websocket.connect":
                await send({"type": "websocket.accept"})
            elif message["type"] == "websocket.receive":
                await send({"type": "websocket.send", "bytes": message["bytes"]})
            else:
                # Streamlit may still be talking while it learns that nobody listens.
                await send({"type": "websocket.send", "bytes": b"too late"})
                return


Scenario = Callable[[Socket, str], Awaitable[None]]


@pytest.fixture
def play(sign_in: FakeSignIn, clock: StoppedClock) -> Callable[..., Socket]:
    """Connect a signed-in browser, play the scenario, and wait until the server is done with the socket."""

    def run(scenario: Scenario, period_s: float = NEVER_S) -> Socket:
        async def main() -> Socket:
            socket = Socket(sign_in, clock, period_s)
            token = sign_in.start(ADA, clock())
            server = asyncio.create_task(socket.run(token))
            assert (await socket.say(CONNECT))["type"] == "websocket.accept"
            await scenario(socket, token)
            await asyncio.wait_for(server, timeout=10)
            assert socket.from_server.empty()
            return socket

        return asyncio.run(main())

    return run


def ended(message: Message) -> bool:
    return message["type"] == "websocket.close" and message["code"] == SESSION_ENDED


@pytest.mark.parametrize("token", ["", "forged"])
def test_stranger_is_refused_before_the_accept(sign_in: FakeSignIn, clock: StoppedClock, token: str) -> None:
    async def main() -> Socket:
        socket = Socket(sign_in, clock)
        await socket.to_server.put(CONNECT)
        await socket.run(token)
        assert ended(await socket.hear())
        return socket

    assert asyncio.run(main()).seen == []


@pytest.mark.parametrize("origin", ["https://evil.example", "http://testserver.evil.example", "null", ""])
def test_a_page_of_another_host_is_refused_with_the_persons_cookie(
    sign_in: FakeSignIn, clock: StoppedClock, origin: str
) -> None:
    async def main() -> Socket:
        socket = Socket(sign_in, clock)
        await socket.to_server.put(CONNECT)
        await socket.run(sign_in.start(ADA, clock()), {"Origin": origin})
        assert (await socket.hear())["code"] == ANOTHER_SITE
        return socket

    assert asyncio.run(main()).seen == []


def test_our_own_page_is_welcome(sign_in: FakeSignIn, clock: StoppedClock) -> None:
    async def main() -> Message:
        socket = Socket(sign_in, clock)
        server = asyncio.create_task(socket.run(sign_in.start(ADA, clock()), {"Origin": "http://testserver"}))
        answer = await socket.say(CONNECT)
        await socket.to_server.put({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait_for(server, timeout=10)
        return answer

    assert asyncio.run(main())["type"] == "websocket.accept"


def test_messages_pass_both_ways_until_the_browser_leaves(play) -> None:
    async def scenario(socket: Socket, token: str) -> None:
        assert (await socket.say(CLICK))["bytes"] == b"click"
        assert (await socket.say(TICK))["bytes"] == b"tick"
        await socket.to_server.put({"type": "websocket.disconnect", "code": 1001})

    assert [message["type"] for message in play(scenario).seen] == [
        "websocket.connect",
        "websocket.receive",
        "websocket.receive",
        "websocket.disconnect",
    ]


def test_revoked_session_closes_an_idle_socket(play, sign_in: FakeSignIn) -> None:
    async def scenario(socket: Socket, token: str) -> None:
        sign_in.revoke(token)
        assert ended(await socket.hear())

    assert play(scenario, PROMPTLY_S).seen[-1] == {"type": "websocket.disconnect", "code": SESSION_ENDED}


def test_idle_session_closes_the_socket_though_timers_tick(play, sign_in: FakeSignIn, clock: StoppedClock) -> None:
    async def scenario(socket: Socket, token: str) -> None:
        for _ in range(31):
            clock.advance(minutes=1)
            heard = await socket.say(TICK)
            if ended(heard):
                break
        else:
            heard = await socket.hear()
        assert ended(heard)
        assert clock() - sign_in.sessions[token].active_at > sign_in.idle

    play(scenario, PROMPTLY_S)
    assert sign_in.touches == []


def test_click_after_revocation_is_not_delivered(play, sign_in: FakeSignIn) -> None:
    async def scenario(socket: Socket, token: str) -> None:
        sign_in.revoke(token)
        assert ended(await socket.say(CLICK))

    assert CLICK not in play(scenario).seen


def test_clicks_are_recorded_but_not_every_one(play, sign_in: FakeSignIn, clock: StoppedClock) -> None:
    start = clock()

    async def scenario(socket: Socket, token: str) -> None:
        for _ in range(13):
            await socket.say(CLICK)
            clock.advance(seconds=1)
        await socket.to_server.put({"type": "websocket.disconnect", "code": 1001})

    play(scenario)
    assert [(at - start).total_seconds() for _, at in sign_in.touches] == [0, 5, 10]


def test_socket_ends_when_the_session_cannot_be_checked(play, sign_in: FakeSignIn, caplog) -> None:
    async def scenario(socket: Socket, token: str) -> None:
        sign_in.broken = True
        assert ended(await socket.hear())

    play(scenario, PROMPTLY_S)
    assert "session_check_failed" in caplog.messages


def test_leaving_browser_does_not_break_the_watcher(sign_in: FakeSignIn, clock: StoppedClock) -> None:
    """The server may refuse the close with an OSError; the application inside must learn of the end all the same."""

    async def main() -> Socket:
        socket = Socket(sign_in, clock, PROMPTLY_S)
        token = sign_in.start(ADA, clock())

        async def gone(message: Message) -> None:
            sign_in.sessions.pop(token, None)
            if message["type"] == "websocket.close":
                raise OSError("the browser has left")

        socket.from_server.put = gone  # type: ignore[method-assign]
        await socket.to_server.put(CONNECT)
        await asyncio.wait_for(socket.run(token), timeout=10)
        return socket

    assert asyncio.run(main()).seen[-1]["type"] == "websocket.disconnect"
