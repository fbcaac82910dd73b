"""One browser's session: its token, and the service that knows whose it is."""

from datetime import datetime, timedelta

from starlette.concurrency import run_in_threadpool

from core.domain.people.permissions import Viewer
from core.web.ports import Clock, SignIn


class BrowserSession:
    """Asks the blocking service from asynchronous code."""

    def __init__(self, token: str, sign_in: SignIn, clock: Clock) -> None:
        self._token = token
        self._sign_in = sign_in
        self._clock = clock
        self._active_at: datetime | None = None

    async def find_viewer(self) -> Viewer | None:
        """Return whose session it is, or None when there is none or it has ended."""
        if not self._token:
            return None
        return await run_in_threadpool(self._sign_in.identify, self._token, self._clock())

    async def recall_viewer(self) -> Viewer | None:
        """Return the same as `find_viewer`, an answer that may be a second old: for requests that come by the dozen."""
        return self._sign_in.recall(self._token, self._clock()) or await self.find_viewer()

    async def record_activity(self, period_s: float) -> None:
        """Restart the idle time; calls within *period_s* seconds of the last record cost nothing."""
        now = self._clock()
        if self._active_at is not None and now - self._active_at < timedelta(seconds=period_s):
            return
        self._active_at = now
        await run_in_threadpool(self._sign_in.touch, self._token, now)
