"""The addresses that providers report to, without a store: who is heard, who is refused, and what that costs."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from core.domain.messages.messages import Receipt, Reply
from core.domain.messages.strays import StrayReason
from core.errors import StorageError
from core.gateways.callbacks import CallbackRequest, Heard, SignatureRefused, UnreadableCallback
from core.web.callbacks import callbacks as module
from core.web.callbacks import group_commit
from core.web.callbacks.callbacks import BODY_MAX_BYTES, Callbacks
from core.web.guard.visitors import AT_ONCE
from tests.support.fakes.asgi import Browser
from tests.support.fakes.callbacks import FakeCallbacks
from tests.support.fakes.clock import StoppedClock

TOKEN = "t" * 43
PATH = f"/callbacks/{TOKEN}"
asked: list[CallbackRequest] = []


def read(request: CallbackRequest) -> Heard:
    """Read the body's words: an id each, or what goes wrong."""
    asked.append(request)
    words = request.body.decode().split()
    if "forged" in words:
        raise SignatureRefused("the signature is wrong")
    if "garbage" in words:
        raise UnreadableCallback("no JSON")
    receipts = tuple(Receipt("Berlin", word, "DELIVRD", "", request.received_at) for word in words if word != "odd")
    return Heard(receipts, (), words.count("odd"))


@pytest.fixture
def told() -> FakeCallbacks:
    asked.clear()
    return FakeCallbacks({TOKEN: read})


@pytest.fixture
def browser(told: FakeCallbacks, clock: StoppedClock) -> Browser:
    return Browser(Callbacks(inside, callbacks=told, clock=clock, address="https://sms.example.com"), html=False)


async def inside(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_what_is_told_is_stored_before_it_is_answered(browser: Browser, told: FakeCallbacks):
    answer = browser.ask("POST", f"{PATH}?a=1&b=%20", {"X-Signature": "s"}, [b"one ", b"two"])
    assert (answer.status, answer.body, answer.header("cache-control")) == (200, b"", "no-store")
    assert [receipt.gateway_message_id for receipt in told.receipts] == ["one", "two"]
    (request,) = asked
    assert (request.method, request.query, request.body) == ("POST", "a=1&b=%20", b"one two")
    # What signatures are made over is the address the provider was given, not the one a proxy asks.
    assert request.url == f"https://sms.example.com{PATH}?a=1&b=%20"
    assert (request.headers["x-signature"], request.address) == ("s", "203.0.113.7")


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_providers_choose_how_they_ask(browser: Browser, method: str):
    assert browser.ask(method, f"{PATH}?x=1").status == 200


@pytest.mark.parametrize("method", ["DELETE", "HEAD", "OPTIONS", "PATCH"])
def test_other_methods_are_none(browser: Browser, method: str):
    answer = browser.ask(method, PATH)
    assert (answer.status, answer.header("allow")) == (405, "GET, POST, PUT")
    assert asked == []


@pytest.mark.parametrize("path", ["/callbacks", "/callbackss/x", "/login", "/"])
def test_everything_else_is_somebody_elses(browser: Browser, told: FakeCallbacks, path: str):
    assert browser.get(path).status == 204
    assert told.look_count == 0


@pytest.mark.parametrize(("body", "status"), [(b"forged", 403), (b"garbage", 400)])
def test_what_cannot_be_believed_or_read_is_refused(
    browser: Browser, told: FakeCallbacks, body: bytes, status: int, caplog: pytest.LogCaptureFixture
):
    assert browser.ask("POST", PATH, {}, [b"one", b" ", body]).status == status
    assert told.commits == []
    assert TOKEN not in caplog.text
    assert caplog.records[0].gateway == "Gateway 0"


def test_what_is_no_receipt_is_kept_to_be_looked_at_and_answered(browser: Browser, told: FakeCallbacks):
    # A provider that gets no 200 sends it again for days.
    assert browser.ask("POST", PATH, {}, [b"odd odd"]).status == 200
    (stray,) = told.strays
    assert (stray.gateway, stray.reason, stray.content) == ("Gateway 0", StrayReason.OTHER_KIND, "odd odd")


@pytest.mark.parametrize("fault", [StorageError("No room."), None])
def test_what_cannot_be_stored_is_asked_for_again(browser: Browser, told: FakeCallbacks, fault: Exception | None):
    told.fault = fault
    answer = browser.ask("POST", PATH, {}, [b"one"])
    assert (answer.status, answer.header("retry-after")) == ((503, "5") if fault else (200, ""))


def test_a_stranger_costs_no_octet_no_thread_and_one_look_a_second(browser: Browser, told: FakeCallbacks):
    for number in range(50):
        answer = browser.ask("POST", f"/callbacks/{number}", {}, [b"x"] * 100)
        assert (answer.status, answer.header("connection")) == (404, "close")
        # All of the body, and its end.
        assert browser.unread == 101
    assert told.look_count == 1
    told.age = 1.1
    browser.ask("POST", "/callbacks/51")
    assert told.look_count == 2


@pytest.mark.parametrize(
    "path", ["/callbacks/", "/callbacks/x/y", f"{PATH}/", f"{PATH}x", "/callbacks/%ff%00", f"/callbacks/{TOKEN[:-1]}"]
)
def test_what_is_nearly_a_token_is_none(browser: Browser, path: str):
    assert browser.get(path).status == 404


def test_who_guesses_is_held_up_and_who_knows_is_not(browser: Browser):
    statuses = [browser.get(f"/callbacks/{number}").status for number in range(AT_ONCE + 5)]
    assert statuses == [404] * AT_ONCE + [429] * 5
    assert [browser.ask("POST", PATH, {}, [b"one"]).status for _ in range(20)] == [200] * 20
    # Whoever signs wrongly guesses as well.
    assert browser.ask("POST", PATH, {}, [b"forged"]).status == 429


def test_a_token_that_was_made_a_moment_ago_is_known(browser: Browser, told: FakeCallbacks):
    assert browser.get("/callbacks/new").status == 404
    told.readers["new"] = read
    del told.readers[TOKEN]
    told.age = 1.1
    assert browser.ask("POST", PATH, {}, [b"one"]).status == 404
    assert browser.ask("POST", "/callbacks/new", {}, [b"one"]).status == 200


def test_while_the_store_does_not_answer_nobody_is_told_that_they_are_unknown(browser: Browser, told: FakeCallbacks):
    told.blind = True
    assert browser.get(PATH).status == 503
    told.blind = False
    assert browser.get(PATH).status == 200
    told.blind, told.age = True, 60.0
    assert browser.ask("POST", PATH, {}, [b"one"]).status == 200


def test_what_cannot_be_read_for_now_is_asked_for_again(browser: Browser, told: FakeCallbacks):
    told.readers[TOKEN] = None
    assert browser.ask("POST", PATH, {}, [b"one"]).status == 503


def test_an_oversized_body_is_refused_and_dropped(browser: Browser, told: FakeCallbacks):
    piece = b"x" * (BODY_MAX_BYTES // 4)
    assert browser.ask("POST", PATH, {}, [piece] * 4).status == 200
    assert browser.ask("POST", PATH, {}, [*[piece] * 4, b"x"]).status == 413
    assert len(asked) == 1
    assert told.commits == [1]


def test_more_than_fits_in_memory_is_asked_for_again(browser: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "HELD_MAX_BYTES", 100)
    assert browser.ask("POST", PATH, {}, [b"x" * 101]).status == 503
    # What was held is let go.
    assert browser.ask("POST", PATH, {}, [b"x" * 100]).status == 200


def test_a_body_that_does_not_come_to_its_end_is_not_waited_for(browser: Browser, monkeypatch: pytest.MonkeyPatch):
    assert browser.leave("POST", PATH) == []
    monkeypatch.setattr(module, "BODY_S", 0.01)
    assert browser.leave("POST", PATH, silently=True)[0]["status"] == 408
    assert asked == []


def test_a_large_body_is_read_beside_the_others(browser: Browser, told: FakeCallbacks):
    words = b" ".join(f"id-{number}".encode() for number in range(4_000))
    assert len(words) > module.SMALL_BYTES
    assert browser.ask("POST", PATH, {}, [words]).status == 200
    assert told.commits == [4_000]


def post(app: Callbacks, browser: Browser, body: bytes, path: str = PATH) -> "asyncio.Task[int]":
    async def run() -> int:
        sent: list[Message] = []
        pieces: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return pieces.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        await app(browser.scope("http", path) | {"method": "POST"}, receive, send)
        return sent[0]["status"]

    return asyncio.ensure_future(run())


def test_what_one_gateway_holds_keeps_no_other_out(
    told: FakeCallbacks, browser: Browser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "HELD_OF_ONE_MAX_BYTES", 100)
    other = "o" * 43
    told.readers[other] = read

    async def crowd() -> list[int]:
        told.open.clear()
        held = post(browser.app, browser, b"x" * 60)
        assert await asyncio.to_thread(told.began.wait, 30)
        refused = await post(browser.app, browser, b"x" * 60)
        heard = post(browser.app, browser, b"y" * 60, f"/callbacks/{other}")
        await asyncio.sleep(0)
        told.open.set()
        return [refused, await held, await heard, await post(browser.app, browser, b"z" * 60)]

    assert asyncio.run(crowd()) == [503, 200, 200, 200]


def test_a_burst_is_stored_in_a_few_commits_and_nobody_is_refused(told: FakeCallbacks, browser: Browser):
    async def burst() -> list[int]:
        app = browser.app
        told.open.clear()
        first = post(app, browser, b"first")
        assert await asyncio.to_thread(told.began.wait, 30)
        others = [post(app, browser, f"id-{number}".encode()) for number in range(2_000)]
        await asyncio.sleep(0)
        # Nobody is answered before the disk is.
        assert not any(each.done() for each in (first, *others))
        told.open.set()
        return await asyncio.gather(first, *others)

    assert asyncio.run(burst()) == [200] * 2_001
    assert len(told.receipts) == 2_001
    assert told.commits == [1, 2_000]


def test_whoever_leaves_while_it_is_stored_harms_nobody(told: FakeCallbacks, browser: Browser):
    async def leave() -> list[object]:
        told.open.clear()
        tasks = [post(browser.app, browser, f"id-{number}".encode()) for number in range(3)]
        await asyncio.sleep(0.01)
        tasks[1].cancel()
        told.open.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    statuses = asyncio.run(leave())
    assert (statuses[0], statuses[2]) == (200, 200)
    assert isinstance(statuses[1], asyncio.CancelledError)


def test_what_one_brings_does_not_spoil_what_the_others_bring(told: FakeCallbacks, browser: Browser):
    class Spoiled(FakeCallbacks):
        def store(self, receipts: list[Receipt], replies: list[Reply]) -> None:
            if any(receipt.gateway_message_id == "id-7" for receipt in receipts):
                raise ValueError("a defect")
            super().store(receipts, replies)

    spoiled = Spoiled({TOKEN: read})

    async def burst() -> list[object]:
        app = Callbacks(inside, callbacks=spoiled, clock=StoppedClock(), address="")
        return await asyncio.gather(
            *(post(app, browser, f"id-{number}".encode()) for number in range(20)), return_exceptions=True
        )

    statuses = asyncio.run(burst())
    assert [status for status in statuses if status == 200] == [200] * 19
    assert isinstance(statuses[7], ValueError)
    assert len(spoiled.receipts) == 19


def test_a_store_that_does_not_answer_is_asked_once_for_all_who_wait(browser: Browser):
    # One by one, each would wait as long as a locked store lets somebody wait.
    asked_for: list[str] = []

    class Locked(FakeCallbacks):
        def store(self, receipts: list[Receipt], replies: list[Reply]) -> None:
            asked_for.extend(receipt.gateway_message_id for receipt in receipts)
            raise StorageError("The store is locked.")

    async def burst() -> list[object]:
        app = Callbacks(inside, callbacks=Locked({TOKEN: read}), clock=StoppedClock(), address="")
        return await asyncio.gather(*(post(app, browser, f"id-{number}".encode()) for number in range(20)))

    assert asyncio.run(burst()) == [503] * 20
    assert sorted(asked_for) == sorted(f"id-{number}" for number in range(20))


def test_a_commit_is_no_longer_than_a_store_can_be_held_up(browser: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(group_commit, "ROWS_MOST", 3)
    told = FakeCallbacks({TOKEN: read})

    async def burst() -> list[object]:
        app = Callbacks(inside, callbacks=told, clock=StoppedClock(), address="")
        return await asyncio.gather(*(post(app, browser, f"id-{number}".encode()) for number in range(10)))

    assert asyncio.run(burst()) == [200] * 10
    assert (max(told.commits), sum(told.commits)) == (3, 10)


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", " Multipart/Mixed"])
def test_what_comes_in_parts_is_refused_and_not_called_heard(browser: Browser, told: FakeCallbacks, kind: str):
    assert browser.ask("POST", PATH, {"Content-Type": kind}, [b"one"]).status == 415
    assert (asked, told.commits) == ([], [])


@pytest.mark.parametrize("body", [b"forged", b"garbage"])
def test_what_is_refused_again_and_again_is_a_line_a_minute(
    browser: Browser, clock: StoppedClock, body: bytes, caplog: pytest.LogCaptureFixture
):
    for _ in range(40):
        browser.ask("POST", PATH, {}, [body])
    clock.advance(seconds=61)
    browser.ask("POST", PATH, {}, [body])
    found = [record for record in caplog.records if record.getMessage().startswith("callback_")]
    assert [record.count for record in found] == [1, 40]
