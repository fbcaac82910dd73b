"""The first visit: whoever reads the terminal becomes the administrator."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.errors import Busy, Forbidden, InvalidInput, TooManyAttempts, WrongCredentials
from core.services.people.signing_in import SetUp
from core.web.guard.cookies import CSRF_FIELD, Cookies, browser_of
from core.web.guard.limits import run_hashing
from core.web.guard.next_page import HOME, LOGIN, SETUP
from core.web.html.pages import (
    FOREIGN_FORM,
    NO_COMPLAINT,
    UNEQUAL,
    Complaint,
    complaint_about,
    go_to,
    read_form,
    show_form,
)
from core.web.ports import Clock, SignIn

_FIELDS = ("token", "name", "email", "password")


@dataclass(frozen=True)
class SetupPage:
    """Creates the first administrator; gone once there is one."""

    sign_in: SignIn
    cookies: Cookies
    clock: Clock

    def routes(self) -> list[BaseRoute]:
        """Return GET and POST /setup."""
        return [Route(SETUP, self.show), Route(SETUP, self.submit, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """Show the form while there is no user."""
        if not await run_in_threadpool(self.sign_in.needs_setup):
            return go_to(LOGIN)
        return self._form(request, {}, NO_COMPLAINT)

    async def submit(self, request: Request) -> Response:
        """Create the administrator and sign him or her in, or say what is wrong."""
        if not await run_in_threadpool(self.sign_in.needs_setup):
            return go_to(LOGIN)
        values = await read_form(request)
        if not self.cookies.is_our_form(request, values.get(CSRF_FIELD, "")):
            return self._form(request, values, FOREIGN_FORM)
        if values.get("password", "") != values.get("confirm", ""):
            return self._form(request, values, UNEQUAL)
        form = SetUp(**{name: values.get(name, "") for name in _FIELDS}, demo="demo" in values)
        try:
            token = await run_hashing(self.sign_in.set_up, form, browser_of(request), self.clock())
        except (InvalidInput, Forbidden, WrongCredentials, TooManyAttempts, Busy) as error:
            return self._form(request, values, complaint_about(error, 400, _FIELDS))
        response = go_to(HOME)
        self.cookies.start_session(response, token)
        return response

    def _form(self, request: Request, values: dict[str, str], complaint: Complaint) -> Response:
        shown = {name: values.get(name, "") for name in ("token", "name", "email", "demo")}
        return show_form(request, "setup.html", self.cookies, shown, complaint)
