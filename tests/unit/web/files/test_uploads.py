"""Files on their way in: who may send them, how large they are, and how many."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from anyio import to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from core.domain.people.permissions import Permission, Viewer
from core.web.files.uploads import (
    COMES_BACK_WITHIN,
    DROPPED_BYTES,
    FRAME_BYTES,
    PICTURE_BYTES,
    UPLOADS,
    UploadLimits,
    Uploads,
)
from tests.support.fakes.asgi import Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.open_pages import FakePages

MIB = 1 << 20
IMPORTER = Viewer("1", "Ada", "ada@example.com", frozenset({Permission.DISTRIBUTION_LISTS}))
READER = Viewer("2", "Ben", "ben@example.com", frozenset({Permission.STATISTICS}))
LIMITS = UploadLimits(4 * MIB, person_files=3, person_files_bytes=8 * MIB, all_bytes=10 * MIB, silence_s=0.01)


class House:
    """A place that keeps what is sent, as Streamlit does, behind the middleware."""

    def __init__(self) -> None:
        self.kept: dict[str, int] = {}
        self.viewer = IMPORTER
        self.clock = StoppedClock()
        self.pages = FakePages(holds=self.holds)
        self.on_put: Callable[[], object] = lambda: None
        route = Route("/{path:path}", self.take, methods=["GET", "PUT", "DELETE"])
        middleware = [Middleware(self.sign_in), Middleware(Uploads, limits=LIMITS, clock=self.clock, pages=self.pages)]
        self.browser = Browser(Starlette(routes=[route], middleware=middleware), html=False)

    def sign_in(self, app: ASGIApp) -> ASGIApp:
        async def signed_in(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = {"viewer": self.viewer}
            await app(scope, receive, send)

        return signed_in

    async def take(self, request: Request) -> Response:
        if request.method == "DELETE":
            if "kept" in request.url.path:
                return PlainTextResponse("refused", 403)
            self.kept.pop(request.url.path, None)
        if request.method == "PUT" and "nonsense" in request.url.path:
            return PlainTextResponse("refused", 400)
        if request.method == "PUT":
            byte_count = len(await request.body())
            await to_thread.run_sync(self.on_put)
            self.kept[request.url.path] = byte_count
        return PlainTextResponse("taken")

    def holds(self, session_id: str, file_id: str) -> bool:
        return f"{UPLOADS}{session_id}/{file_id}" in self.kept

    def put(self, name: str, byte_count: int, headers: dict[str, str] | None = None) -> int:
        pieces = [b"x" * min(MIB, byte_count - start) for start in range(0, byte_count, MIB)]
        return self.browser.ask("PUT", f"{UPLOADS}session/{name}", headers, pieces).status

    def delete(self, name: str) -> int:
        return self.browser.ask("DELETE", f"{UPLOADS}session/{name}").status


@pytest.fixture
def house() -> House:
    return House()


def test_a_file_within_the_limits_is_taken(house: House) -> None:
    assert house.put("a", 4 * MIB + FRAME_BYTES) == 200
    assert list(house.kept.values()) == [4 * MIB + FRAME_BYTES]


def test_a_larger_one_is_cut_off_and_not_kept_whatever_its_header_says(house: House) -> None:
    assert house.put("a", 5 * MIB, {"Content-Length": "10"}) == 413
    assert not house.kept
    assert house.put("a", 1) == 200


def test_who_imports_nothing_may_send_a_picture_and_no_more(house: House) -> None:
    house.viewer = READER
    assert house.put("a", PICTURE_BYTES + 1) == 413
    assert house.put("b", PICTURE_BYTES) == 200


def test_one_person_may_have_some_files_and_bytes_here_however_long_it_takes(house: House) -> None:
    # As it was: after ten minutes the same person could send as much again, on and on, while Streamlit held it all.
    assert [house.put(name, 1) for name in "abcd"] == [200, 200, 200, 429]
    house.clock.advance(seconds=timedelta(hours=10).total_seconds())
    assert [house.put("d", 1), len(house.kept)] == [429, 3]
    house.kept.clear()
    assert [house.put("d", 4 * MIB), house.put("e", 4 * MIB), house.put("f", 1)] == [200, 200, 429]


def test_who_comes_back_in_time_finds_the_files_and_what_is_left_behind_is_let_go(house: House) -> None:
    assert [house.put(name, 1) for name in "abc"] == [200, 200, 200]
    house.pages.is_open = lambda _: False
    assert house.put("d", 1) == 429
    house.pages.is_open = lambda _: True
    house.clock.advance(seconds=COMES_BACK_WITHIN.total_seconds())
    assert [house.put("d", 1), house.pages.gone] == [429, []]
    house.pages.is_open = lambda _: False
    assert house.put("d", 1) == 429
    house.clock.advance(seconds=COMES_BACK_WITHIN.total_seconds())
    assert [house.put("d", 1), set(house.pages.gone)] == [200, {"session"}]


def test_a_clock_that_is_set_back_keeps_nobody_s_files_for_ever(house: House) -> None:
    assert [house.put(name, 1) for name in "abc"] == [200, 200, 200]
    house.pages.is_open = lambda _: False
    assert house.put("d", 1) == 429
    house.clock.advance(seconds=-86_400)
    assert house.put("d", 1) == 429
    house.clock.advance(seconds=COMES_BACK_WITHIN.total_seconds())
    assert house.put("d", 1) == 200


def test_what_is_refused_is_read_to_its_end_so_that_the_browser_sees_why(house: House) -> None:
    # As it was: the connection ended while the browser was sending, and all it showed was that.
    for name, status in (("a", 413), ("b", 413)):
        rest = [b"x" * MIB for _ in range(20)]
        assert house.browser.ask("PUT", f"{UPLOADS}session/{name}", None, rest).status == status
        assert house.browser.unread == 0
    foreign = house.browser.ask("PUT", f"{UPLOADS}session/c", {"Origin": "https://evil.example"}, [b"x" * MIB] * 3)
    assert (foreign.status, house.browser.unread) == (403, 0)


def test_what_is_refused_further_in_is_read_to_its_end_too(house: House) -> None:
    assert house.browser.ask("PUT", f"{UPLOADS}session/nonsense", None, [b"x" * MIB] * 3).status == 400
    assert house.browser.unread == 0


def test_what_is_longer_than_anything_is_not_read_to_its_end(house: House) -> None:
    house.browser.ask("PUT", f"{UPLOADS}session/a", None, [b"x" * MIB] * ((DROPPED_BYTES >> 20) + 40))
    assert house.browser.unread > 10


def test_all_people_together_do_not_fill_the_memory(house: House) -> None:
    assert [house.put("a", 4 * MIB), house.put("b", 4 * MIB)] == [200, 200]
    house.viewer = READER
    assert [house.put("c", PICTURE_BYTES), house.put("d", 100)] == [503, 200]


def test_an_upload_that_is_taken_back_counts_no_more_and_only_its_sender_may(house: House) -> None:
    assert [house.put(name, 1) for name in "abc"] == [200, 200, 200]
    house.viewer = READER
    assert house.delete("a") == 404
    house.viewer = IMPORTER
    assert house.delete("a") == 200
    assert [house.put("d", 1), house.put("e", 1)] == [200, 429]


def test_nobody_writes_over_another_s_upload(house: House) -> None:
    assert house.put("a", 5) == 200
    house.viewer = READER
    assert house.put("a", 9) == 409
    assert list(house.kept.values()) == [5]


def test_nobody_sends_a_file_into_another_s_page_or_takes_one_out(house: House) -> None:
    # As it was: who knew the page's id, which is random, could.
    house.pages.is_open_to = lambda user_id, session_id: (user_id, session_id) == (IMPORTER.user_id, "session")
    assert house.put("a", 1) == 200
    house.viewer = READER
    assert [house.put("b", 1), house.delete("a"), house.delete("b"), len(house.kept)] == [404, 404, 404, 1]


def test_another_site_s_page_sends_nothing(house: House) -> None:
    assert house.put("a", 1, {"Origin": "https://evil.example"}) == 403


def test_what_is_refused_further_in_counts_for_nothing(house: House) -> None:
    # As it was: the fourth try was told "Too many uploads", and the second one at its address "sent already".
    assert [house.put("nonsense", 1) for _ in range(5)] == [400] * 5
    assert [house.put(name, 1) for name in "abc"] == [200, 200, 200]


def test_whoever_leaves_while_sending_is_no_fault_and_leaves_nothing(house: House) -> None:
    # As it was: each file that somebody took back on its way was a traceback in the log.
    assert house.browser.leave("PUT", f"{UPLOADS}session/a", {"content-length": "500"}) == []
    assert not house.kept
    assert [house.put(name, 1) for name in "abcd"] == [200, 200, 200, 429]


def test_whoever_falls_silent_while_sending_holds_no_place(house: House) -> None:
    # As it was: three files of a browser that lost its network, and the person could send none until a restart.
    for name in "abcd":
        assert house.browser.leave("PUT", f"{UPLOADS}session/{name}", silently=True)[0]["status"] == 408
    assert not house.kept
    assert house.put("a", 1) == 200


def test_a_removal_that_is_refused_frees_no_room(house: House) -> None:
    # As it was: DELETE without Streamlit's own token was refused there, the file stayed, and was counted no more.
    assert [house.put(name, 1) for name in ("kept-a", "b", "c")] == [200, 200, 200]
    assert house.delete("kept-a") == 403
    assert [house.put("d", 1), len(house.kept)] == [429, 3]


def test_a_removal_that_overtakes_its_file_frees_no_room(house: House) -> None:
    house.on_put = lambda: house.delete("a")
    assert house.put("a", 1) == 200
    house.on_put = lambda: None
    assert [house.put(name, 1) for name in "bcd"] == [200, 200, 429]
