"""Forgot Password: asking for a link, and choosing a new password with it."""

from dataclasses import dataclass, replace

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.errors import Busy, InvalidInput, NotFound, TooManyAttempts
from core.web.guard.cookies import CSRF_FIELD, Cookies, browser_of
from core.web.guard.limits import run_hashing
from core.web.guard.next_page import FORGOT, LOGIN, RESET
from core.web.html.pages import (
    FOREIGN_FORM,
    NO_COMPLAINT,
    UNEQUAL,
    Complaint,
    Notice,
    complaint_about,
    keep_address,
    read_form,
    show_form,
    show_notice,
)
from core.web.ports import Clock, Recovery

_SENT = Notice(
    "Check your email",
    "If there is an account with this email, a link to choose a new password is on its way.",
    LOGIN,
    "Back to Log In",
)
_CHANGED = Notice(
    "Your password is changed", "You were logged out everywhere. Log in with your new password.", LOGIN, "Log In"
)


@dataclass(frozen=True)
class ForgotPages:
    """The way back in."""

    recovery: Recovery
    cookies: Cookies
    clock: Clock

    def routes(self) -> list[BaseRoute]:
        """Return GET and POST of /forgot and /reset."""
        return [
            Route(FORGOT, self.show_forgot),
            Route(FORGOT, self.submit_forgot, methods=["POST"]),
            Route(RESET, self.show_reset),
            Route(RESET, self.submit_reset, methods=["POST"]),
        ]

    async def show_forgot(self, request: Request) -> Response:
        """Ask for the email."""
        return self._forgot(request, {}, NO_COMPLAINT)

    async def submit_forgot(self, request: Request) -> Response:
        """Answer the same whoever is asked for; what differs is done after the answer."""
        values = await read_form(request)
        if not self.cookies.is_our_form(request, values.get(CSRF_FIELD, "")):
            return self._forgot(request, values, FOREIGN_FORM)
        email, address, now = values.get("email", ""), browser_of(request).address, self.clock()
        try:
            await run_in_threadpool(self.recovery.ask, email, address, now)
        except (TooManyAttempts, InvalidInput) as error:
            return self._forgot(request, values, complaint_about(error, 400, ("email",)))
        response = show_notice(replace(_SENT, text=f"{_SENT.text} {self.recovery.detour}".rstrip()))
        response.background = BackgroundTask(self.recovery.deliver, email, address, now)
        return response

    async def show_reset(self, request: Request) -> Response:
        """Show the form if the link works. Nothing changes: mail programs open links too."""
        return await self._reset(request, request.query_params.get("token", ""), NO_COMPLAINT)

    async def submit_reset(self, request: Request) -> Response:
        """Set the password, or say what is wrong."""
        values = await read_form(request)
        token, password = values.get("token", ""), values.get("password", "")
        if not self.cookies.is_our_form(request, values.get(CSRF_FIELD, "")):
            return await self._reset(request, token, FOREIGN_FORM)
        if password != values.get("confirm", ""):
            return await self._reset(request, token, UNEQUAL)
        try:
            await run_hashing(self.recovery.use, token, password, browser_of(request).address, self.clock())
        except (InvalidInput, Busy) as error:
            return await self._reset(request, token, complaint_about(error, 400, ("password",)))
        except NotFound as error:
            return _dead(error)
        return show_notice(_CHANGED)

    async def _reset(self, request: Request, token: str, complaint: Complaint) -> Response:
        try:
            person = await run_in_threadpool(self.recovery.find, token, self.clock())
        except NotFound as error:
            return _dead(error)
        shown = {"token": token, "email": person.email}
        return keep_address(show_form(request, "reset.html", self.cookies, shown, complaint))

    def _forgot(self, request: Request, values: dict[str, str], complaint: Complaint) -> Response:
        shown = {"email": values.get("email", "")}
        return show_form(request, "forgot.html", self.cookies, shown, complaint)


def _dead(error: NotFound) -> Response:
    return show_notice(Notice(error.message, error.hint, FORGOT, "Request a new link"), 404)
