"""A browser without a network: speaks ASGI to an application, keeps cookies, follows nothing by itself."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote, urlencode

from starlette.types import ASGIApp, Message


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return the one header of this name, or "" when there is none."""
        found = [value for key, value in self.headers if key == name.lower()]
        assert len(found) <= 1, f"{name} was sent {len(found)} times"
        return found[0] if found else ""

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def set_cookies(self) -> list[str]:
        return [value for key, value in self.headers if key == "set-cookie"]


@dataclass
class Browser:
    """*html* says whether it asks for pages, as an address bar does, or for anything, as a script does."""

    app: ASGIApp
    cookies: dict[str, str] = field(default_factory=dict)
    html: bool = True
    address: str = "203.0.113.7"
    # Pieces of the latest request's body that nobody has read.
    unread: int = 0

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("GET", path, headers)

    def post(self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, {**kind, **(headers or {})}, [urlencode(form).encode()])

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: list[bytes] | None = None
    ) -> Answer:
        """Send *body* in the given pieces; no Content-Length unless *headers* bring one."""
        scope = self.scope("http", path, headers) | {"method": method}
        pieces: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in body or []]
        pieces.append({"type": "http.request", "body": b"", "more_body": False})
        answer = asyncio.run(_exchange(self.app, scope, pieces))
        self.unread = len(pieces)
        for value in answer.set_cookies:
            self._keep(value)
        return answer

    def leave(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, *, silently: bool = False
    ) -> list[Message]:
        """
        Begin to send a body and leave before its end; return what is answered to nobody.

        *silently*: as a browser that lost its network, which does not say that it leaves.
        """
        scope = self.scope("http", path, headers) | {"method": method}
        pieces: list[Message] = [{"type": "http.request", "body": b"begun", "more_body": True}]
        return asyncio.run(_told(self.app, scope, pieces, says_end=not silently))

    def scope(self, kind: str, path: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return an ASGI scope as uvicorn makes it."""
        raw_path, _, query = path.partition("?")
        sent = {"host": "testserver", "accept": "text/html,*/*" if self.html else "*/*"}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        return {
            "type": kind,
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "http" if kind == "http" else "ws",
            "path": unquote(raw_path),
            "raw_path": raw_path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
            "client": (self.address, 50_000),
            "server": ("testserver", 80),
            "state": {},
        }

    def _keep(self, set_cookie: str) -> None:
        for name, morsel in SimpleCookie(set_cookie).items():
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value


async def _exchange(app: ASGIApp, scope: dict[str, Any], pieces: list[Message]) -> Answer:
    sent = await _told(app, scope, pieces)
    start = sent[0]
    assert start["type"] == "http.response.start"
    headers = [(name.decode().lower(), value.decode("latin-1")) for name, value in start["headers"]]
    return Answer(start["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


async def _told(app: ASGIApp, scope: dict[str, Any], pieces: list[Message], *, says_end: bool = True) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        if not pieces and not says_end:
            await asyncio.Event().wait()
        return pieces.pop(0) if pieces else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent
