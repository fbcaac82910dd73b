"""Whoever is sent away is gone within five seconds: the real service behind the real guard."""

import asyncio
import inspect

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from core import web
from core.domain.people.people import UserStatus
from core.services.people.signing_in import RECALLED
from core.state.people import sessions, users
from core.state.people.sessions import Browser as Where
from core.web.guard.cookies import SESSION_COOKIE, Cookies
from core.web.guard.guard import Guard
from core.web.guard.live_socket import SESSION_ENDED, Watch
from tests.support.application.house import PASSWORD, House
from tests.support.fakes.asgi import Browser

WITHIN_S = 5
HERE = Where("192.0.2.1", "Firefox/150.0")


async def inside(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await PlainTextResponse("inside")(scope, receive, send)
        return
    while (message := await receive())["type"] != "websocket.disconnect":
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})


@pytest.fixture
def token(house: House) -> str:
    return house.app.people.signing_in.sign_in(house.viewer.email, PASSWORD, HERE, house.now)


@pytest.fixture
def guard(house: House) -> Guard:
    watch = Watch(lambda _: False, period_s=0.01)
    return Guard(
        inside, sign_in=house.app.people.signing_in, watch=watch, clock=house.clock, cookies=Cookies(secure=False)
    )


def send_away(house: House, how: str) -> None:
    user_id = house.viewer.user_id
    with house.app.state.write() as session:
        if how == "paused":
            users.move_person(session, user_id, UserStatus.INACTIVE)
        elif how == "sessions ended":
            sessions.revoke_all(session, user_id, house.now)
        else:
            users.delete_person(session, user_id)


@pytest.mark.parametrize("how", ["paused", "sessions ended", "deleted"])
def test_an_open_page_is_closed(house: House, guard: Guard, token: str, how: str) -> None:
    browser = Browser(guard, cookies={SESSION_COOKIE: token})

    async def play() -> Message:
        incoming: asyncio.Queue[Message] = asyncio.Queue()
        outgoing: asyncio.Queue[Message] = asyncio.Queue()
        await incoming.put({"type": "websocket.connect"})
        served = asyncio.create_task(guard(browser.scope("websocket", "/_stcore/stream"), incoming.get, outgoing.put))
        assert (await asyncio.wait_for(outgoing.get(), 20))["type"] == "websocket.accept"
        send_away(house, how)
        closed = await asyncio.wait_for(outgoing.get(), 20)
        await asyncio.wait_for(served, 20)
        return closed

    closed = asyncio.run(play())
    assert (closed["type"], closed["code"]) == ("websocket.close", SESSION_ENDED)


def test_requests_are_refused_after_what_is_recalled_has_lapsed(house: House, guard: Guard, token: str) -> None:
    browser = Browser(guard, cookies={SESSION_COOKIE: token}, html=False)
    assert browser.get("/media/1").status == 200
    send_away(house, "paused")
    house.wait(RECALLED)
    assert browser.get("/media/1").status == 401


def test_a_stolen_cookie_is_worth_nothing_at_once_after_log_out(house: House, guard: Guard, token: str) -> None:
    thief = Browser(guard, cookies={SESSION_COOKIE: token}, html=False)
    assert thief.get("/media/1").status == 200
    house.app.people.signing_in.sign_out(token, house.now)
    assert thief.get("/media/1").status == 401


def test_watching_and_recalling_leave_time_to_spare() -> None:
    period_s = inspect.signature(web.middleware).parameters["watch_period_s"].default
    assert period_s + RECALLED.total_seconds() < WITHIN_S
