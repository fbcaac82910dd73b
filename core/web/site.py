"""What is mounted around Streamlit: the routes before it, the middleware over both."""

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from core.web.assets import asset_routes
from core.web.confirm_email import ConfirmEmailPage
from core.web.cookies import Cookies
from core.web.downloads import Downloads
from core.web.forgot import ForgotPages
from core.web.guard import Guard
from core.web.headers import SecurityHeaders
from core.web.health import HealthPage
from core.web.inject import Inject
from core.web.invitation import InvitationPage
from core.web.limits import BodyLimit
from core.web.live_socket import Watch
from core.web.media import OwnMedia
from core.web.next_page import ENTRANCE
from core.web.origin import OwnPagesOnly
from core.web.ports import Application, Clock, IsUserActivity, OpenPages
from core.web.proxies import Proxies, parse_networks
from core.web.session import SESSION_PATHS, SessionRoutes
from core.web.setup import SetupPage
from core.web.sign_in import LoginPage
from core.web.uploads import UploadLimits, Uploads


def routes(app: Application, *, clock: Clock) -> list[BaseRoute]:
    """Return Heliograph's own HTTP routes; each is public or guarded as `core.web.guard` says."""
    cookies = Cookies(secure=app.settings.is_secure)
    return [
        *LoginPage(app.people.signing_in, cookies, clock, app.settings.session_idle_s).routes(),
        *SetupPage(app.people.signing_in, cookies, clock).routes(),
        *ForgotPages(app.people.resetting, cookies, clock).routes(),
        *InvitationPage(app.people.links, cookies, clock).routes(),
        *ConfirmEmailPage(app.people.links, cookies, clock).routes(),
        *HealthPage(app.health, clock).routes(),
        *Downloads(app.reports.exporting, clock).routes(),
        *SessionRoutes(app.people.signing_in, clock, cookies).routes(),
        *asset_routes(),
    ]


def middleware(
    app: Application, *, is_user_activity: IsUserActivity, pages: OpenPages, clock: Clock, watch_period_s: float = 3.0
) -> list[Middleware]:
    """
    Return the middleware, outermost first.

    Args:
        app: The composed application.
        is_user_activity: Tells a websocket message that a person caused from one a timer caused.
        pages: What the pages' server keeps in memory for browsers.
        watch_period_s: Seconds between two checks of a live websocket's session.
        clock: Where the present moment comes from.
    """
    settings, cookies = app.settings, Cookies(secure=app.settings.is_secure)
    watch = Watch(is_user_activity, period_s=watch_period_s)
    return [
        Middleware(Proxies, trusted=parse_networks(settings.trusted_proxies)),
        Middleware(SecurityHeaders, secure=settings.is_secure),
        Middleware(OwnPagesOnly, public_url=settings.public_url),
        Middleware(BodyLimit, paths=(*ENTRANCE, *SESSION_PATHS)),
        Middleware(Guard, sign_in=app.people.signing_in, watch=watch, clock=clock, cookies=cookies),
        Middleware(Uploads, limits=UploadLimits(app.settings.upload_max_mib << 20), clock=clock, pages=pages),
        Middleware(OwnMedia, pages=pages),
        Middleware(Inject),
    ]
