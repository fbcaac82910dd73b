"""The login page."""

import logging
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.errors import Busy, TooManyAttempts, WrongCredentials
from core.web.guard.browser_session import BrowserSession
from core.web.guard.cookies import CSRF_FIELD, Cookies, browser_of
from core.web.guard.limits import run_hashing
from core.web.guard.next_page import LOGIN, SETUP, safe_next
from core.web.html.pages import FOREIGN_FORM, NO_COMPLAINT, Complaint, complaint_about, go_to, read_form, show_form
from core.web.ports import Clock, SignIn

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoginPage:
    """Shows the form and trades email and password for a session cookie."""

    sign_in: SignIn
    cookies: Cookies
    clock: Clock
    idle_s: int

    def routes(self) -> list[BaseRoute]:
        """Return GET and POST /login."""
        return [Route(LOGIN, self.show), Route(LOGIN, self.submit, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """Show the form, unless there is nobody to sign in yet, or the browser is signed in already."""
        next_page = safe_next(request.query_params.get("next", ""))
        if await run_in_threadpool(self.sign_in.needs_setup):
            return go_to(SETUP)
        if (
            await BrowserSession(self.cookies.session_token(request), self.sign_in, self.clock).find_viewer()
            is not None
        ):
            return go_to(next_page)
        return self._form(request, {"next": next_page, "why": self._why(request)}, NO_COMPLAINT)

    async def submit(self, request: Request) -> Response:
        """Start a session and go on, or say what is wrong; never which of email and password it was."""
        values = await read_form(request)
        if not self.cookies.is_our_form(request, values.get(CSRF_FIELD, "")):
            return self._form(request, values, FOREIGN_FORM)
        email, password = values.get("email", ""), values.get("password", "")
        browser = browser_of(request)
        try:
            token = await run_hashing(
                self.sign_in.sign_in, email, password, browser, self.clock(), self.cookies.session_token(request)
            )
        except (WrongCredentials, TooManyAttempts, Busy) as error:
            _log.info("sign_in_refused", extra={"reason": error.code, "address": browser.address})
            return self._form(request, values, complaint_about(error, 401))
        response = go_to(safe_next(values.get("next", "")))
        self.cookies.start_session(response, token)
        return response

    def _form(self, request: Request, values: dict[str, str], complaint: Complaint) -> Response:
        shown = {
            "email": values.get("email", ""),
            "next": safe_next(values.get("next", "")),
            "why": values.get("why", "") if request.method == "GET" else "",
        }
        return show_form(request, "login.html", self.cookies, shown, complaint)

    def _why(self, request: Request) -> str:
        """Return why the watch script brought the browser here, if it did."""
        why = request.query_params.get("ended", "")
        if why == "idle":
            minutes = max(1, round(self.idle_s / 60))
            return f"You were logged out after {minutes} minute{'s' if minutes > 1 else ''} without activity."
        return "You were logged out because your session reached its time limit." if why == "lifetime" else ""
