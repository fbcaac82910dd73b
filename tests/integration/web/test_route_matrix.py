"""Every route of the real application, as a stranger, as each role, and as somebody who may not come in any more."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from core import web
from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.people.permissions import PRESETS
from core.domain.reports.audit import AuditFilter
from core.domain.reports.exports import ExportFormat
from core.services.people.adding_people import NewPerson
from core.services.people.signing_in import RECALLED
from core.services.reports.export_requests import AuditRequest
from core.state.people import sessions
from core.web.guard.cookies import SESSION_COOKIE
from tests.support.fakes.asgi import Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.open_pages import FakePages

PASSWORD = "Heliograph-test-1"
NOBODY_S = "00000000-0000-7000-8000-000000000000"
# A route that is not here fails the test below: whoever adds one decides who may use it.
PUBLIC = frozenset(
    {
        *(("GET", path) for path in ("/login", "/setup", "/forgot", "/reset", "/invitation", "/confirm-email")),
        *(("POST", path) for path in ("/login", "/setup", "/forgot", "/reset", "/invitation", "/confirm-email")),
        *(("GET", path) for path in ("/healthz", "/assets", "/favicon.ico", "/favicon.png")),
    }
)
GUARDED = frozenset(
    {
        ("GET", "/downloads/{export_id:uuid}"),
        ("GET", "/session/ping"),
        ("POST", "/session/touch"),
        ("POST", "/session/end"),
    }
)
FORMS = sorted(path for method, path in PUBLIC if method == "POST")


@dataclass
class Site:
    """The routes and the middleware of an application, with Streamlit's place left empty."""

    app: App
    asgi: Starlette
    clock: StoppedClock

    def browser(self, preset: str = "") -> Browser:
        """Return the browser of a new person with this preset, or of a stranger."""
        browser = Browser(self.asgi, html=False)
        if preset:
            email = f"{preset.replace(' ', '.').lower()}@example.org"
            self.app.people.adding.add(NewPerson(preset, email, PASSWORD, preset), self.clock())
            token = self.app.people.signing_in.sign_in(email, PASSWORD, sessions.Browser(), self.clock())
            browser.cookies[SESSION_COOKIE] = token
        return browser


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    app, clock = build_app(Settings(data_dir=tmp_path)), StoppedClock()
    app.state.migrate()
    app.people.adding.add(NewPerson("Ada", "ada@example.org", PASSWORD), clock())
    routes = [*web.routes(app, clock=clock), Route("/{path:path}", lambda _: PlainTextResponse("inside"))]
    middleware = web.middleware(app, is_user_activity=lambda _: True, pages=FakePages(), clock=clock)
    yield Site(app, Starlette(routes=routes, middleware=middleware), clock)
    app.close()


def ask(browser: Browser, method: str, path: str, export_id: str = NOBODY_S) -> int:
    path = path.replace("{export_id:uuid}", export_id)
    return browser.ask(method, f"{path}/logo.svg" if path == "/assets" else path).status


def test_every_route_is_in_the_table(site: Site) -> None:
    found = set()
    for route in web.routes(site.app, clock=site.clock):
        assert isinstance(route, Route | Mount)
        methods = (route.methods or set()) if isinstance(route, Route) else {"GET"}
        found |= {(method, route.path) for method in methods if method != "HEAD"}
    assert found == PUBLIC | GUARDED
    assert not PUBLIC & GUARDED


def test_a_stranger_gets_the_way_in_and_nothing_else(site: Site) -> None:
    for method, path in GUARDED:
        assert ask(site.browser(), method, path) == 401, path
    for method, path in PUBLIC:
        # A form without its token is refused as such, not for want of a session; nobody sets up a second time.
        assert ask(site.browser(), method, path) in (
            {303, 400, 403, 404} if method == "POST" else {200, 303, 404, 410}
        ), path
    page = Browser(site.asgi)
    for path in ("/", "/users", "/campaign?id=1", "/downloads/" + NOBODY_S):
        answer = page.get(path)
        assert (answer.status, answer.header("location")[:6]) == (303, "/login")


@pytest.mark.parametrize("preset", PRESETS)
def test_each_role_gets_its_own_and_nobody_else_s(site: Site, preset: str) -> None:
    admin = site.app.people.adding.get_viewer("ada@example.org")
    export = site.app.reports.exporting.start(admin, AuditRequest(AuditFilter()), ExportFormat.CSV, site.clock())
    site.app.reports.exporting.run(export.export_id, site.clock)
    browser = site.browser(preset)
    assert ask(browser, "GET", "/downloads/{export_id:uuid}") == 404
    assert ask(browser, "GET", "/downloads/{export_id:uuid}", export.export_id) == 404
    owner = Browser(site.asgi)
    owner.cookies[SESSION_COOKIE] = site.app.people.signing_in.sign_in(
        "ada@example.org", PASSWORD, sessions.Browser(), site.clock()
    )
    assert ask(owner, "GET", "/downloads/{export_id:uuid}", export.export_id) == 200
    assert ask(browser, "GET", "/session/ping") == 200
    for path in ("/session/touch", "/session/end"):
        # Only our own script may: another page would have to send what a browser does not let it.
        assert ask(browser, "POST", path) == 403
    assert ask(browser, "GET", "/") == 200


@pytest.mark.parametrize("act", ["deactivate", "delete"])
def test_whoever_is_put_out_gets_nothing_a_second_later(site: Site, act: str) -> None:
    admin = site.app.people.adding.get_viewer("ada@example.org")
    browser = site.browser("Campaign manager")
    assert ask(browser, "GET", "/session/ping") == 200
    site.clock.advance(seconds=RECALLED.total_seconds())
    person = site.app.people.adding.get_viewer("campaign.manager@example.org")
    getattr(site.app.people.managing, act)(admin, person.user_id, site.clock())
    for method, path in (*GUARDED, ("GET", "/")):
        assert ask(browser, method, path) == 401, path
    assert ask(site.browser("Reporting manager"), "GET", "/session/ping") == 200


@pytest.mark.parametrize("path", FORMS)
def test_a_form_from_elsewhere_does_nothing(site: Site, path: str) -> None:
    form = {"email": "ada@example.org", "password": PASSWORD, "token": "x", "name": "Eve"}
    for browser in (site.browser(), site.browser("User manager")):
        answer = browser.post(path, form)
        assert answer.status in {303, 400, 403, 404}
        assert not any(SESSION_COOKIE in cookie for cookie in answer.set_cookies)
