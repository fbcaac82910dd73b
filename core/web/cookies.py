"""The two cookies Heliograph sets: whose browser this is, and that a form came from us."""

import hmac
import re
import secrets
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.responses import Response

from core.state.sessions import Browser

SESSION_COOKIE = "heliograph_session"
CSRF_COOKIE = "heliograph_csrf"
CSRF_FIELD = "csrf"
_CSRF_FORM = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(frozen=True)
class Cookies:
    """Writes cookies; *secure* keeps them off plain HTTP."""

    secure: bool

    def start_session(self, response: Response, token: str) -> None:
        """Keep the session token where no script reads it; it ends with the browser, or on the server."""
        response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="lax", secure=self.secure, path="/")
        response.delete_cookie(CSRF_COOKIE, path="/", secure=self.secure, httponly=True, samesite="strict")

    def keep_csrf(self, response: Response, csrf: str) -> None:
        """Remember the value the form carries, for the comparison when it comes back."""
        response.set_cookie(CSRF_COOKIE, csrf, httponly=True, samesite="strict", secure=self.secure, path="/")


def browser_of(connection: HTTPConnection) -> Browser:
    """
    Return where the browser is, by which failed attempts are counted, and what it calls itself.

    Headers like X-Forwarded-For are not read here: anybody can write them. Which proxy may speak for its
    clients is the server's business, which has then put their address into the scope.
    """
    address = connection.client.host if connection.client else "unknown"
    agent = connection.headers.get("user-agent", "")
    return Browser(address, "".join(character for character in agent if character.isprintable()))


def session_token(connection: HTTPConnection) -> str:
    """Return the session token the browser sent, or ""."""
    return connection.cookies.get(SESSION_COOKIE, "")


def csrf_for(connection: HTTPConnection) -> str:
    """Return the browser's CSRF value, or a new one: a second tab must not spoil the form in the first."""
    known = connection.cookies.get(CSRF_COOKIE, "")
    return known if _CSRF_FORM.fullmatch(known) else secrets.token_urlsafe(24)


def is_our_form(connection: HTTPConnection, submitted: str) -> bool:
    """Return whether the form's value is the cookie's: another site can send the one but not set the other."""
    known = connection.cookies.get(CSRF_COOKIE, "")
    return _CSRF_FORM.fullmatch(known) is not None and hmac.compare_digest(known.encode(), submitted.encode())
