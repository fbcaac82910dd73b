"""Logins a second at the chosen cost of a password, and what the guard adds to a request."""

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmarks.report import Case, measured
from core import web
from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.people.permissions import Viewer
from core.services.people.adding_people import NewPerson
from core.services.people.passwords import HASHING_MAX
from core.services.people.signing_in import RECALLED
from core.state.people.sessions import Browser
from core.web.guard.guard import Guard
from pages._ui.open_pages import open_pages

EMAIL, PASSWORD = "ada@example.com", "Heliograph-test-1"
BROWSER = Browser("192.0.2.1", "benchmark")
GOAL = 1.3
# Counted in Chromium when a page is opened: the page itself, the first ping, Streamlit's health and its settings under
# two addresses. They share an answer if they come within a second. Its scripts are public, its socket is apart.
GUARDED_PER_PAGE = 5
_INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
_BLOCK = 20


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--logins", type=int, default=60)
    parser.add_argument("--requests", type=int, default=1_000)


def run(options: argparse.Namespace) -> int:
    """Log in again and again, then ask for pages with and without the guard; 1 when it costs more than promised."""
    with tempfile.TemporaryDirectory(prefix="heliograph-login-") as folder:
        app = build_app(Settings(data_dir=Path(folder), session_idle_s=10**9, session_lifetime_s=10**9))
        try:
            app.state.migrate()
            app.people.adding.add(NewPerson("Ada Lovelace", EMAIL, PASSWORD), datetime.now(UTC))
            _measure_logins(app, options.logins)
            return asyncio.run(_measure_guard(app, options.requests))
        finally:
            app.close()


def _measure_logins(app: App, count: int) -> None:
    def log_in(_: int) -> str:
        return app.people.signing_in.sign_in(EMAIL, PASSWORD, BROWSER, datetime.now(UTC))

    for workers in (1, HASHING_MAX):
        with ThreadPoolExecutor(workers) as pool:
            log_in(0)
            case = f"log in, {app.people.signing_in.passwords.parameters}, {workers} at once"
            with measured(Case("login", case, count)):
                tokens = set(pool.map(log_in, range(count)))
        assert len(tokens) == count


@dataclass(frozen=True)
class _Pinned:
    """Stands where the guard stands, and asks nobody."""

    app: ASGIApp
    viewer: Viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["viewer"] = self.viewer
        await self.app(scope, receive, send)


async def _measure_guard(app: App, count: int) -> int:
    """
    Ask for Streamlit's index page through the whole web room, in this process: no network that would hide the guard.

    Guarded and unguarded requests take turns, so that whatever else the machine does befalls both.
    """
    start = datetime.now(UTC)
    token, other = (app.people.signing_in.sign_in(EMAIL, PASSWORD, BROWSER, start) for _ in range(2))
    viewer = app.people.signing_in.identify(token, start)
    assert viewer
    moments = (start + number * RECALLED for number in itertools.count())
    plain = _Page(_site(app, lambda: start, viewer), token)
    anew = _Page(_site(app, lambda: next(moments)), other)
    recalled = _Page(_site(app, lambda: start), token)
    pages = (plain, anew, recalled)
    for number in range(count + _BLOCK):
        for page in pages:
            if number == _BLOCK:
                page.taken.clear()  # What is opened once is open now.
            await page.ask()
    unguarded, first, later = (statistics.median(page.taken) for page in pages)
    mixed = (first + (GUARDED_PER_PAGE - 1) * later) / GUARDED_PER_PAGE
    for words, seconds in (
        ("asked anew", first),
        ("asked within the same second", later),
        (f"a page's {GUARDED_PER_PAGE} requests", mixed),
    ):
        case = f"guarded request in process, {words}: {seconds / unguarded:.2f} times the unguarded one"
        Case("login", case, count, seconds * count, baseline=unguarded * count).emit()
    return 0 if mixed / unguarded < GOAL else 1


def _site(app: App, clock: Callable[[], datetime], pinned: Viewer | None = None) -> Starlette:
    async def index(_: Request) -> Response:
        return FileResponse(_INDEX)

    middleware = web.middleware(app, is_user_activity=lambda _: False, pages=open_pages, clock=clock)
    if pinned:
        pin = Middleware(_Pinned, viewer=pinned)
        middleware = [pin if _is_guard(each.cls) else each for each in middleware]
    return Starlette(routes=[*web.routes(app, clock=clock), Route("/{path:path}", index)], middleware=middleware)


def _is_guard(kind: object) -> bool:
    return kind is Guard


class _Page:
    """A browser that asks *site* for a page, and how many seconds each answer took."""

    def __init__(self, site: ASGIApp, token: str) -> None:
        self._site = site
        self._headers = [
            (b"host", b"testserver"),
            (b"accept", b"text/html"),
            (b"cookie", f"{web.SESSION_COOKIE}={token}".encode()),
        ]
        self.taken: list[float] = []

    async def ask(self) -> None:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        start = time.perf_counter()
        await self._site(self._scope(), receive, send)
        self.taken.append(time.perf_counter() - start)
        assert sent[0]["status"] == 200
        assert b"watch.js" in sent[1]["body"]

    def _scope(self) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "root_path": "",
            "headers": self._headers,
            "client": ("192.0.2.1", 50_000),
            "server": ("testserver", 80),
            "state": {},
        }
