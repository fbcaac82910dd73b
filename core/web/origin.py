"""Whether a request comes from a page of this site."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

# Another site's page cannot set a header of its own choice here: the browser would have to ask us first, and we
# never agree.
SCRIPT_HEADER = "X-Heliograph"


def is_foreign(scope: Scope) -> bool:
    """Whether a browser says that the page behind this request came from another host. Programs name no origin."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def is_our_script(scope: Scope) -> bool:
    """Whether a script of one of our own pages asks."""
    headers = Headers(scope=scope)
    same_site = headers.get("sec-fetch-site", "same-origin") == "same-origin"
    return SCRIPT_HEADER.lower() in headers and same_site and not is_foreign(scope)
