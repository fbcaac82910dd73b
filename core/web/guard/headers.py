"""
Security headers, and what a page may load.

No page asks another host for anything, and the browser enforces it: every source below is this site, or
content made inside the page.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.web.guard.next_page import ENTRANCE

# Our own pages: one stylesheet, one script, no inline anything.
OWN_PAGES_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Streamlit styles its elements inline, starts from an inline script, loads component code from blob: addresses
# and shows pictures from data: addresses. It needs no 'unsafe-eval' for the charts used here.
STREAMLIT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline' blob:; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; connect-src 'self' blob:; "
    "worker-src 'self' blob:; frame-src 'self'; object-src 'none'; form-action 'self'; base-uri 'self'; "
    "frame-ancestors 'self'"
)
# Files people made: shown or saved, never run.
FILES_POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"

_YEAR_S = 365 * 24 * 60 * 60

COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """ASGI middleware around all that answers: no answer leaves without these headers, refusals included."""

    def __init__(self, app: ASGIApp, *, secure: bool = False) -> None:
        self._app = app
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers that the answer does not set itself."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in security_headers(scope["path"]).items():
                    headers.setdefault(name, value)
                self._finish(scope["path"], headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _finish(self, path: str, headers: MutableHeaders) -> None:
        """Overrule what the answer says itself."""
        if is_private(path):
            # Streamlit lets everybody on the way keep the files it hands out.
            headers["Cache-Control"] = "no-store"
        if not self._secure:
            return
        headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}"
        # Streamlit does not know that there is TLS in front of it.
        kept = [
            cookie if "; secure" in cookie.lower() else f"{cookie}; Secure" for cookie in headers.getlist("set-cookie")
        ]
        del headers["set-cookie"]
        for cookie in kept:
            headers.append("set-cookie", cookie)


def is_private(path: str) -> bool:
    """Whether an answer at *path* may hold somebody's data; components and the bundle are the product's own code."""
    return not path.startswith(("/assets/", "/static/", "/component/", "/_stcore/bidi-components/", "/favicon."))


def security_headers(path: str) -> dict[str, str]:
    """Return the headers for an answer at *path*."""
    if path in ENTRANCE:
        return {**COMMON, "Content-Security-Policy": OWN_PAGES_POLICY, "X-Frame-Options": "DENY"}
    policy = FILES_POLICY if path.startswith("/media/") else STREAMLIT_POLICY
    return {**COMMON, "Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN"}
