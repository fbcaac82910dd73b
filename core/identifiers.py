"""Identifiers we give out."""

import uuid

import uuid_utils

# Whatever is derived is derived in here, so that it never meets an id that was drawn, nor one derived elsewhere.
_DERIVED = uuid.UUID("5c0d8f0e-8a3e-5d0c-9a51-2f6f7c1b9e44")


def new_id() -> str:
    """Return a UUIDv7 as text: unique everywhere, and sorting by time keeps B-trees short."""
    return str(uuid_utils.uuid7())


def derive_id(kind: str, owner_id: str, token: str) -> str:
    """
    Return the id of what *owner_id* asked for with *token*: the same each time, and nobody else's.

    What a caller names is never an id itself: it could be that of something else. A UUIDv5 is none that `new_id` gives.
    """
    return str(uuid.uuid5(_DERIVED, f"{kind}\x1f{owner_id}\x1f{token}"))
