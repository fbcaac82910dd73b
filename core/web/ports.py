"""What the web room needs from the rest of the house."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from core.config import Settings
from core.domain.permissions import Viewer
from core.services.exporting import Download
from core.services.signing_in import SetUp

Clock = Callable[[], datetime]
IsUserActivity = Callable[[bytes], bool]


class SignIn(Protocol):
    """Sessions: who is behind a token, and how a token is won. All calls block."""

    def needs_setup(self) -> bool:
        """Return whether nobody can sign in yet, because there is no user at all."""
        ...

    def set_up(self, form: SetUp, now: datetime) -> str:
        """
        Create the first administrator and return a session token.

        Raises: AppError: what was typed cannot be used; *field* says where.
        """
        ...

    def sign_in(self, email: str, password: str, address: str, now: datetime) -> str:
        """
        Return a session token.

        Raises: WrongCredentials, also for an unknown email. TooManyAttempts: by email or by *address*.
        """
        ...

    def identify(self, token: str, now: datetime) -> Viewer | None:
        """Return whose session it is, or None when it is unknown, revoked, idle or too old. No activity."""
        ...

    def touch(self, token: str, now: datetime) -> None:
        """Record that the person did something: the idle time starts again."""
        ...


class Exports(Protocol):
    """Files people asked for. All calls block."""

    def fetch(self, viewer: Viewer, export_id: str, now: datetime) -> Download:
        """Return the file. Raises: NotFound: none of the viewer's, or not any more."""
        ...


class Application(Protocol):
    """The part of the composed application that is served over HTTP."""

    @property
    def settings(self) -> Settings:
        """How this installation is set up."""
        ...

    @property
    def signing_in(self) -> SignIn:
        """The service behind the login page."""
        ...

    @property
    def exporting(self) -> Exports:
        """The service behind downloads."""
        ...

    def health(self, now: datetime) -> Mapping[str, bool]:
        """Return for each store ("state", "lake") whether it answers. Blocks."""
        ...


def utc_now() -> datetime:
    """Return the present moment. The web room is where time enters; everything below is told."""
    return datetime.now(UTC)
