"""A provider's HTTP interface on a real socket, which answers as a test has it."""

import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it came; names of headers in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> object:
        return json.loads(self.body)


@dataclass(frozen=True)
class Said:
    """An answer; *is_last* closes the connection after it."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    is_last: bool = False


@dataclass(frozen=True)
class Raw:
    """
    Octets in place of an answer, after which the connection is closed, or stays open as long as the provider.

    Those of *then* follow, each a moment after the one before.
    """

    octets: bytes = b""
    stays: bool = False
    then: Sequence[bytes] = ()


def said_json(status: int, document: object, **headers: str) -> Said:
    return Said(status, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


class ScriptedProvider(socketserver.ThreadingTCPServer):
    """Listens on a port that the system chose; *script* answers, and *asked* has what it was asked."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 200

    def __init__(self, script: Callable[[Asked], Said | Raw], certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.asked: list[Asked] = []
        self.connection_count = 0
        self.closed_count = 0
        self.over = threading.Event()
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate)

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"


class _Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: ScriptedProvider

    def setup(self) -> None:
        self.server.connection_count += 1
        if self.server.tls:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        # What TLS was wrapped around is closed by the server, the wrapper by nobody.
        self.request.close()
        self.server.closed_count += 1

    def handle(self) -> None:
        try:
            while (asked := self._read()) is not None:
                self.server.asked.append(asked)
                answer = self.server.script(asked)
                if isinstance(answer, Raw):
                    self.wfile.write(answer.octets)
                    for octets in answer.then:
                        self.server.over.wait(0.05)
                        self.wfile.write(octets)
                    if answer.stays:
                        self.server.over.wait()
                    return
                self._say(answer)
                if answer.is_last:
                    return
        except OSError:
            # The gateway has left.
            return

    def _read(self) -> Asked | None:
        if self.rfile.peek(1)[:1] == b"\x16":
            # The beginning of TLS, which may have no end of a line.
            self.wfile.write(b"HTTP/1.1 400 TLS\r\n\r\n")
            return None
        first = self.rfile.readline().decode("latin-1").split()
        if len(first) != 3:
            return None
        headers = {}
        while line := self.rfile.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        return Asked(first[0], first[1], headers, body)

    def _say(self, answer: Said) -> None:
        headers = {"Content-Length": str(len(answer.body)), **answer.headers}
        head = f"HTTP/1.1 {answer.status} Said\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.wfile.write(head.encode("latin-1") + b"\r\n" + answer.body)


class QuietProvider(ScriptedProvider):
    """One whose clients may break off, as in a handshake that they do not like."""

    def handle_error(self, request: object, client_address: object) -> None: ...


@contextmanager
def provider(script: Callable[[Asked], Said | Raw], certificate: Path | None = None) -> Iterator[ScriptedProvider]:
    """Run a provider."""
    with QuietProvider(script, certificate) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join(10)


@contextmanager
def nobody() -> Iterator[str]:
    """Hold a port on which nobody listens, and yield its address."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
