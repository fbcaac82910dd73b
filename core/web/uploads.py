"""
What people may send into this process before any page has looked at it.

Streamlit takes files at an address of its own, keeps them in memory, and asks neither who sends them nor how many. Here
it is asked: who may import, how large each file is, and how many and how much each person, and all together, have here.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.domain.permissions import Permission, Viewer
from core.web.origin import is_foreign
from core.web.ports import Clock

UPLOADS = "/_stcore/upload_file/"
# A file is sent within a form of one field: its frame and the file's name come on top.
FRAME_BYTES = 64 << 10
PICTURE_BYTES = (2 << 20) + FRAME_BYTES
# What an upload counts for after it was sent: Streamlit keeps it as long as its page needs it.
COUNTED_FOR = timedelta(minutes=10)
MOST_AT_ONCE = 3
_IMPORTING = frozenset({Permission.DISTRIBUTION_LISTS, Permission.TRAFFIC_ACCOUNTS})


@dataclass(frozen=True)
class UploadLimits:
    """Bytes of a file, and how many files and bytes a person may send within `COUNTED_FOR`, and all people together."""

    file_bytes: int
    person_files: int = 20
    person_files_bytes: int = 0
    all_bytes: int = 1 << 30

    @property
    def person_bytes(self) -> int:
        """Bytes of one person: three files of the largest size, unless it is said."""
        return self.person_files_bytes or 3 * (self.file_bytes + FRAME_BYTES)


@dataclass
class _Upload:
    user_id: str
    began_at: datetime
    byte_count: int = 0
    is_open: bool = True


class Uploads:
    """ASGI middleware behind the guard: uploads of one person do not take the room of all others."""

    def __init__(self, app: ASGIApp, *, limits: UploadLimits, clock: Clock) -> None:
        self._app = app
        self._limits = limits
        self._clock = clock
        # By address, oldest first: the same file again, or its removal, is the same upload.
        self._uploads: OrderedDict[str, _Upload] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count bytes while they come: Content-Length may be missing or wrong."""
        if scope["type"] != "http" or not scope["path"].startswith(UPLOADS):
            await self._app(scope, receive, send)
            return
        viewer: Viewer = scope["state"]["viewer"]
        if scope["method"] == "DELETE":
            await self._remove(scope, viewer, receive, send)
            return
        if scope["method"] != "PUT":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope, viewer)
        if refusal is not None:
            await _refuse(*refusal, scope, receive, send)
            return
        await self._take(scope, viewer, receive, send)

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
        now = self._clock()
        for path, upload in list(self._uploads.items()):
            # One that began in time to come did so before the clock was set back.
            if not upload.is_open and not timedelta(0) <= now - upload.began_at <= COUNTED_FOR:
                del self._uploads[path]
        mine = [upload for upload in self._uploads.values() if upload.user_id == viewer.user_id]
        if is_foreign(scope):
            return 403, "Not from here."
        if scope["path"] in self._uploads:
            return 409, "This file was sent already."
        if sum(upload.is_open for upload in mine) >= MOST_AT_ONCE or len(mine) >= self._limits.person_files:
            return 429, "Too many uploads. Wait some minutes."
        return None

    async def _take(self, scope: Scope, viewer: Viewer, receive: Receive, send: Send) -> None:
        upload = _Upload(viewer.user_id, self._clock())
        self._uploads[scope["path"]] = upload
        fault: list[tuple[int, str]] = []
        # The status of the answer comes first; what follows it has none.
        answered: list[int] = []

        async def counted() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not fault:
                upload.byte_count += len(message.get("body", b""))
                found = self._overrun(upload, viewer)
                if found is not None:
                    fault.append(found)
            # To what reads on it looks as if the browser had gone: nothing of the file is kept.
            return {"type": "http.disconnect"} if fault else message

        async def guarded(message: Message) -> None:
            if not fault:
                answered.append(message.get("status", 0))
                await send(message)

        try:
            await self._app(scope, counted, guarded)
        except Exception:
            if not fault:
                raise
        finally:
            upload.is_open = False
            # What was refused further in is not kept there: it counts for nothing, and may be sent again.
            if fault or not answered or answered[0] >= 400:
                self._uploads.pop(scope["path"], None)
        if fault and not answered:
            await _refuse(*fault[0], scope, receive, send)

    def _overrun(self, upload: _Upload, viewer: Viewer) -> tuple[int, str] | None:
        imports = bool(viewer.permissions & _IMPORTING)
        if upload.byte_count > (self._limits.file_bytes + FRAME_BYTES if imports else PICTURE_BYTES):
            return 413, "The file is too large."
        mine = sum(each.byte_count for each in self._uploads.values() if each.user_id == viewer.user_id)
        if mine > self._limits.person_bytes:
            return 429, "Too many bytes at once. Wait some minutes."
        if sum(each.byte_count for each in self._uploads.values()) > self._limits.all_bytes:
            return 503, "Too many files are being sent. Try again in some minutes."
        return None


async def _refuse(status: int, reason: str, scope: Scope, receive: Receive, send: Send) -> None:
    # What is left of the body is not read: the connection ends.
    headers = {"Connection": "close", "Cache-Control": "no-store"}
    await PlainTextResponse(reason, status, headers=headers)(scope, receive, send)
