"""
What people may send into this process before any page has looked at it.

Streamlit takes files at an address of its own, keeps them in memory, and asks neither who sends them nor how many. Here
it is asked: who may import, how large each file is, and how many and how much each person, and all together, have here.
A file counts as long as Streamlit holds it. Streamlit forgets what a closed page left behind only when other pages are
closed later on; here it is told to.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from anyio import move_on_after
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.domain.people.permissions import Permission, Viewer
from core.web.guard.limits import drop_rest
from core.web.guard.origin import is_foreign
from core.web.ports import Clock, OpenPages

UPLOADS = "/_stcore/upload_file/"
# A file is sent within a form of one field: its frame and the file's name come on top.
FRAME_BYTES = 64 << 10
PICTURE_BYTES = (2 << 20) + FRAME_BYTES
# A page whose connection broke may come back, and finds its files: Streamlit waits two minutes for it.
COMES_BACK_WITHIN = timedelta(minutes=3)
MOST_AT_ONCE = 3
# What is read of a body that was refused.
DROPPED_BYTES = 64 << 20
_GONE: Message = {"type": "http.disconnect"}
_IMPORTING = frozenset({Permission.DISTRIBUTION_LISTS, Permission.TRAFFIC_ACCOUNTS})


@dataclass(frozen=True)
class UploadLimits:
    """
    Bytes of a file, and how many files and bytes a person may have here at a time, and all people together.

    *silence_s*: seconds without a byte after which a browser has left without saying so, as one that lost its network.
    """

    file_bytes: int
    person_files: int = 20
    person_files_bytes: int = 0
    all_bytes: int = 1 << 30
    silence_s: float = 60

    @property
    def person_bytes(self) -> int:
        """Bytes of one person: three files of the largest size, unless it is said."""
        return self.person_files_bytes or 3 * (self.file_bytes + FRAME_BYTES)


@dataclass
class _Upload:
    user_id: str
    byte_count: int = 0
    is_open: bool = True
    # When its page was first found closed.
    left_at: datetime | None = None


class Uploads:
    """ASGI middleware behind the guard: uploads of one person do not take the room of all others."""

    def __init__(self, app: ASGIApp, *, limits: UploadLimits, clock: Clock, pages: OpenPages) -> None:
        self._app = app
        self._limits = limits
        self._clock = clock
        self._pages = pages
        # By address, oldest first: the same file again, or its removal, is the same upload.
        self._uploads: OrderedDict[str, _Upload] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count bytes while they come: Content-Length may be missing or wrong."""
        if scope["type"] == "websocket":
            try:
                await self._app(scope, receive, send)
            finally:
                # A page was closed, this one or another at last.
                self._forget_gone()
            return
        if scope["type"] != "http" or not scope["path"].startswith(UPLOADS):
            await self._app(scope, receive, send)
            return
        viewer: Viewer = scope["state"]["viewer"]
        if scope["method"] not in {"PUT", "DELETE"}:
            await self._app(scope, receive, send)
            return
        if not self._pages.is_open_to(viewer.user_id, _parts(scope["path"])[0]):
            await _refuse(404, "No such page.", scope, receive, send)
            return
        if scope["method"] == "DELETE":
            await self._remove(scope, viewer, receive, send)
            return
        self._forget_gone()
        refusal = self._refusal(scope, viewer)
        if refusal is not None:
            await _refuse(*refusal, scope, receive, send)
            return
        await self._take(scope, viewer, receive, send)

    def _forget_gone(self) -> None:
        """Count no more what Streamlit does not hold, and let it drop what nobody comes back for."""
        now = self._clock()
        for path, upload in list(self._uploads.items()):
            if upload.is_open:
                continue
            session_id, file_id = _parts(path)
            if not self._pages.holds(session_id, file_id):
                del self._uploads[path]
            elif self._pages.is_open(session_id):
                upload.left_at = None
            elif upload.left_at is None or upload.left_at > now:
                # One that left in time to come did so before the clock was set back.
                upload.left_at = now
            elif now - upload.left_at >= COMES_BACK_WITHIN:
                self._pages.let_go(session_id)
                del self._uploads[path]

    async def _remove(self, scope: Scope, viewer: Viewer, receive: Receive, send: Send) -> None:
        known = self._uploads.get(scope["path"])
        if known is not None and known.user_id != viewer.user_id:
            await _refuse(404, "No such upload.", scope, receive, send)
            return
        # What is still coming is kept when it has come: a removal that overtakes it frees nothing.
        was_here = known is not None and not known.is_open
        answered: list[int] = []

        async def noted(message: Message) -> None:
            answered.append(message.get("status", 0))
            await send(message)

        await self._app(scope, receive, noted)
        # A removal that is refused further in frees nothing either.
        if was_here and answered and answered[0] < 400:
            self._uploads.pop(scope["path"], None)

    def _refusal(self, scope: Scope, viewer: Viewer) -> tuple[int, str] | None:
        """Return status and reason why this person may send nothing now."""
        mine = [upload for upload in self._uploads.values() if upload.user_id == viewer.user_id]
        if is_foreign(scope):
            return 403, "This request came from another site."
        if scope["path"] in self._uploads:
            return 409, "This file has already been uploaded."
        if sum(upload.is_open for upload in mine) >= MOST_AT_ONCE or len(mine) >= self._limits.person_files:
            return 429, "Too many uploads. Close pages with files you do not need, or wait a few minutes."
        return None

    async def _take(self, scope: Scope, viewer: Viewer, receive: Receive, send: Send) -> None:
        upload = _Upload(viewer.user_id)
        self._uploads[scope["path"]] = upload

        def count(byte_count: int) -> tuple[int, str] | None:
            upload.byte_count += byte_count
            return self._overrun(upload, viewer)

        passing = _Passing(receive, send, count, self._limits.silence_s)
        try:
            await self._app(scope, passing.receive, passing.send)
        except ClientDisconnect:
            # Refused here, or the browser left: somebody closed the page, or took the file back. Nothing is wrong.
            pass
        except Exception:
            if passing.fault is None:
                raise
        finally:
            upload.is_open = False
            # What was refused further in is not kept there: it counts for nothing, and may be sent again.
            if passing.fault or not 0 < passing.status < 400:
                self._uploads.pop(scope["path"], None)
        if passing.fault and not passing.status:
            await _refuse(*passing.fault, scope, receive, send, passing.last)

    def _overrun(self, upload: _Upload, viewer: Viewer) -> tuple[int, str] | None:
        imports = bool(viewer.permissions & _IMPORTING)
        if upload.byte_count > (self._limits.file_bytes + FRAME_BYTES if imports else PICTURE_BYTES):
            return 413, "The file is too large."
        mine = sum(each.byte_count for each in self._uploads.values() if each.user_id == viewer.user_id)
        if mine > self._limits.person_bytes:
            return 429, "Too much data at once. Close pages with files you do not need, or wait a few minutes."
        if sum(each.byte_count for each in self._uploads.values()) > self._limits.all_bytes:
            return 503, "Too many files are being uploaded. Try again in a few minutes."
        return None


class _Passing:
    """An upload on its way through: what is read of it, and what is answered."""

    def __init__(
        self, receive: Receive, send: Send, count: Callable[[int], tuple[int, str] | None], silence_s: float
    ) -> None:
        self._receive = receive
        self._send = send
        self._count = count
        self._silence_s = silence_s
        # Status and reason why no more is taken.
        self.fault: tuple[int, str] | None = None
        # Of the answer, 0 before there is one.
        self.status = 0
        self.last: Message | None = None

    async def receive(self) -> Message:
        message = _GONE
        is_whole = self.last is not None and not self.last.get("more_body", False)
        with move_on_after(None if is_whole else self._silence_s) as waiting:
            message = await self._receive()
        self.last = message
        if waiting.cancelled_caught:
            self.fault = 408, "The upload stopped before the file was complete. Try again."
        elif message["type"] == "http.request" and self.fault is None:
            self.fault = self._count(len(message.get("body", b"")))
        # To what reads on it looks as if the browser had gone: nothing of the file is kept.
        return _GONE if self.fault else message

    async def send(self, message: Message) -> None:
        if self.fault:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.status >= 400:
                # Streamlit refuses before it has read to the end.
                await drop_rest(self._receive, self.last, most_bytes=DROPPED_BYTES)
        await self._send(message)


def _parts(path: str) -> tuple[str, str]:
    """Return the session and the file that an upload's address names."""
    session_id, _, file_id = path.removeprefix(UPLOADS).partition("/")
    return session_id, file_id


async def _refuse(
    status: int, reason: str, scope: Scope, receive: Receive, send: Send, last: Message | None = None
) -> None:
    await drop_rest(receive, last, most_bytes=DROPPED_BYTES)
    # What is left of a longer body is not read: the connection ends.
    headers = {"Connection": "close", "Cache-Control": "no-store"}
    await PlainTextResponse(reason, status, headers=headers)(scope, receive, send)
