import asyncio
import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher
from starlette.types import Message

from core.errors import Busy
from core.services.people.passwords import RETRY_AFTER_S, WAITING_MAX, HashingQueue, Passwords
from core.web.guard import limits
from core.web.guard.limits import FORM_MAX_BYTES, BodyLimit
from core.web.guard.next_page import ENTRANCE
from tests.support.fakes.asgi import Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.fake_sign_in import ADA, LINK, PASSWORD, SETUP_TOKEN, FakeApplication, FakeSignIn
from tests.unit.web.conftest import build
from tests.unit.web.entrance.test_sign_in import csrf_of

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("path", ["/login", "/setup"])
@pytest.mark.parametrize("piece_count", [1, 10])
def test_oversized_form_is_refused_however_it_arrives(
    browser: Browser, sign_in: FakeSignIn, path: str, piece_count: int
) -> None:
    piece = b"x" * (FORM_MAX_BYTES // piece_count + 1)
    assert browser.ask("POST", path, FORM | {"content-length": "1"}, [piece] * piece_count).status == 413
    assert sign_in.addresses == []


def test_form_at_the_limit_is_read(browser: Browser) -> None:
    assert browser.ask("POST", "/login", FORM, [b"a=", b"x" * (FORM_MAX_BYTES - 2)]).status == 400


def test_other_paths_have_their_own_limits(browser: Browser) -> None:
    browser.html = False
    assert browser.ask("PUT", "/_stcore/upload_file/s/f", {}, [b"x" * (FORM_MAX_BYTES + 1)]).status == 401


@pytest.mark.parametrize("path", sorted(ENTRANCE))
def test_whoever_leaves_in_the_middle_of_a_form_is_no_fault(browser: Browser, path: str) -> None:
    # As it was: a line of traceback in the log for each call on the way, whenever a stranger liked.
    assert browser.leave("POST", path, FORM | {"content-length": "500"}) == []


def test_a_form_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FORM_S", 0.05)
    sent: list[Message] = []
    begun: list[Message] = [{"type": "http.request", "body": b"a", "more_body": True}]

    async def receive() -> Message:
        if not begun:
            await asyncio.sleep(10)
        return begun.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    async def never(*_: object) -> None:
        pytest.fail("was passed on without its form")

    async def ask() -> None:
        async with asyncio.timeout(5):
            await BodyLimit(never, paths={"/login"})({"type": "http", "path": "/login"}, receive, send)

    asyncio.run(ask())
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


FORMS = {
    "/login": {"email": ADA.email, "password": PASSWORD},
    "/invitation": {"token": LINK, "name": "Ben", "password": PASSWORD, "confirm": PASSWORD},
    "/reset": {"token": LINK, "password": PASSWORD, "confirm": PASSWORD},
    "/setup": {"token": SETUP_TOKEN, "name": "A", "email": "a@b.de", "password": PASSWORD, "confirm": PASSWORD},
}


@pytest.mark.parametrize("path", FORMS)
def test_nobody_joins_a_long_queue_of_passwords_and_health_is_answered_meanwhile(
    application: FakeApplication, sign_in: FakeSignIn, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(build(application, StoppedClock()))
    if path == "/setup":
        sign_in.viewers.clear()
    csrf = csrf_of(browser.get(f"{path}?token={LINK}"))
    full = SimpleNamespace(statistics=lambda: SimpleNamespace(tasks_waiting=WAITING_MAX))
    monkeypatch.setattr(limits, "_hashing", full)
    answer = browser.post(path, {"csrf": csrf} | FORMS[path])
    assert (answer.status, answer.header("retry-after")) == (503, str(RETRY_AFTER_S))
    assert "Too many people are logging in right now." in answer.text
    assert PASSWORD not in answer.text
    assert browser.get("/healthz").status == 200
    assert not application.people.links.done
    assert not sign_in.sessions


def test_whoever_hashes_waits_for_a_turn_or_is_refused() -> None:
    queue = HashingQueue(at_once=2, waiting=0)
    with queue.take(), queue.take():
        with pytest.raises(Busy) as refused, queue.take():
            pytest.fail("hashed beside the others")
        assert refused.value.retry_after_s == RETRY_AFTER_S
    # All are free again, the refused one's too.
    with queue.take(), queue.take():
        pass


def test_whoever_waits_gets_his_turn() -> None:
    queue, done = HashingQueue(at_once=1, waiting=1), threading.Event()

    def work() -> None:
        with queue.take():
            done.set()

    waiting = threading.Thread(target=work)
    with queue.take():
        waiting.start()
    waiting.join()
    assert done.is_set()


@pytest.mark.parametrize("ask", [lambda it: it.hash("Copper-kettle-19"), lambda it: it.verify("", "x")])
def test_no_password_is_hashed_out_of_turn(ask: Callable[[Passwords], object]) -> None:
    queue = HashingQueue(at_once=1, waiting=0)
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1), queue)
    with queue.take(), pytest.raises(Busy):
        ask(passwords)
