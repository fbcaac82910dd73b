import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Sequence

import pytest

from core.web.front import listening
from core.web.front.heads import PLACE_COOKIE
from core.web.front.listening import Listening
from core.web.guard.proxies import Network, parse_networks

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD_OF_SECOND = b"GET / HTTP/1.1\r\nCookie: heliograph_place=1\r\n\r\n"
TLS = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
PATIENCE_S = 20


class Place:
    """Stands where a process stands: keeps the connections that are handed over."""

    def __init__(self, connections: int = 0) -> None:
        self.connections = connections
        self.taken: list[tuple[socket.socket, bool]] = []
        self.is_ready = asyncio.Event()
        self.is_ready.set()
        self.is_busy = self.is_silent = False
        self.changed = asyncio.Event()

    def hand_over(self, connection: socket.socket, *, has_moved: bool) -> bool:
        if self.is_busy or not self.is_ready.is_set():
            return False
        self.taken.append((connection.dup(), has_moved))
        self.connections += 1
        connection.close()
        self.changed.set()
        return True


def run(test: Callable[[list[Place], tuple[str, int]], Awaitable[None]], trusted: Sequence[Network] = ()) -> None:
    """Listen for two places while *test* runs."""

    async def listen() -> None:
        places = [Place(), Place()]
        with socket.create_server(("127.0.0.1", 0)) as listener:
            task = asyncio.ensure_future(Listening(listener, places, PLACE_COOKIE, trusted).run())
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await test(places, listener.getsockname())
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                for place in places:
                    for connection, _ in place.taken:
                        connection.close()

    asyncio.run(listen())


async def send(address: tuple[str, int], *parts: bytes) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection(*address)
    for part in parts:
        writer.write(part)
        await writer.drain()
    return writer


def test_a_place_gets_the_connection_as_it_came():
    async def test(places: list[Place], address: tuple[str, int]) -> None:
        browser = await send(address, HEAD_OF_SECOND)
        await places[1].changed.wait()
        connection, has_moved = places[1].taken[0]
        assert (connection.recv(1_000), has_moved) == (HEAD_OF_SECOND, False)
        assert connection.getpeername() == browser.get_extra_info("sockname")
        browser.close()

    run(test)


def test_a_head_in_pieces_is_waited_for():
    async def test(places: list[Place], address: tuple[str, int]) -> None:
        browser = await send(address, HEAD_OF_SECOND[:-20])
        await asyncio.sleep(listening.LOOK_S * 2)
        assert places[0].taken == places[1].taken == []
        browser.write(HEAD_OF_SECOND[-20:])
        await places[1].changed.wait()
        browser.close()

    run(test)


def test_a_head_that_does_not_end_is_looked_at_ever_more_seldom(monkeypatch: pytest.MonkeyPatch):
    looks: list[bytes] = []
    monkeypatch.setattr(listening, "HEAD_S", 1.0)
    monkeypatch.setattr(listening, "is_whole", lambda head: looks.append(head) is not None)

    async def test(_: list[Place], address: tuple[str, int]) -> None:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(HEAD[:-1])
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
        writer.close()

    run(test)
    # At 0, 20, 60, 140, 300 and 620 ms.
    assert 2 <= len(looks) <= 6


def test_who_comes_first_gets_the_place_with_the_fewest():
    async def test(places: list[Place], address: tuple[str, int]) -> None:
        places[0].connections = 5
        browser = await send(address, HEAD)
        await places[1].changed.wait()
        assert places[1].taken[0][1] is False
        browser.close()

    run(test)


def test_whose_place_is_gone_gets_another_and_who_is_busy_is_waited_for():
    async def test(places: list[Place], address: tuple[str, int]) -> None:
        places[1].is_ready.clear()
        browser = await send(address, HEAD_OF_SECOND)
        await places[0].changed.wait()
        assert places[0].taken[0][1] is True
        places[1].is_ready.set()
        places[1].is_busy = True
        second = await send(address, HEAD_OF_SECOND)
        await asyncio.sleep(listening.LOOK_S * 3)
        assert len(places[0].taken) == 1
        places[1].is_busy = False
        await places[1].changed.wait()
        browser.close()
        second.close()

    run(test)


def test_nobody_is_given_to_a_place_that_is_stuck_while_another_speaks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listening, "SILENT_PATIENCE_S", 0.2)

    async def test(places: list[Place], address: tuple[str, int]) -> None:
        places[0].connections, places[1].is_silent = 5, True
        newcomer = await send(address, HEAD)
        await places[0].changed.wait()
        assert places[0].taken[0][1] is False
        # Whose own place it is waits for a while: what was typed into a page would be lost.
        places[0].changed.clear()
        own = await send(address, HEAD_OF_SECOND)
        await places[0].changed.wait()
        assert places[0].taken[1][1] is True
        # Where nobody speaks, somebody still may.
        places[0].is_silent = True
        last = await send(address, HEAD)
        await places[1].changed.wait()
        for browser in (newcomer, own, last):
            browser.close()

    run(test)


def test_a_place_that_speaks_again_has_its_own_people():
    async def test(places: list[Place], address: tuple[str, int]) -> None:
        places[1].is_silent = True
        browser = await send(address, HEAD_OF_SECOND)
        await asyncio.sleep(listening.LOOK_S * 3)
        assert not places[0].taken
        assert not places[1].taken
        places[1].is_silent = False
        await places[1].changed.wait()
        assert places[1].taken[0][1] is False
        browser.close()

    run(test)


def test_who_sends_nothing_is_let_go_after_a_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listening, "HEAD_S", 0.05)

    async def test(places: list[Place], address: tuple[str, int]) -> None:
        for begun in (b"", b"GET / HTTP/1.1\r\n"):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(begun)
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await reader.readexactly(1)
            writer.close()
        assert places[0].taken == places[1].taken == []

    run(test)


def test_of_too_many_that_wait_the_first_is_let_go(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listening, "MOST_WAITING", 2)
    # Or else it would be let go after a time in any case.
    monkeypatch.setattr(listening, "HEAD_S", 2 * PATIENCE_S)

    async def test(_: list[Place], address: tuple[str, int]) -> None:
        first, waits = await asyncio.open_connection(*address)
        others = [await send(address) for _ in range(2)]
        assert await first.read() == b""
        for browser in (waits, *others):
            browser.close()

    run(test)


def test_of_too_many_that_wait_of_one_address_the_first_of_them_is_let_go(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listening, "MOST_WAITING_EACH", 2)
    monkeypatch.setattr(listening, "HEAD_S", 2 * PATIENCE_S)

    async def test(places: list[Place], address: tuple[str, int]) -> None:
        elsewhere = await send_from("127.0.0.2", address)
        first, waits = await asyncio.open_connection(*address)
        others = [await send(address) for _ in range(2)]
        assert await first.read() == b""
        # Who waited longer, elsewhere, still does.
        elsewhere.write(HEAD)
        await places[0].changed.wait()
        for browser in (waits, elsewhere, *others):
            browser.close()

    run(test)


@pytest.mark.parametrize("limit", ["MOST_WAITING", "MOST_WAITING_EACH"])
def test_who_comes_while_the_front_is_busy_counts_too(limit: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listening, limit, 2)
    monkeypatch.setattr(listening, "HEAD_S", 2 * PATIENCE_S)

    async def test(_: list[Place], address: tuple[str, int]) -> None:
        # Nothing else of the loop runs meanwhile: all of them wait to be taken.
        browsers = [socket.create_connection(address) for _ in range(6)]
        for browser in browsers:
            browser.setblocking(False)
        loop = asyncio.get_running_loop()
        assert [await loop.sock_recv(browser, 1) for browser in browsers[:4]] == [b""] * 4
        for browser in browsers:
            browser.close()

    run(test)


def test_behind_a_proxy_that_is_trusted_as_many_wait_as_come(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listening, "MOST_WAITING_EACH", 2)
    monkeypatch.setattr(listening, "HEAD_S", 2 * PATIENCE_S)

    async def test(places: list[Place], address: tuple[str, int]) -> None:
        browsers = [await send(address) for _ in range(4)]
        browsers[0].write(HEAD)
        await places[0].changed.wait()
        for browser in browsers:
            browser.close()

    run(test, parse_networks("127.0.0.0/8"))


async def send_from(source: str, address: tuple[str, int]) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection(*address, local_addr=(source, 0))
    return writer


@pytest.mark.parametrize(
    ("hostile", "status"),
    [
        (TLS, 400),
        (b"GET / HTTP/1.1\r\nCookie: a=b;\r\n heliograph_place=1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nCookie: " + b"x" * 70_000 + b"; heliograph_place=1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nCookie: " + b"x" * 500_000, 431),
    ],
    ids=["TLS", "folded", "too long", "without an end"],
)
def test_what_no_place_is_to_see_has_one_answer(hostile: bytes, status: int):
    async def test(places: list[Place], address: tuple[str, int]) -> None:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(hostile)
        answer = await reader.read()
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        assert places[0].taken == places[1].taken == []
        writer.close()

    run(test)


def test_when_no_more_files_can_be_opened_the_first_is_let_go_too(monkeypatch: pytest.MonkeyPatch):
    async def test(places: list[Place], address: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        accept, waiting = loop.sock_accept, 0

        async def accept_two(listener: socket.socket) -> tuple[socket.socket, object]:
            nonlocal waiting
            if waiting == 2:
                waiting -= 1
                raise OSError(errno.EMFILE, "Too many open files")
            waiting += 1
            return await accept(listener)

        monkeypatch.setattr(loop, "sock_accept", accept_two)
        first, waits = await asyncio.open_connection(*address)
        second = await send(address)
        third = await send(address, HEAD)
        assert await first.read() == b""
        await places[0].changed.wait()
        for browser in (waits, second, third):
            browser.close()

    monkeypatch.setattr(listening, "HEAD_S", PATIENCE_S * 2)
    run(test)


async def send_until_let_go(address: tuple[str, int], content: bytes, pause_s: float) -> None:
    _, writer = await asyncio.open_connection(*address)
    # The first that comes where nobody is brings the news, and the next one the error.
    while True:
        writer.write(content)
        await writer.drain()
        await asyncio.sleep(pause_s)


@pytest.mark.parametrize(
    ("most_bytes", "most_s", "content", "pause_s"),
    [(1_000, 2 * PATIENCE_S, TLS * 1_000, 0.0), (1 << 20, 0.05, TLS, 0.05)],
    ids=["much", "for long"],
)
def test_who_is_refused_and_goes_on_sending_is_let_go(
    monkeypatch: pytest.MonkeyPatch, most_bytes: int, most_s: float, content: bytes, pause_s: float
):
    monkeypatch.setattr(listening, "DROPPED_BYTES", most_bytes)
    monkeypatch.setattr(listening, "REFUSED_S", most_s)

    async def test(_: list[Place], address: tuple[str, int]) -> None:
        with pytest.raises(ConnectionError):
            await send_until_let_go(address, content, pause_s)

    run(test)


def test_a_place_there_is_no_more_is_nobodys():
    async def test(places: list[Place], address: tuple[str, int]) -> None:
        browser = await send(address, HEAD_OF_SECOND.replace(b"=1", b"=2"))
        await places[0].changed.wait()
        assert places[0].taken[0][1] is False
        browser.close()

    run(test)
