"""
Callbacks: what a provider posts to Heliograph's address, and what is read out of it.

Each kind of gateway that is told things makes a reader of its connection, once; the reader is a pure function.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from core.domain.gateways.gateways import Connection
from core.domain.messages.messages import Receipt, Reply


class SignatureRefused(Exception):
    """The provider did not send this, or not lately: the signature or the address is wrong, or the time is past."""


class UnreadableCallback(Exception):
    """The body is not what its type says, or none that can be a callback."""


@dataclass(frozen=True)
class CallbackRequest:
    """
    A request as it came.

    Args:
        method: In capitals.
        url: The whole address that the provider asked for, with its query: what signatures are made over.
        query: The query as it came, without the question mark.
        headers: By their names in lower case; of one that came twice, the last.
        body: At most as much as the route lets in.
        address: Where it came from, an IP address; "" where nobody knows.
        received_at: When it came.
    """

    method: str
    url: str = field(repr=False)
    query: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    address: str
    received_at: datetime


@dataclass(frozen=True)
class Heard:
    """What a callback tells. *unread_count* is how much of it is neither a receipt nor a reply."""

    receipts: tuple[Receipt, ...] = ()
    replies: tuple[Reply, ...] = ()
    unread_count: int = 0

    @classmethod
    def of(cls, found: Iterable[Receipt | Reply | None]) -> "Heard":
        """Return what was *found*, item by item; None where one is neither."""
        items = list(found)
        return cls(
            tuple(item for item in items if isinstance(item, Receipt)),
            tuple(item for item in items if isinstance(item, Reply)),
            sum(item is None for item in items),
        )


# Raises: SignatureRefused, UnreadableCallback.
ReadCallback: TypeAlias = Callable[[CallbackRequest], Heard]
MakeReader: TypeAlias = Callable[[Connection], ReadCallback]
