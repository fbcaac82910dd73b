"""Whether a request comes from a page of this site."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core.web.guard.limits import drop_rest

# Another site's page cannot set a header of its own choice here: the browser would have to ask us first, and we
# never agree.
SCRIPT_HEADER = "X-Heliograph"
# "Policy violation", RFC 6455 section 7.4.1.
ANOTHER_SITE = 1008
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({"same-origin", "none"})


class OwnPagesOnly:
    """ASGI middleware: what changes something, and every websocket, is refused to the pages of other sites."""

    def __init__(self, app: ASGIApp, *, public_url: str = "") -> None:
        self._app = app
        # A proxy may call us by another name than people do.
        self._public_host = urlsplit(public_url).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what our own pages ask, and programs: those have no session to abuse."""
        asks = scope["type"] == "websocket" or (scope["type"] == "http" and scope["method"] not in _HARMLESS)
        if not asks or not is_foreign(scope, self._public_host):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # A close before the accept is an HTTP 403 to the browser.
            await receive()
            await send({"type": "websocket.close", "code": ANOTHER_SITE, "reason": "another site"})
        else:
            await drop_rest(receive)
            text = "This request came from another site. Open Heliograph and try again there."
            await PlainTextResponse(text, 403, headers={"Cache-Control": "no-store"})(scope, receive, send)


def is_foreign(scope: Scope, public_host: str = "") -> bool:
    """Whether a browser says that the page behind this request came from another host. Programs name no origin."""
    headers = Headers(scope=scope)
    # Newer browsers say so themselves, and no page can make them say otherwise.
    if headers.get("sec-fetch-site", "same-origin") not in _OURS:
        return True
    origin = headers.get("origin")
    if origin is None:
        return False
    host = urlsplit(origin).netloc
    return not host or host not in {headers.get("host"), public_host}


def is_our_script(scope: Scope) -> bool:
    """Whether a script of one of our own pages asks; `OwnPagesOnly` has kept other sites away already."""
    return SCRIPT_HEADER.lower() in Headers(scope=scope)
