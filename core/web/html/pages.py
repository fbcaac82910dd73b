"""The pages rendered on the server: everything a stranger sees."""

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from core.errors import AppError, Busy, TooManyAttempts
from core.web.guard.cookies import CSRF_FIELD, Cookies
from core.web.html.assets import asset_url

PRODUCT = "Heliograph"

_templates = Environment(
    loader=PackageLoader("core.web.html"),
    autoescape=select_autoescape(["html", "svg"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals.update(asset_url=asset_url, product=PRODUCT, csrf_field=CSRF_FIELD)


@dataclass(frozen=True)
class Complaint:
    """What is wrong with a submitted form, in the person's words."""

    status: int = 200
    text: str = ""
    # Name of the form field it belongs to; empty: the form as a whole.
    field: str = ""
    # Seconds until another attempt is welcome; 0: at once.
    retry_after_s: int = 0


NO_COMPLAINT = Complaint()
FOREIGN_FORM = Complaint(
    400, "This form is no longer valid. Try again; if it happens twice, allow cookies for this site."
)

UNEQUAL = Complaint(400, "The two passwords differ. Type the same one twice.", "confirm")


@dataclass(frozen=True)
class Notice:
    """A page that says something and leads on: to *path*, by a link that reads *label*."""

    title: str
    text: str
    path: str
    label: str


def complaint_about(error: AppError, status: int, fields: tuple[str, ...] = ()) -> Complaint:
    """Turn *error* into words beside its field, if the form has it among *fields*."""
    text = f"{error.message} {error.hint}".strip()
    if isinstance(error, TooManyAttempts):
        return Complaint(429, text, retry_after_s=error.retry_after_s)
    if isinstance(error, Busy):
        return Complaint(503, text, retry_after_s=error.retry_after_s)
    return Complaint(status, text, error.field if error.field in fields else "")


def show_form(
    request: Request, template: str, cookies: Cookies, values: dict[str, str], complaint: Complaint
) -> HTMLResponse:
    """Render a form with what was typed (never passwords) and what is wrong with it."""
    csrf = cookies.csrf_for(request)
    html = _templates.get_template(template).render(values=values, csrf=csrf, complaint=complaint)
    response = HTMLResponse(html, complaint.status, headers={"Cache-Control": "no-store"})
    if complaint.retry_after_s:
        response.headers["Retry-After"] = str(complaint.retry_after_s)
    cookies.keep_csrf(response, csrf)
    return response


def show_notice(notice: Notice, status: int = 200) -> HTMLResponse:
    """Render a page without a form."""
    html = _templates.get_template("notice.html").render(notice=notice)
    return keep_address(HTMLResponse(html, status, headers={"Cache-Control": "no-store"}))


def keep_address(response: HTMLResponse) -> HTMLResponse:
    """Let the browser tell nobody this page's address: it holds a token."""
    # Not "no-referrer": browsers then call the form's origin "null", as they do for other sites in disguise.
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


async def read_form(request: Request) -> dict[str, str]:
    """Return the submitted text fields; uploaded files do not belong here and are left out."""
    async with request.form() as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def go_to(path: str) -> RedirectResponse:
    """Send the browser to *path* with a GET."""
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})
