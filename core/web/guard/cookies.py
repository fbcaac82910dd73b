"""The two cookies Heliograph sets: whose browser this is, and that a form came from us."""

import hmac
import re
import secrets
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.responses import Response

from core.domain.people.browsers import tidy_address
from core.state.people.sessions import Browser

SESSION_COOKIE = "heliograph_session"
CSRF_COOKIE = "heliograph_csrf"
CSRF_FIELD = "csrf"
_CSRF_FORM = re.compile(r"[A-Za-z0-9_-]{32}")


# Browsers take a cookie of such a name only over TLS, from this very host and for all of it: neither another host of
# the same domain nor somebody on the way can plant one (RFC 6265bis, 4.1.3.2).
HOST_PREFIX = "__Host-"


def session_cookie(*, secure: bool) -> str:
    """Return the name of the session's cookie."""
    return f"{HOST_PREFIX}{SESSION_COOKIE}" if secure else SESSION_COOKIE


@dataclass(frozen=True)
class Cookies:
    """Writes and reads cookies; *secure* keeps them off plain HTTP, and believes none that came over it."""

    secure: bool

    @property
    def _csrf(self) -> str:
        return f"{HOST_PREFIX}{CSRF_COOKIE}" if self.secure else CSRF_COOKIE

    def start_session(self, response: Response, token: str) -> None:
        """Keep the session token where no script reads it; it ends with the browser, or on the server."""
        name = session_cookie(secure=self.secure)
        response.set_cookie(name, token, httponly=True, samesite="lax", secure=self.secure, path="/")
        self._forget(response, self._csrf)
        if self.secure:
            # From before there was TLS: whatever they hold is not believed any more.
            self._forget(response, SESSION_COOKIE)
            self._forget(response, CSRF_COOKIE)

    def keep_csrf(self, response: Response, csrf: str) -> None:
        """Remember the value the form carries, for the comparison when it comes back."""
        response.set_cookie(self._csrf, csrf, httponly=True, samesite="strict", secure=self.secure, path="/")

    def session_token(self, connection: HTTPConnection) -> str:
        """Return the session token the browser sent, or ""."""
        return connection.cookies.get(session_cookie(secure=self.secure), "")

    def csrf_for(self, connection: HTTPConnection) -> str:
        """Return the browser's CSRF value, or a new one: a second tab must not spoil the form in the first."""
        known = connection.cookies.get(self._csrf, "")
        return known if _CSRF_FORM.fullmatch(known) else secrets.token_urlsafe(24)

    def is_our_form(self, connection: HTTPConnection, submitted: str) -> bool:
        """Return whether the form's value is the cookie's: another site can send the one but not set the other."""
        known = connection.cookies.get(self._csrf, "")
        return _CSRF_FORM.fullmatch(known) is not None and hmac.compare_digest(known.encode(), submitted.encode())

    def _forget(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")


def browser_of(connection: HTTPConnection) -> Browser:
    """
    Return where the browser is, by which failed attempts are counted, and what it calls itself.

    Headers like X-Forwarded-For are not read here: anybody can write them. `core.web.guard.proxies` has put the address
    into the scope, by the word of the proxies that the settings name.
    """
    address = connection.client.host if connection.client else "unknown"
    agent = connection.headers.get("user-agent", "")
    return Browser(tidy_address(address), "".join(character for character in agent if character.isprintable()))
