"""An in-memory stand-in for the sign-in service: one password, sessions that can be ended from outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from core.config import Settings
from core.domain.people.people import Person, UserStatus
from core.domain.people.permissions import Viewer
from core.errors import Forbidden, InvalidInput, NotFound, TooManyAttempts, WrongCredentials
from core.services.people.following_links import Acceptance
from core.services.people.signing_in import SetUp, TimeLeft
from core.services.reports.exporting import Download
from core.state.people.links import Link
from core.state.people.sessions import Browser
from tests.support.fakes.callbacks import FakeCallbacks

ADA = Viewer(user_id="user-ada", name="Ada", email="ada@example.com")
BEN = Viewer(user_id="user-ben", name="Ben", email="ben@example.com")
PASSWORD = "Sun-mirror-1"
SETUP_TOKEN = "token-from-the-terminal"


@dataclass
class FakeSession:
    viewer: Viewer
    active_at: datetime


@dataclass
class FakeSignIn:
    """Follows `core.web.ports.SignIn`. *idle* as in the settings; *retry_after_s* > 0 throttles everybody."""

    viewers: list[Viewer] = field(default_factory=lambda: [ADA, BEN])
    idle: timedelta = timedelta(minutes=30)
    retry_after_s: int = 0
    warns_s: int = 120
    broken: bool = False
    sessions: dict[str, FakeSession] = field(default_factory=dict)
    touches: list[tuple[str, datetime]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    set_ups: list[SetUp] = field(default_factory=list)

    def start(self, viewer: Viewer, now: datetime) -> str:
        token = f"session-{len(self.sessions) + 1}-of-{viewer.user_id}"
        self.sessions[token] = FakeSession(viewer, now)
        return token

    def revoke(self, token: str) -> None:
        del self.sessions[token]

    def needs_setup(self) -> bool:
        return not self.viewers

    def set_up(self, form: SetUp, browser: Browser, now: datetime) -> str:
        if form.token != SETUP_TOKEN:
            raise Forbidden("The setup token is wrong.", hint="Copy it from the terminal.", field="token")
        if len(form.password) < 8:
            raise InvalidInput("The password is too weak.", hint="It needs 8 characters.", field="password")
        self.set_ups.append(form)
        self.viewers.append(Viewer(user_id="user-first", name=form.name, email=form.email))
        return self.start(self.viewers[-1], now)

    def sign_in(self, email: str, password: str, browser: Browser, now: datetime, replaced: str = "") -> str:
        self.addresses.append(browser.address)
        if self.retry_after_s:
            raise TooManyAttempts(self.retry_after_s)
        for viewer in self.viewers:
            if viewer.email == email and password == PASSWORD:
                self.sessions.pop(replaced, None)
                return self.start(viewer, now)
        raise WrongCredentials("Email or password is wrong.", hint="Check both and try again.")

    def sign_out(self, token: str, now: datetime, address: str = "") -> None:
        self.sessions.pop(token, None)

    def time_left(self, token: str, now: datetime) -> TimeLeft | None:
        found = self.sessions.get(token)
        left = self.idle - (now - found.active_at) if found else timedelta(seconds=-1)
        seconds = left.total_seconds()
        return TimeLeft(seconds, "idle", warns=seconds <= self.warns_s) if seconds >= 0 else None

    def identify(self, token: str, now: datetime) -> Viewer | None:
        if self.broken:
            raise OSError("the state store is away")
        found = self.sessions.get(token)
        return found.viewer if found and now - found.active_at <= self.idle else None

    def recall(self, token: str, now: datetime) -> Viewer | None:
        return None

    def touch(self, token: str, now: datetime) -> None:
        self.touches.append((token, now))
        self.sessions[token].active_at = now


LINK = "token-from-the-mail"
DEAD = "This link no longer works."


@dataclass
class FakeLinks:
    """
    Follows `core.web.ports.Recovery` and `core.web.ports.Doors`: `LINK` works once, for whatever it is used.

    *done* lists what was done; nothing but submitted forms may add to it.
    """

    sign_in: FakeSignIn
    done: list[tuple[str, ...]] = field(default_factory=list)
    used: bool = False
    detour: str = ""

    def ask(self, email: str, address: str, now: datetime) -> None:
        if self.sign_in.retry_after_s:
            raise TooManyAttempts(self.sign_in.retry_after_s)
        self.done.append(("asked", email, address))

    def deliver(self, email: str, address: str, now: datetime) -> None:
        self.done.append(("delivered", email, address))

    def find(self, token: str, now: datetime) -> Person:
        self.find_email(token, now)
        return Person(BEN.user_id, BEN.name, BEN.email, UserStatus.PENDING, frozenset())

    def find_email(self, token: str, now: datetime) -> Link:
        if self.used or token != LINK:
            raise NotFound(DEAD, hint="Ask for another one.")
        return Link(BEN.user_id, "new@example.com", now)

    def use(self, token: str, password: str, address: str, now: datetime) -> None:
        self._take(token, password, now)
        self.done.append(("password", password, address))

    def accept(self, form: Acceptance, browser: Browser, now: datetime, replaced: str = "") -> str:
        self._take(form.token, form.password, now)
        self.done.append(("accepted", form.name, form.password))
        self.sign_in.sessions.pop(replaced, None)
        return self.sign_in.start(BEN, now)

    def confirm_email(self, token: str, address: str, now: datetime) -> str:
        self._take(token, PASSWORD, now)
        self.done.append(("email", address))
        return "new@example.com"

    def _take(self, token: str, password: str, now: datetime) -> None:
        self.find_email(token, now)
        if len(password) < 8:
            raise InvalidInput("The password is too weak.", hint="It needs 8 characters.", field="password")
        self.used = True


@dataclass
class FakeExports:
    """Follows `core.web.ports.Exports`: files by (user id, export id)."""

    files: dict[tuple[str, str], Download] = field(default_factory=dict)

    def fetch(self, viewer: Viewer, export_id: str, now: datetime) -> Download:
        found = self.files.get((viewer.user_id, export_id))
        if found is None:
            raise NotFound("There is no such file.")
        return found


@dataclass
class FakePeople:
    """Follows `core.web.ports.People`."""

    signing_in: FakeSignIn

    @cached_property
    def links(self) -> FakeLinks:
        return FakeLinks(self.signing_in)

    @property
    def resetting(self) -> FakeLinks:
        return self.links


@dataclass
class FakeReports:
    """Follows `core.web.ports.Reports`."""

    exporting: FakeExports = field(default_factory=FakeExports)


@dataclass
class FakeSending:
    """Follows `core.web.ports.Sending`."""

    callbacks: FakeCallbacks = field(default_factory=FakeCallbacks)


@dataclass
class FakeApplication:
    """Follows `core.web.ports.Application`."""

    signing_in: FakeSignIn = field(default_factory=FakeSignIn)
    settings: Settings = field(default_factory=Settings)
    stores: dict[str, bool] = field(default_factory=lambda: {"state": True, "lake": True})
    reports: FakeReports = field(default_factory=FakeReports)

    @cached_property
    def people(self) -> FakePeople:
        return FakePeople(self.signing_in)

    @cached_property
    def sending(self) -> FakeSending:
        return FakeSending()

    def health(self, now: datetime) -> Mapping[str, bool]:
        return self.stores
