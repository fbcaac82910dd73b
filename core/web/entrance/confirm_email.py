"""The page behind the link that confirms a new email."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.errors import AppError, Conflict, NotFound
from core.web.guard.cookies import CSRF_FIELD, Cookies, browser_of
from core.web.guard.next_page import CONFIRM_EMAIL, HOME
from core.web.html.pages import (
    FOREIGN_FORM,
    NO_COMPLAINT,
    Complaint,
    Notice,
    keep_address,
    read_form,
    show_form,
    show_notice,
)
from core.web.ports import Clock, Doors


@dataclass(frozen=True)
class ConfirmEmailPage:
    """Shows a button; pressing it changes the email."""

    doors: Doors
    cookies: Cookies
    clock: Clock

    def routes(self) -> list[BaseRoute]:
        """Return GET and POST /confirm-email."""
        return [Route(CONFIRM_EMAIL, self.show), Route(CONFIRM_EMAIL, self.submit, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """Show the button if the link works. Nothing changes: mail programs open links too."""
        return await self._form(request, request.query_params.get("token", ""), NO_COMPLAINT)

    async def submit(self, request: Request) -> Response:
        """Change the email, or say why not."""
        values = await read_form(request)
        token = values.get("token", "")
        if not self.cookies.is_our_form(request, values.get(CSRF_FIELD, "")):
            return await self._form(request, token, FOREIGN_FORM)
        try:
            email = await run_in_threadpool(self.doors.confirm_email, token, browser_of(request).address, self.clock())
        except (NotFound, Conflict) as error:
            return _refused(error)
        return show_notice(Notice("Your email is changed", f"From now on, you log in with {email}.", HOME, "Continue"))

    async def _form(self, request: Request, token: str, complaint: Complaint) -> Response:
        try:
            link = await run_in_threadpool(self.doors.find_email, token, self.clock())
        except NotFound as error:
            return _refused(error)
        shown = {"token": token, "email": link.email}
        return keep_address(show_form(request, "confirm_email.html", self.cookies, shown, complaint))


def _refused(error: AppError) -> Response:
    status = 409 if isinstance(error, Conflict) else 404
    return show_notice(Notice(error.message, error.hint, HOME, "Go to Heliograph"), status)
