"""The time that tasks go by: the application's, which the pulse sets with every beat."""

from datetime import datetime

from core.bootstrap import shared_app


def utc_now() -> datetime:
    """Return the present moment, as the state store tells it."""
    return shared_app().clock()
