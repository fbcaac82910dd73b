"""Two web processes behind one address, as `make run` starts them: each browser stays where its page is."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from core.bootstrap import build_app
from core.config import Settings
from core.services.people.adding_people import NewPerson
from core.state.people.sessions import Browser
from core.web.front.heads import PLACE_COOKIE
from core.web.guard.cookies import CSRF_COOKIE, SESSION_COOKIE
from core.web.guard.live_socket import SESSION_ENDED
from core.web.guard.origin import SCRIPT_HEADER
from tests.support.processes.live_server import REPOSITORY, free_port
from tests.support.processes.waiting import wait_until

PASSWORD = "Copper-kettle-19"
TIMEOUT_S = 60
COUNT = 2

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("front")]


class Front:
    """The front's process, and the browsers of one person."""

    def __init__(self, address: str, token: str, process: subprocess.Popen[bytes]) -> None:
        self.address = address
        self.token = token
        self.process = process

    def places(self) -> dict[int, int]:
        """Return the processes of the places that live, by number."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
        commands = {int(child): Path(f"/proc/{child}/cmdline").read_text("utf-8").split("\0") for child in children}
        return {int(parts[3]): child for child, parts in commands.items() if len(parts) > 3}

    def wait_for_place(self, number: int) -> None:
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            visitor = Visitor(self, {PLACE_COOKIE: str(number)})
            if visitor.ask("GET", "/healthz")[0] == 200 and visitor.cookies[PLACE_COOKIE] == str(number):
                return
            time.sleep(0.1)
        raise AssertionError(f"place {number} did not come")


class Visitor:
    """A browser: it keeps cookies, and opens a connection for everything it asks."""

    def __init__(self, front: Front, cookies: dict[str, str] | None = None) -> None:
        self.front = front
        self.cookies = {SESSION_COOKIE: front.token} | (cookies or {})

    @property
    def place(self) -> int:
        return int(self.cookies[PLACE_COOKIE])

    def headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, http.client.HTTPMessage]:
        with closing(http.client.HTTPConnection(self.front.address, timeout=TIMEOUT_S)) as connection:
            connection.request(method, path, body, self.headers() | headers)
            answer = connection.getresponse()
            answer.read()
            for cookie in answer.headers.get_all("Set-Cookie", []):
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, answer.headers

    @contextmanager
    def page(self, before: str = "") -> Iterator[tuple[ClientConnection, str]]:
        """Open a page, or the one *before* again; give its socket and the id by which its process knows it."""
        # As the browser does: what the connection speaks, the XSRF token, and the page whose connection broke.
        protocols = ["streamlit", self.cookies["_streamlit_xsrf"], before] if before else ["streamlit"]
        url = f"ws://{self.front.address}/_stcore/stream"
        with connect(
            url,
            additional_headers=self.headers(),
            subprotocols=protocols,  # type: ignore[arg-type]
            proxy=None,
            max_size=None,
            open_timeout=TIMEOUT_S,
        ) as socket:
            asked = BackMsg()
            asked.rerun_script.query_string = ""
            socket.send(asked.SerializeToString())
            session_id = ""
            while True:
                told = ForwardMsg()
                told.ParseFromString(socket.recv(timeout=TIMEOUT_S))  # type: ignore[arg-type]
                if told.WhichOneof("type") == "new_session":
                    session_id = told.new_session.initialize.session_id
                if told.WhichOneof("type") == "script_finished":
                    break
            yield socket, session_id

    def upload(self, session_id: str) -> int:
        """Send a file to the page; only the process that has the page takes it."""
        token = self.cookies["_streamlit_xsrf"]
        body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nabc\r\n--x--\r\n'
        kind = {"Content-Type": "multipart/form-data; boundary=x", "X-Xsrftoken": token}
        origin = {"Origin": f"http://{self.front.address}"}
        return self.ask("PUT", f"/_stcore/upload_file/{session_id}/{time.monotonic_ns()}", body, **kind, **origin)[0]


@contextmanager
def front_on(data_dir: Path) -> Iterator[Front]:
    environment = {
        "HELIOGRAPH_DATA_DIR": str(data_dir),
        "HELIOGRAPH_PORT": str(free_port()),
        "HELIOGRAPH_WEB_PROCESSES": str(COUNT),
    }
    settings = Settings.from_environment(environment)
    app = build_app(settings)
    app.state.migrate()
    app.lake.ping()
    app.people.adding.add(NewPerson("Ada", "ada@example.com", PASSWORD), app.clock())
    token = app.people.signing_in.sign_in("ada@example.com", PASSWORD, Browser("127.0.0.1"), app.clock())
    app.close()
    process = subprocess.Popen(
        [sys.executable, "-m", "core.web.front"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "FORWARDED_ALLOW_IPS": "", **environment},
    )
    front = Front(f"127.0.0.1:{settings.port}", token, process)
    try:
        yield front
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front_on(tmp_path_factory.mktemp("front")) as started:
        for number in range(COUNT):
            wait_until_open(started)
            started.wait_for_place(number)
        yield started


def wait_until_open(front: Front) -> None:
    end = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end and front.process.poll() is None:
        try:
            Visitor(front).ask("GET", "/healthz")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the front did not start")


def test_pages_and_what_they_ask_for_stay_in_one_process(front: Front):
    visitors = [Visitor(front) for _ in range(6)]
    for visitor in visitors:
        assert visitor.ask("GET", "/_stcore/health")[0] == 200
    assert {visitor.place for visitor in visitors} == {0, 1}
    for visitor in visitors:
        with visitor.page() as (_, session_id):
            assert [visitor.upload(session_id) for _ in range(3)] == [204, 204, 204]
            other = Visitor(front, visitor.cookies | {PLACE_COOKIE: str(1 - visitor.place)})
            assert other.upload(session_id) >= 400


def test_a_page_whose_connection_broke_is_found_again(front: Front):
    for number in range(COUNT):
        visitor = Visitor(front, {PLACE_COOKIE: str(number)})
        visitor.ask("GET", "/_stcore/health")
        with visitor.page() as (_, page):
            pass
        with visitor.page(page) as (_, again):
            assert again == page
        with Visitor(front, visitor.cookies | {PLACE_COOKIE: str(1 - number)}).page(page) as (_, elsewhere):
            assert elsewhere != page


def test_who_signs_in_and_out_by_one_process_does_so_for_both(front: Front):
    first, second = (Visitor(front, {SESSION_COOKIE: "", PLACE_COOKIE: str(number)}) for number in range(COUNT))
    assert [visitor.ask("GET", "/", Accept="text/html")[0] for visitor in (first, second)] == [303, 303]
    first.ask("GET", "/login")
    form = urlencode({"email": "ada@example.com", "password": PASSWORD, "csrf": first.cookies[CSRF_COOKIE]}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{front.address}"}
    assert first.ask("POST", "/login", form, **kind)[0] == 303
    second.cookies[SESSION_COOKIE] = first.cookies[SESSION_COOKIE]
    with second.page() as (socket, _):
        assert second.ask("GET", "/", Accept="text/html")[0] == 200
        assert first.ask("POST", "/session/end", **kind, **{SCRIPT_HEADER: "1"})[0] == 204
        with pytest.raises(ConnectionClosed) as closed:
            drain(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == SESSION_ENDED
    assert (first.place, second.place) == (0, 1)


def test_a_browser_that_strays_is_sent_back_by_a_new_connection(front: Front):
    with closing(http.client.HTTPConnection(front.address, timeout=TIMEOUT_S)) as connection:
        connection.request("GET", "/healthz", headers={"Cookie": f"{PLACE_COOKIE}=0"})
        connection.getresponse().read()
        connection.request("GET", "/healthz?a=1", headers={"Cookie": f"{PLACE_COOKIE}=1"})
        answer = connection.getresponse()
        answer.read()
    assert (answer.status, answer.headers["Location"], answer.headers["Connection"]) == (307, "/healthz?a=1", "close")


def test_who_sends_nothing_keeps_nobody_from_being_served(front: Front):
    with front_silent(front, 50):
        assert Visitor(front).ask("GET", "/healthz")[0] == 200


@contextmanager
def front_silent(front: Front, count: int) -> Iterator[None]:
    connections = [http.client.HTTPConnection(front.address) for _ in range(count)]
    for connection in connections:
        connection.connect()
    try:
        yield
    finally:
        for connection in connections:
            connection.close()


def drain(socket: ClientConnection) -> None:
    """Read on until the server is gone; raises ConnectionClosed."""
    while True:
        socket.recv(timeout=TIMEOUT_S)


def is_served(visitor: Visitor) -> bool:
    try:
        return visitor.ask("GET", "/_stcore/health")[0] == 200
    except ConnectionError:
        return False


def test_a_killed_process_comes_back_and_its_browsers_are_served_meanwhile(front: Front):
    visitor = Visitor(front, {PLACE_COOKIE: "1"})
    stays = Visitor(front, {PLACE_COOKIE: "0"})
    with visitor.page() as (socket, _), stays.page() as (other, session_id):
        killed = front.places()[1]
        os.kill(killed, signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            drain(socket)
        # The browser opens its page anew, wherever that is. What the dead one was handed last is lost with it.
        wait_until(lambda: is_served(visitor), "somebody serves the browser")
        with visitor.page() as (_, again):
            assert visitor.upload(again) == 204
        other.ping().wait(TIMEOUT_S)
        stays.ask("GET", "/_stcore/health")
        assert stays.upload(session_id) == 204
    front.wait_for_place(1)
    assert front.places()[1] != killed


def test_one_signal_ends_all_of_it(tmp_path: Path):
    with front_on(tmp_path) as front:
        wait_until_open(front)
        places = front.places()
        front.process.send_signal(signal.SIGINT)
        assert front.process.wait(timeout=30) == 0
    assert len(places) == COUNT
    assert not any(Path(f"/proc/{pid}").exists() for pid in places.values())
