"""
Connections on which no request comes, or one bit by bit.

uvicorn lets go who is silent after an answer, but waits without end for the first byte and for the end of a head; with
no session, and uncounted, a stranger could have as many connections as a process may have files.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

# For a request's head since the connection was there, and up to twice as long since the last answer: as long as the
# front of several processes waits for the first one.
HEAD_S = 10.0


def end_slow_requests(head_s: float = HEAD_S) -> None:
    """Let every HTTP connection of this process end that asks nothing whole for so long, from now on."""
    connect = AutoHTTPProtocol.connection_made

    def connect_and_watch(self: Any, transport: Any) -> None:
        connect(self, transport)
        asyncio.get_running_loop().call_later(head_s, _look, self, transport, None, head_s)

    AutoHTTPProtocol.connection_made = connect_and_watch  # type: ignore[method-assign]


def _look(protocol: Any, transport: Any, answered: object, head_s: float) -> None:
    """End the connection if *answered*, the latest request at the last look, is so still; else look again."""
    # A page's socket begins as a request, and is somebody else's from then on.
    if transport.is_closing() or transport.get_protocol() is not protocol:
        return
    latest = protocol.cycle
    is_answered = latest is None or latest.response_complete
    if is_answered and latest is answered:
        transport.close()
        return
    # What is being answered is no object that a later look could find again.
    seen = latest if is_answered else object()
    asyncio.get_running_loop().call_later(head_s, _look, protocol, transport, seen, head_s)
