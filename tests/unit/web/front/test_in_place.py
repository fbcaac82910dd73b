import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from core.web.front.in_place import InPlace
from tests.support.fakes.asgi import Answer, Browser


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    response = PlainTextResponse("page")
    response.set_cookie("other", "1")
    await response(scope, receive, send)


def ask(cookie: str = "", path: str = "/a?b=c", *, secure: bool = False, has_moved: bool = False) -> Answer:
    place = InPlace(page, number=1, count=3, secure=secure, has_moved=has_moved)
    name = "__Host-heliograph_place" if secure else "heliograph_place"
    return Browser(place, {name: cookie} if cookie else {}).ask("GET", path, {})


def test_a_browser_that_comes_first_is_told_its_place_and_keeps_its_other_cookies():
    answer = ask()
    assert answer.text == "page"
    assert [cookie.partition(";")[0] for cookie in answer.set_cookies] == ["other=1", "heliograph_place=1"]
    assert answer.set_cookies[-1] == "heliograph_place=1; Path=/; HttpOnly; SameSite=Lax"


def test_over_tls_the_cookie_goes_over_tls_only():
    assert ask(secure=True).set_cookies[-1].endswith("HttpOnly; SameSite=Lax; Secure")


def test_who_is_in_its_place_is_told_nothing():
    assert ask("1").set_cookies == ["other=1; Path=/; SameSite=lax"]


@pytest.mark.parametrize("cookie", ["3", "999", "x", "-1"])
def test_a_place_that_does_not_exist_is_forgotten(cookie: str):
    assert "heliograph_place=1; Path=/; HttpOnly; SameSite=Lax" in ask(cookie).set_cookies


def test_who_strays_is_sent_to_open_another_connection():
    answer = ask("2")
    assert (answer.status, answer.header("Location"), answer.header("Connection")) == (307, "/a?b=c", "close")
    assert answer.set_cookies == []


def test_whose_place_is_gone_stays():
    answer = ask("2", has_moved=True)
    assert answer.text == "page"
    assert "heliograph_place=1; Path=/; HttpOnly; SameSite=Lax" in answer.set_cookies


@pytest.mark.parametrize("path", ["//other.example/a", "/\\other.example"])
def test_nobody_is_sent_to_another_host(path: str):
    assert ask("2", path).text == "page"


def test_a_socket_tells_the_place_when_it_opens():
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "query_string": b"", "headers": []}
    asyncio.run(InPlace(page, number=1, count=3, secure=False, has_moved=False)(scope, receive, send))
    assert sent == [
        {
            "type": "websocket.accept",
            "headers": [(b"set-cookie", b"heliograph_place=1; Path=/; HttpOnly; SameSite=Lax")],
        }
    ]
