"""What the web room needs from the rest of the house."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from core.config import Settings
from core.domain.messages.messages import Receipt, Reply
from core.domain.messages.strays import Stray
from core.domain.people.people import Person
from core.domain.people.permissions import Viewer
from core.services.people.following_links import Acceptance
from core.services.people.signing_in import SetUp, TimeLeft
from core.services.reports.exporting import Download
from core.services.sending.callbacks import KnownCallback
from core.state.people.links import Link
from core.state.people.sessions import Browser

Clock = Callable[[], datetime]
IsUserActivity = Callable[[bytes], bool]


class SignIn(Protocol):
    """Sessions: who is behind a token, and how a token is won. All calls block."""

    def needs_setup(self) -> bool:
        """Return whether nobody can sign in yet, because there is no user at all."""
        ...

    def set_up(self, form: SetUp, browser: Browser, now: datetime) -> str:
        """
        Create the first administrator and return a session token.

        Raises: AppError: what was typed cannot be used; *field* says where.
        """
        ...

    def sign_in(self, email: str, password: str, browser: Browser, now: datetime, replaced: str = "") -> str:
        """
        Return a new session's token; the one the browser sent, *replaced*, works no more.

        Raises: WrongCredentials, also for an unknown email. TooManyAttempts: by email or by the browser's address.
        """
        ...

    def sign_out(self, token: str, now: datetime, address: str = "") -> None:
        """End the session; harmless when it has ended."""
        ...

    def time_left(self, token: str, now: datetime) -> TimeLeft | None:
        """Return how long the session goes on if nothing is done, or None when it has ended. No activity."""
        ...

    def identify(self, token: str, now: datetime) -> Viewer | None:
        """Return whose session it is, or None when it is unknown, revoked, idle or too old. No activity."""
        ...

    def recall(self, token: str, now: datetime) -> Viewer | None:
        """Return what `identify` said a moment ago, or None when it has to be asked. Does not block."""
        ...

    def touch(self, token: str, now: datetime) -> None:
        """Record that the person did something: the idle time starts again."""
        ...


class Recovery(Protocol):
    """Forgot Password. All calls block."""

    @property
    def detour(self) -> str:
        """Where a mail is when no mail server is set, one sentence; "" where it is on its way."""
        ...

    def ask(self, email: str, address: str, now: datetime) -> None:
        """Count the request. Raises: TooManyAttempts: by email or by *address*."""
        ...

    def deliver(self, email: str, address: str, now: datetime) -> None:
        """Send the link, if there is somebody to send it to. Never raises."""
        ...

    def find(self, token: str, now: datetime) -> Person:
        """Return whose password the link sets. Raises: NotFound."""
        ...

    def use(self, token: str, password: str, address: str, now: datetime) -> None:
        """Set the password, once. Raises: NotFound, InvalidInput."""
        ...


class Doors(Protocol):
    """What the links of an invitation and of a new email open. All calls block."""

    def find(self, token: str, now: datetime) -> Person:
        """Return who is invited. Raises: NotFound."""
        ...

    def accept(self, form: Acceptance, browser: Browser, now: datetime, replaced: str = "") -> str:
        """Let the person in, once, and return a session token. Raises: NotFound, InvalidInput."""
        ...

    def find_email(self, token: str, now: datetime) -> Link:
        """Return the new email that the link confirms. Raises: NotFound."""
        ...

    def confirm_email(self, token: str, address: str, now: datetime) -> str:
        """Change the email, once, and return it. Raises: NotFound, Conflict."""
        ...


class Exports(Protocol):
    """Files people asked for. All calls block."""

    def fetch(self, viewer: Viewer, export_id: str, now: datetime) -> Download:
        """Return the file. Raises: NotFound: none of the viewer's, or not any more."""
        ...


class OpenPages(Protocol):
    """What the server of the pages keeps in memory for browsers, by its own session of a page. No call blocks."""

    def is_open(self, session_id: str) -> bool:
        """Return whether the page's browser is connected."""
        ...

    def is_open_to(self, user_id: str, session_id: str) -> bool:
        """Return whether the page is this person's, or nobody's that is known."""
        ...

    def holds(self, session_id: str, file_id: str) -> bool:
        """Return whether this upload is in memory."""
        ...

    def let_go(self, session_id: str) -> None:
        """Forget all uploads of the page."""
        ...

    def may_fetch(self, user_id: str, file_id: str) -> bool:
        """Return whether this file, of `/media/`, is on a page of the person's, or on nobody's at this moment."""
        ...


class People(Protocol):
    """The part of the composed application that is asked about people over HTTP."""

    @property
    def signing_in(self) -> SignIn:
        """The service behind the login page."""
        ...

    @property
    def resetting(self) -> Recovery:
        """The service behind Forgot Password."""
        ...

    @property
    def links(self) -> Doors:
        """The service behind the links of invitations and new emails."""
        ...


class Reports(Protocol):
    """The part of the composed application that has files to take away."""

    @property
    def exporting(self) -> Exports:
        """The service behind downloads."""
        ...


class ToldCallbacks(Protocol):
    """What providers of gateways tell. Only `look`, `store` and `keep_stray` block."""

    def find(self, token: str) -> KnownCallback | None:
        """Return whose provider knows this token, as of the last look; None for nobody's."""
        ...

    def age_s(self) -> float:
        """Return how many seconds ago the last look was; without an end when there was none."""
        ...

    def look(self) -> None:
        """Read anew whose provider knows which token. Raises: StorageError."""
        ...

    def store(self, receipts: Sequence[Receipt], replies: Sequence[Reply]) -> None:
        """Keep all of it durably, in one commit. Raises: StorageError: nothing of it is kept."""
        ...

    def keep_stray(self, stray: Stray) -> None:
        """Keep what can be read as neither, to be looked at by a person."""
        ...


class Sending(Protocol):
    """The part of the composed application that hears what became of messages."""

    @property
    def callbacks(self) -> ToldCallbacks:
        """The service behind the addresses that providers report to."""
        ...


class Application(Protocol):
    """The part of the composed application that is served over HTTP."""

    @property
    def settings(self) -> Settings:
        """How this installation is set up."""
        ...

    @property
    def people(self) -> People:
        """Who comes in."""
        ...

    @property
    def reports(self) -> Reports:
        """What is taken away."""
        ...

    @property
    def sending(self) -> Sending:
        """What is told of messages."""
        ...

    def health(self, now: datetime) -> Mapping[str, bool]:
        """Return for each store ("state", "lake") whether it answers. Blocks."""
        ...
