"""Trying a connection out: one bind of each kind, told in words."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from core.domain.gateways.gateways import Connection
from core.errors import Unavailable
from core.gateways.base import Inbox
from core.gateways.smpp.gateway import SmppGateway

# A person waits for it.
WITHIN_S = 10
LOOK_S = 0.05


def try_connection(connection: Connection, inbox: Inbox, clock: Callable[[], datetime]) -> str:
    """
    Bind, unbind, and return what came of it; receipts that come meanwhile are kept in *inbox*.

    Raises: Unavailable: in words, what failed. InvalidInput: it cannot be set up like that.
    """
    settings = {**connection.settings, "binds": 1, "response_s": min(WITHIN_S, int(connection.settings["response_s"]))}
    gateway = SmppGateway(replace(connection, settings=settings), inbox, clock)
    try:
        _wait_for_binds(gateway)
    finally:
        gateway.close()
    binds = "a transceiver" if settings["mode"] == "transceiver" else "a transmitter and a receiver"
    return f"{settings['host']}, port {settings['port']}, accepts {binds} as {settings['system_id']}."


def _wait_for_binds(gateway: SmppGateway) -> None:
    gateway.keep_open()
    until = time.monotonic() + WITHIN_S
    while True:
        links = gateway.links()
        if all(link.is_bound for link in links):
            return
        for link in links:
            if link.fault:
                raise Unavailable(link.fault, gateway=gateway.name)
        if time.monotonic() >= until:
            raise Unavailable(f"No answer within {WITHIN_S} seconds.", gateway=gateway.name)
        time.sleep(LOOK_S)
