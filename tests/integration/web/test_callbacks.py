"""What providers report, from the address of a gateway to the inbox, past log-in and everything for browsers."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from core import web
from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.gateways.forms import Value
from core.errors import StorageError
from core.services.accounts.encryption import make_key
from core.services.accounts.setting_up_gateways import GatewayForm
from core.services.people.adding_people import NewPerson
from core.state.campaigns.receipts import InboxReceipt
from tests.support.fakes.asgi import Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.open_pages import FakePages
from tests.support.stores.inbox import list_inbox

TWILIO = {"account_sid": "AC1", "auth_token": "token-1"}
MITTO = {"api_key": "key-1"}


class Provider:
    """A provider that was given a gateway's address to report to."""

    def __init__(self, app: App, clock: StoppedClock, kind: str, values: Mapping[str, Value]) -> None:
        app.accounts.setting_up.create(app.people.adding.get_viewer(), kind, kind, GatewayForm(values), clock())
        self.url = app.accounts.setting_up.get_callback_url(app.people.adding.get_viewer(), kind)
        self.path = self.url.removeprefix(app.settings.address)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    settings = Settings(data_dir=tmp_path, public_url="https://sms.example.com", secret_key=make_key())
    built = build_app(settings)
    built.state.migrate()
    built.people.adding.add(NewPerson("Ada", "ada@example.org", "Heliograph-test-1"), built.clock())
    yield built
    built.close()


@pytest.fixture
def browser(app: App, clock: StoppedClock) -> Browser:
    """Return a program without cookies, which no page has sent."""
    inside = Route("/{path:path}", lambda _: PlainTextResponse("inside"))
    middleware = web.middleware(app, is_user_activity=lambda _: True, pages=FakePages(), clock=clock)
    return Browser(Starlette(routes=[inside], middleware=middleware), html=False)


def list_came(app: App) -> tuple[InboxReceipt, ...]:
    with app.state.read() as session:
        return list_inbox(session, app.clock() + timedelta(days=1), 1_000)


def test_a_receipt_by_json_is_in_the_inbox(app: App, clock: StoppedClock, browser: Browser):
    mitto = Provider(app, clock, "mitto", MITTO)
    body = json.dumps([{"Id": "m-1", "status": "Delivered"}, {"Id": "m-2", "status": "Rejected"}]).encode()
    kind = {"Content-Type": "application/json", "Origin": "https://mitto.ch", "Sec-Fetch-Site": "cross-site"}
    assert browser.ask("POST", mitto.path, kind, [body]).status == 200
    # The provider had no answer in time, and says it again.
    assert browser.ask("POST", mitto.path, kind, [body]).status == 200
    found = [
        (each.receipt.gateway, each.receipt.gateway_message_id, each.receipt.receipt_state) for each in list_came(app)
    ]
    assert found == [("mitto", "m-1", "DELIVRD"), ("mitto", "m-2", "REJECTD")]


def test_a_signed_form_is_checked_against_the_address_the_provider_was_given(
    app: App, clock: StoppedClock, browser: Browser
):
    twilio = Provider(app, clock, "twilio", TWILIO)
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    signature = RequestValidator("token-1").compute_signature(twilio.url, fields)
    kind = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    assert browser.ask("POST", twilio.path, kind, [urlencode(fields).encode()]).status == 200
    forged = urlencode(fields | {"MessageStatus": "failed"}).encode()
    assert browser.ask("POST", twilio.path, kind, [forged]).status == 403
    assert [each.receipt.receipt_state for each in list_came(app)] == ["DELIVRD"]


def test_a_token_opens_its_gateway_until_there_is_a_new_one(app: App, clock: StoppedClock, browser: Browser):
    mitto = Provider(app, clock, "mitto", MITTO)
    query = urlencode({"Id": "m-1", "status": "Delivered"})
    assert browser.get(f"{mitto.path}?{query}").status == 200
    after = app.accounts.setting_up.renew_callback(app.people.adding.get_viewer(), "mitto", clock())
    app.sending.callbacks.look()
    assert browser.get(f"{mitto.path}?{query}").status == 404
    assert browser.get(f"{after.removeprefix(app.settings.address)}?{query}").status == 200


def test_settings_that_are_changed_count_for_the_next_callback(app: App, clock: StoppedClock, browser: Browser):
    mitto = Provider(app, clock, "mitto", MITTO)
    assert browser.get(f"{mitto.path}?Id=m-1&status=Angekommen").status == 200
    form = GatewayForm({"callback_states": "angekommen = DELIVRD"})
    app.accounts.setting_up.change(app.people.adding.get_viewer(), "mitto", form, clock())
    app.sending.callbacks.look()
    assert browser.get(f"{mitto.path}?Id=m-2&status=Angekommen").status == 200
    assert [each.receipt.receipt_state for each in list_came(app)] == ["Angekommen", "DELIVRD"]


def test_forged_ones_ask_the_store_nothing(app: App, clock: StoppedClock, browser: Browser):
    twilio = Provider(app, clock, "twilio", TWILIO)
    assert browser.get("/callbacks/x").status == 404
    statements: list[str] = []
    event.listen(app.state._engine, "before_cursor_execute", lambda *facts: statements.append(facts[2]))
    # However long it takes here.
    app.sending.callbacks._steady_s = lambda: app.sending.callbacks._looked_at_s
    for number in range(30):
        assert browser.ask("POST", f"/callbacks/{number}", {}, [b"x"]).status == 404
        assert browser.ask("POST", twilio.path, {"X-Twilio-Signature": "x"}, [b"MessageSid=1"]).status == 403
    assert statements == []


def test_a_store_without_room_is_no_lost_receipt(
    app: App, clock: StoppedClock, browser: Browser, monkeypatch: pytest.MonkeyPatch
):
    mitto = Provider(app, clock, "mitto", MITTO)

    def full(*_: object) -> None:
        raise StorageError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr("core.services.sending.hearing.add_receipts", full)
        assert browser.get(f"{mitto.path}?Id=m-1&status=Delivered").status == 503
    assert list_came(app) == ()
    assert browser.get(f"{mitto.path}?Id=m-1&status=Delivered").status == 200
    assert len(list_came(app)) == 1


def test_without_a_key_what_is_told_is_asked_for_again(tmp_path: Path, app: App, clock: StoppedClock):
    mitto = Provider(app, clock, "mitto", MITTO)
    keyless = build_app(Settings(data_dir=tmp_path, public_url="https://sms.example.com"))
    middleware = web.middleware(keyless, is_user_activity=lambda _: True, pages=FakePages(), clock=clock)
    browser = Browser(Starlette(middleware=middleware), html=False)
    assert browser.get(f"{mitto.path}?Id=m-1&status=Delivered").status == 503
    keyless.close()


def test_a_gateway_that_is_told_nothing_by_http_has_no_such_address(app: App, clock: StoppedClock, browser: Browser):
    smpp = Provider(app, clock, "smpp", {"host": "smsc.example.com", "system_id": "me", "password": "p"})
    if smpp.path:
        assert browser.get(f"{smpp.path}?Id=m-1&status=Delivered").status == 404
