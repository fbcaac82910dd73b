"""An in-memory stand-in for the sign-in service: one password, sessions that can be ended from outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.config import Settings
from core.domain.permissions import Viewer
from core.errors import Forbidden, InvalidInput, NotFound, TooManyAttempts, WrongCredentials
from core.services.exporting import Download
from core.services.signing_in import SetUp

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

    def set_up(self, form: SetUp, now: datetime) -> str:
        if form.token != SETUP_TOKEN:
            raise Forbidden("The setup token is wrong.", hint="Copy it from the terminal.", field="token")
        if len(form.password) < 8:
            raise InvalidInput("The password is too weak.", hint="It needs 8 characters.", field="password")
        self.set_ups.append(form)
        self.viewers.append(Viewer(user_id="user-first", name=form.name, email=form.email))
        return self.start(self.viewers[-1], now)

    def sign_in(self, email: str, password: str, address: str, now: datetime) -> str:
        self.addresses.append(address)
        if self.retry_after_s:
            raise TooManyAttempts(self.retry_after_s)
        for viewer in self.viewers:
            if viewer.email == email and password == PASSWORD:
                return self.start(viewer, now)
        raise WrongCredentials("Email or password is wrong.", hint="Check both and try again.")

    def identify(self, token: str, now: datetime) -> Viewer | None:
        if self.broken:
            raise OSError("the state store is away")
        found = self.sessions.get(token)
        return found.viewer if found and now - found.active_at <= self.idle else None

    def touch(self, token: str, now: datetime) -> None:
        self.touches.append((token, now))
        self.sessions[token].active_at = now


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
class FakeApplication:
    """Follows `core.web.ports.Application`."""

    signing_in: FakeSignIn = field(default_factory=FakeSignIn)
    exporting: FakeExports = field(default_factory=FakeExports)
    settings: Settings = field(default_factory=Settings)
    stores: dict[str, bool] = field(default_factory=lambda: {"state": True, "lake": True})

    def health(self, now: datetime) -> Mapping[str, bool]:
        return self.stores
