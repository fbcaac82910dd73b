"""Identifiers we give out."""

import uuid_utils


def new_id() -> str:
    """Return a UUIDv7 as text: unique everywhere, and sorting by time keeps B-trees short."""
    return str(uuid_utils.uuid7())
