"""The guard around the real Streamlit server: what a stranger gets, and how long a websocket lives."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from core.web.guard.cookies import SESSION_COOKIE
from core.web.guard.live_socket import SESSION_ENDED
from tests.support.fakes.fake_sign_in import ADA
from tests.support.fakes.file_sign_in import FileSignIn

TIMEOUT_S = 30
GUARDED = [
    ("GET", "/"),
    ("GET", "/campaigns"),
    ("GET", "/media/0123.csv"),
    ("GET", "/_stcore/host-config"),
    ("GET", "/_stcore/metrics"),
    ("GET", "/_stcore/script-health-check"),
    ("GET", "/_stcore/agent/openapi.json"),
    ("POST", "/_stcore/agent/interact"),
    ("POST", "/_stcore/agent/mcp"),
    ("GET", "/_stcore/stream"),
    ("GET", "/_stcore/bidi-components/test_component/index.js"),
    ("PUT", "/_stcore/upload_file/session/file"),
    ("DELETE", "/_stcore/upload_file/session/file"),
    ("OPTIONS", "/_stcore/upload_file/session/file"),
    ("GET", "/component/x/index.html"),
    ("GET", "/app/static/secret.csv"),
    ("GET", "/auth/login"),
    ("GET", "/oauth2callback"),
    ("GET", "/manifest.json"),
    ("GET", "/index.html"),
    ("GET", "/session/ping"),
    ("GET", "/static/../media/0123.csv"),
    ("GET", "/static/%2e%2e/media/0123.csv"),
    ("GET", "/assets/../../site.py"),
]


def ask(address: str, method: str, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT_S)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode(errors="replace")
    finally:
        connection.close()


@contextmanager
def stream(address: str, token: str) -> Iterator[ClientConnection]:
    headers = {"Cookie": f"{SESSION_COOKIE}={token}"} if token else {}
    url = f"ws://{address}/_stcore/stream"
    with connect(url, additional_headers=headers, subprotocols=["streamlit"], proxy=None) as websocket:  # type: ignore[list-item]
        yield websocket


def rerun(websocket: ClientConnection, **state: bool) -> None:
    """Have the script run, and wait until it has."""
    websocket.send(BackMsg(rerun_script=ClientState(**state)).SerializeToString())
    while True:
        message = ForwardMsg()
        message.ParseFromString(websocket.recv(timeout=TIMEOUT_S))  # type: ignore[arg-type]
        if message.WhichOneof("type") == "script_finished":
            return


def drain(websocket: ClientConnection) -> None:
    """Read on until the server closes the connection; raises ConnectionClosed."""
    while True:
        websocket.recv(timeout=TIMEOUT_S)


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_stranger_gets_nothing(address: str, method: str, path: str) -> None:
    status, _, body = ask(address, method, path, Accept="*/*")
    assert (status, body) == (401, "Not logged in.")


@pytest.mark.parametrize(("method", "path"), [pair for pair in GUARDED if pair[0] == "GET"])
def test_stranger_in_a_browser_is_sent_to_the_login_page(address: str, method: str, path: str) -> None:
    status, headers, _ = ask(address, method, path, Accept="text/html")
    assert status == 303
    assert headers["Location"].startswith("/login")


@pytest.mark.parametrize("path", ["/login", "/healthz", "/_stcore/health", "/favicon.png", "/favicon.ico"])
def test_the_way_in_is_public(address: str, path: str) -> None:
    assert ask(address, "GET", path)[0] == 200


def test_streamlits_bundle_is_public_so_that_a_dead_tab_can_still_leave(address: str, sign_in: FileSignIn) -> None:
    _, _, page = ask(address, "GET", "/", Accept="text/html", Cookie=f"{SESSION_COOKIE}={sign_in.start(ADA)}")
    script = page.split('crossorigin src="./static/', 1)[1].split('"', 1)[0]
    status, headers, _ = ask(address, "GET", f"/static/{script}")
    assert status == 200
    assert "javascript" in headers["Content-Type"]


def test_signed_in_browser_gets_the_page_with_the_watch_script(address: str, sign_in: FileSignIn) -> None:
    cookie = f"{SESSION_COOKIE}={sign_in.start(ADA)}"
    status, headers, page = ask(address, "GET", "/campaigns", Accept="text/html", Cookie=cookie)
    assert status == 200
    assert 'data-user-id="user-ada"' in page
    assert "<title>Heliograph</title>" in page
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("token", ["", "forged"])
def test_websocket_is_refused_to_strangers(address: str, token: str) -> None:
    with pytest.raises(InvalidStatus) as refusal, stream(address, token):
        pass
    assert refusal.value.response.status_code == 403


def test_websocket_is_closed_when_the_session_is_revoked(address: str, sign_in: FileSignIn) -> None:
    token = sign_in.start(ADA)
    with stream(address, token) as websocket:
        rerun(websocket)
        sign_in.revoke(token)
        with pytest.raises(ConnectionClosed) as closed:
            drain(websocket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == SESSION_ENDED
    with pytest.raises(InvalidStatus), stream(address, token):
        pass


def test_only_what_a_person_does_keeps_the_session_awake(address: str, sign_in: FileSignIn) -> None:
    token = sign_in.start(ADA)
    with stream(address, token) as websocket:
        for _ in range(3):
            rerun(websocket, is_auto_rerun=True)
        assert sign_in.touched(token) == 0
        rerun(websocket)
        assert sign_in.touched(token) == 1
