"""Where time enters the worker; everything below is told."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present moment, aware."""
    return datetime.now(UTC)
