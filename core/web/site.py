"""What is mounted around Streamlit: the routes before it, the middleware over both."""

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from core.web.callbacks.callbacks import Callbacks
from core.web.entrance.confirm_email import ConfirmEmailPage
from core.web.entrance.forgot import ForgotPages
from core.web.entrance.invitation import InvitationPage
from core.web.entrance.setup import SetupPage
from core.web.entrance.sign_in import LoginPage
from core.web.files.downloads import Downloads
from core.web.files.media import OwnMedia
from core.web.files.uploads import UploadLimits, Uploads
from core.web.guard.cookies import Cookies
from core.web.guard.guard import Guard
from core.web.guard.headers import SecurityHeaders
from core.web.guard.limits import BodyLimit
from core.web.guard.live_socket import Watch
from core.web.guard.next_page import ENTRANCE
from core.web.guard.origin import OwnPagesOnly
from core.web.guard.proxies import Proxies, parse_networks
from core.web.guard.session import SESSION_PATHS, SessionRoutes
from core.web.health import HealthPage
from core.web.html.assets import asset_routes
from core.web.html.inject import Inject
from core.web.ports import Application, Clock, IsUserActivity, OpenPages


def routes(app: Application, *, clock: Clock) -> list[BaseRoute]:
    """Return Heliograph's own HTTP routes; each is public or guarded as `core.web.guard.guard` says."""
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
        # Before whatever is for browsers: a provider has no session, and reports a thousand times a second.
        Middleware(Callbacks, callbacks=app.sending.callbacks, clock=clock, address=settings.address),
        Middleware(SecurityHeaders, secure=settings.is_secure),
        Middleware(OwnPagesOnly, public_url=settings.public_url),
        Middleware(BodyLimit, paths=(*ENTRANCE, *SESSION_PATHS)),
        Middleware(Guard, sign_in=app.people.signing_in, watch=watch, clock=clock, cookies=cookies),
        Middleware(Uploads, limits=UploadLimits(app.settings.upload_max_mib << 20), clock=clock, pages=pages),
        Middleware(OwnMedia, pages=pages),
        Middleware(Inject),
    ]
