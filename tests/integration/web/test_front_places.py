"""Processes that do not come up, and one that is not there when somebody comes."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.web.front import places, serving
from core.web.front.places import PlaceProcess, PlacesFailed, environment_of
from core.web.front.serving import KEPT, TRACE_SIGNAL, Place
from core.web.guard.proxies import parse_networks
from tests.support.processes.live_server import REPOSITORY, free_port

ENDS = "raise SystemExit(3)"
# Says that it serves, counts what it is handed, and says so.
SERVES = """
import socket, struct, sys
front = socket.socket(fileno=int(sys.argv[1]))
front.send(struct.pack("!I", 0))
while True:
    mark, handles, _, _ = socket.recv_fds(front, 1, 1)
    if not mark:
        break
    with socket.socket(fileno=handles[0]) as connection:
        connection.send(mark)
"""
# Says so again and again, until it is told to hold the interpreter's lock and never come back.
REPORTS = f"""
import faulthandler, re, signal, socket, struct, sys, time
def hold(*_):
    re.fullmatch("(a|aa)*b", "a" * 200)
faulthandler.register({TRACE_SIGNAL:d})
signal.signal(signal.SIGUSR2, hold)
front = socket.socket(fileno=int(sys.argv[1]))
while True:
    front.send(struct.pack("!I", 0))
    time.sleep(0.02)
"""


def place(script: str) -> PlaceProcess:
    return PlaceProcess(0, lambda _, handle: [sys.executable, "-c", script, str(handle)], os.environ)


def test_a_place_that_never_serves_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(places, "PAUSE_S", 0)
    with pytest.raises(PlacesFailed):
        asyncio.run(place(ENDS).live())


def test_a_place_that_has_served_is_tried_for_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(places, "PAUSE_S", 0)
    monkeypatch.setattr(places, "LONG_PAUSE_S", 0.01)
    # The first one serves, four do not come so far, the sixth serves again.
    tries = tmp_path / "tries"
    counts = f"path = {str(tries)!r}\nwith open(path, 'a') as file: file.write('.')\ncount = len(open(path).read())\n"
    script = f"{counts}if count in range(2, 6): raise SystemExit(3)\n{SERVES}"

    async def test() -> None:
        served = place(script)
        life = asyncio.ensure_future(served.live())
        try:
            async with asyncio.timeout(60):
                await served.is_ready.wait()
                assert served.pid is not None
                os.kill(served.pid, signal.SIGKILL)
                while len(tries.read_text()) < 6 or not served.is_ready.is_set():
                    assert not life.done()
                    await asyncio.sleep(0.01)
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    asyncio.run(test())


def test_a_place_that_says_nothing_is_known_by_it(monkeypatch: pytest.MonkeyPatch):
    async def test() -> None:
        served = place(SERVES)
        assert not served.is_silent
        life = asyncio.ensure_future(served.live())
        try:
            async with asyncio.timeout(30):
                await served.is_ready.wait()
                assert not served.is_silent
                monkeypatch.setattr(places, "SILENT_S", -1)
                assert served.is_silent
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    asyncio.run(test())


@pytest.mark.parametrize("is_stopped", [True, False], ids=["stopped", "holds the interpreter"])
def test_a_place_that_is_stuck_is_killed_and_started_anew(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    is_stopped: bool,
):
    for name, value in {"PAUSE_S": 0.0, "STUCK_S": 1.5, "WATCH_S": 0.1}.items():
        monkeypatch.setattr(places, name, value)

    async def test() -> int:
        served = place(REPORTS)
        life = asyncio.ensure_future(served.live())
        try:
            async with asyncio.timeout(60):
                await served.is_ready.wait()
                first = served.pid
                assert first is not None
                if is_stopped:
                    # One that goes on saying how many it serves is left alone.
                    await asyncio.sleep(2)
                    assert served.pid == first
                os.kill(first, signal.SIGSTOP if is_stopped else signal.SIGUSR2)
                while served.pid in {first, None} or not served.is_ready.is_set():
                    assert not life.done()
                    await asyncio.sleep(0.05)
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
        return first

    assert not Path(f"/proc/{asyncio.run(test())}").exists()
    # asyncio has a word of its own where sending a signal finds the process dead before its watcher does.
    ours = [record.message for record in caplog.records if record.name == places.__name__]
    assert ours == ["place_stuck", "place_ended"]
    # Who is stopped cannot say anything; of the other it is told where it was.
    assert ("in hold" in capfd.readouterr().err) is not is_stopped


def test_nothing_is_handed_to_a_place_that_does_not_serve():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not place(SERVES).hand_over(ours, has_moved=False)
        ours.send(b"open")
        assert theirs.recv(4) == b"open"


def list_inheritable() -> set[int]:
    """Return the handles that a child of this process would have too."""
    found = set[int]()
    for handle in [int(each.name) for each in Path("/proc/self/fd").iterdir()]:
        # One of them was for listing the others.
        with suppress(OSError):
            if os.get_inheritable(handle):
                found.add(handle)
    return found


def test_a_connection_that_is_lost_on_the_way_is_said_and_the_next_one_served(caplog: pytest.LogCaptureFixture):
    before, meanwhile = list_inheritable(), set[int]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        meanwhile.update(list_inheritable())
        await Response("served")(scope, receive, send)

    async def test() -> bytes:
        front, theirs = socket.socketpair()
        ways = [uvicorn.Config(app, log_config=None, lifespan="off") for _ in range(2)]
        served = asyncio.ensure_future(Place(*ways, theirs).serve())
        ours, browser = socket.socketpair()
        try:
            # What a place gets of a connection for which it has no handle left.
            front.send(KEPT)
            socket.send_fds(front, [KEPT], [ours.fileno()])
            browser.send(b"GET / HTTP/1.0\r\n\r\n")
            return await asyncio.to_thread(browser.recv, 1_000)
        finally:
            for each in (front, ours, browser):
                each.close()
            await served
            theirs.close()

    assert b"200 OK" in asyncio.run(test())
    assert [record.message for record in caplog.records if record.name == "core.web.front.serving"] == [
        "connection_not_taken"
    ]
    assert meanwhile == before


@pytest.mark.parametrize(("trusted", "answered"), [("", 2), ("127.0.0.1", 3)])
def test_of_one_address_a_place_takes_so_many_and_no_more_unless_it_is_a_proxy(
    monkeypatch: pytest.MonkeyPatch, trusted: str, answered: int
):
    monkeypatch.setattr(serving, "MOST_EACH", 2)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Response("served")(scope, receive, send)

    async def test() -> int:
        front, theirs = socket.socketpair()
        ways = [uvicorn.Config(app, log_config=None, lifespan="off") for _ in range(2)]
        served = asyncio.ensure_future(Place(*ways, theirs, parse_networks(trusted)).serve())
        count = 0
        with socket.create_server(("127.0.0.1", 0)) as listener:
            browsers = [socket.create_connection(listener.getsockname()) for _ in range(3)]
            try:
                for browser in browsers:
                    connection, _ = listener.accept()
                    with connection:
                        socket.send_fds(front, [KEPT], [connection.fileno()])
                    browser.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    with suppress(ConnectionError):
                        count += b"200 OK" in await asyncio.to_thread(browser.recv, 1_000)
            finally:
                for each in (front, *browsers):
                    each.close()
                await served
                theirs.close()
        return count

    assert asyncio.run(test()) == answered


def test_however_many_are_refused_little_is_written_down(caplog: pytest.LogCaptureFixture):
    front, theirs = socket.socketpair()
    with front, theirs:
        ways = [uvicorn.Config(lambda: None, log_config=None) for _ in range(2)]
        place = Place(*ways, theirs)
        for _ in range(50):
            place._tell("connection_refused", "an address has as many as it may")
    assert [(record.message, record.connections) for record in caplog.records] == [("connection_refused", 1)]


@pytest.mark.parametrize(("has_moved", "mark"), [(False, b"k"), (True, b"m")])
def test_a_place_takes_connections_and_ends_with_its_front(has_moved: bool, mark: bytes):
    async def test() -> int | None:
        served = place(SERVES)
        life = asyncio.ensure_future(served.live())
        ours, theirs = socket.socketpair()
        try:
            async with asyncio.timeout(30):
                await served.is_ready.wait()
                assert served.hand_over(ours, has_moved=has_moved)
                assert served.connections == 1
                assert await asyncio.to_thread(theirs.recv, 1) == mark
        finally:
            pid = served.pid
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            theirs.close()
        return pid

    assert not Path(f"/proc/{asyncio.run(test())}").exists()


def test_what_the_operator_says_to_streamlit_counts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STREAMLIT_SERVER_MAX_UPLOAD_SIZE", "7")
    told = environment_of("127.0.0.1", 8501, 50, "secret")
    assert (told["STREAMLIT_SERVER_MAX_UPLOAD_SIZE"], told["STREAMLIT_SERVER_COOKIE_SECRET"]) == ("7", "secret")


def run_front(**settings: str) -> subprocess.CompletedProcess[str]:
    environment = {f"HELIOGRAPH_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "core.web.front"],
        cwd=REPOSITORY,
        env={**os.environ, "FORWARDED_ALLOW_IPS": "", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_that_is_taken_and_a_number_that_is_none_are_said(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = run_front(data_dir=str(tmp_path), port=port, web_processes="2")
    assert refused.returncode == 1
    assert f"Heliograph cannot listen on 127.0.0.1:{port}: Address already in use." in refused.stderr
    none = run_front(data_dir=str(tmp_path), port=str(free_port()), web_processes="0")
    assert none.returncode == 1
    assert "HELIOGRAPH_WEB_PROCESSES is 0." in none.stderr
