"""The HTTP side of Heliograph around Streamlit: signing in, the guard, health, security headers."""

from core.web.guard.cookies import SESSION_COOKIE
from core.web.lifespan import lifespan
from core.web.site import middleware, routes

__all__ = ["SESSION_COOKIE", "lifespan", "middleware", "routes"]
