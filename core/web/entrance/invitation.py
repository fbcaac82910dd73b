"""The page behind an invitation's link: a name, a password, and in."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.errors import Busy, InvalidInput, NotFound
from core.services.people.following_links import Acceptance
from core.web.guard.cookies import CSRF_FIELD, Cookies, browser_of
from core.web.guard.limits import run_hashing
from core.web.guard.next_page import HOME, INVITATION, LOGIN
from core.web.html.pages import (
    FOREIGN_FORM,
    NO_COMPLAINT,
    UNEQUAL,
    Complaint,
    Notice,
    complaint_about,
    go_to,
    keep_address,
    read_form,
    show_form,
    show_notice,
)
from core.web.ports import Clock, Doors


@dataclass(frozen=True)
class InvitationPage:
    """Makes a pending person an active one."""

    doors: Doors
    cookies: Cookies
    clock: Clock

    def routes(self) -> list[BaseRoute]:
        """Return GET and POST /invitation."""
        return [Route(INVITATION, self.show), Route(INVITATION, self.submit, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """Show the form if the link works. Nothing changes: mail programs open links too."""
        return await self._form(request, {"token": request.query_params.get("token", "")}, NO_COMPLAINT)

    async def submit(self, request: Request) -> Response:
        """Let the person in, or say what is wrong."""
        values = await read_form(request)
        if not self.cookies.is_our_form(request, values.get(CSRF_FIELD, "")):
            return await self._form(request, values, FOREIGN_FORM)
        if values.get("password", "") != values.get("confirm", ""):
            return await self._form(request, values, UNEQUAL)
        form = Acceptance(values.get("token", ""), values.get("name", ""), values.get("password", ""))
        try:
            token = await run_hashing(
                self.doors.accept, form, browser_of(request), self.clock(), self.cookies.session_token(request)
            )
        except (InvalidInput, Busy) as error:
            return await self._form(request, values, complaint_about(error, 400, ("name", "password")))
        except NotFound as error:
            return _dead(error)
        response = go_to(HOME)
        self.cookies.start_session(response, token)
        return response

    async def _form(self, request: Request, values: dict[str, str], complaint: Complaint) -> Response:
        token = values.get("token", "")
        try:
            person = await run_in_threadpool(self.doors.find, token, self.clock())
        except NotFound as error:
            return _dead(error)
        shown = {"token": token, "email": person.email, "name": values.get("name", person.name)}
        return keep_address(show_form(request, "invitation.html", self.cookies, shown, complaint))


def _dead(error: NotFound) -> Response:
    hint = f"{error.hint} If you have accepted it already, log in."
    return show_notice(Notice(error.message, hint, LOGIN, "Log In"), 404)
