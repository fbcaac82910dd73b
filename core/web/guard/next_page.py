"""Where to go after signing in: only ever a page of our own."""

from urllib.parse import quote

from starlette.types import Scope

HOME = "/"
LOGIN = "/login"
SETUP = "/setup"
FORGOT = "/forgot"
# The three that mails link to.
RESET = "/reset"
INVITATION = "/invitation"
CONFIRM_EMAIL = "/confirm-email"
# Everything with a form that a stranger may see.
ENTRANCE = frozenset({LOGIN, SETUP, FORGOT, RESET, INVITATION, CONFIRM_EMAIL})
_LONGEST = 2_000
_NOT_PAGES = (*ENTRANCE, "/session/", "/assets/", "/static/", "/_stcore/", "/healthz")


def safe_next(wanted: str) -> str:
    r"""
    Return *wanted* when it is a page of this site, else "/".

    Browsers read `//host`, `/\host` and, because they drop tabs and line breaks, `/<tab>/host` as another
    host; so a second slash, any backslash and any control character are refused rather than repaired.
    """
    if not wanted.startswith("/") or wanted.startswith("//") or len(wanted) > _LONGEST:
        return HOME
    if "\\" in wanted or not wanted.isprintable() or any(part in {".", ".."} for part in wanted.split("/")):
        return HOME
    if any(wanted == path or wanted.startswith((f"{path.rstrip('/')}/", f"{path}?")) for path in _NOT_PAGES):
        return HOME
    return wanted


def login_path(scope: Scope) -> str:
    """Return the login page's path, carrying the page that *scope* asked for."""
    path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
    query = scope.get("query_string", b"").decode("latin-1")
    wanted = safe_next(f"{path}?{query}" if query else path)
    return LOGIN if wanted == HOME else f"{LOGIN}?next={quote(wanted, safe='/')}"
