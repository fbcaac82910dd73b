"""The fake sign-in service with its sessions in a folder, so that a test can end those of another process."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from core.domain.people.permissions import Viewer
from core.services.people.signing_in import TimeLeft
from tests.support.fakes.fake_sign_in import FakeApplication, FakeSignIn


@dataclass
class FileSignIn(FakeSignIn):
    """A file per session, named by its token, holding the user's id; one line per recorded activity in "touches"."""

    folder: Path = field(default_factory=Path)

    def start(self, viewer: Viewer, now: datetime | None = None) -> str:
        token = secrets.token_hex(8)
        # Renamed into place: the other process must never see an empty file.
        unfinished = self.folder / f"new-{token}"
        unfinished.write_text(viewer.user_id)
        unfinished.rename(self.folder / token)
        return token

    def revoke(self, token: str) -> None:
        (self.folder / token).unlink()

    def identify(self, token: str, now: datetime) -> Viewer | None:
        try:
            user_id = (self.folder / Path(token).name).read_text()
        except FileNotFoundError:
            return None
        return next((viewer for viewer in self.viewers if viewer.user_id == user_id), None)

    def time_left(self, token: str, now: datetime) -> TimeLeft | None:
        if self.identify(token, now) is None:
            return None
        # A test that wants a warning writes down how many seconds are left.
        path = self.folder / f"left-{Path(token).name}"
        seconds = float(path.read_text()) if path.exists() else 1_800.0
        return TimeLeft(seconds, "idle", warns=seconds <= 120)

    def warn(self, token: str, seconds: float) -> None:
        """Let the session of *token* end soon, until something is done."""
        (self.folder / f"left-{token}").write_text(str(seconds))

    def sign_out(self, token: str, now: datetime, address: str = "") -> None:
        (self.folder / Path(token).name).unlink(missing_ok=True)

    def touch(self, token: str, now: datetime) -> None:
        with (self.folder / "touches").open("a") as file:
            file.write(f"{token}\n")
        (self.folder / f"left-{Path(token).name}").unlink(missing_ok=True)

    def touched(self, token: str) -> int:
        """Return how often activity of *token* was recorded."""
        path = self.folder / "touches"
        return path.read_text().split().count(token) if path.exists() else 0


def file_application(folder: Path) -> FakeApplication:
    return FakeApplication(signing_in=FileSignIn(folder=folder))
