"""Whose callbacks are whose, without a store."""

from collections.abc import Mapping

import pytest

from core.domain.gateways.gateways import Connection
from core.errors import ConfigurationError
from core.services.accounts.connecting_gateways import hash_token
from core.services.sending.callbacks import Callbacks
from tests.support.fakes.fake_gateway import KIND, FakeKind

TOKEN = "t" * 43


class Connecting:
    """One gateway, Berlin, whose secrets open once there is a key."""

    def __init__(self) -> None:
        self.has_key = False
        self.opened_count = 0

    def list_callbacks(self) -> Mapping[str, tuple[str, int]]:
        return {hash_token(TOKEN): ("Berlin", 1)}

    def open_connection(self, name: str) -> Connection:
        self.opened_count += 1
        if not self.has_key:
            raise ConfigurationError("No key opens the secrets.")
        return Connection(name, {}, {}, kind=KIND)


def test_callbacks_that_no_key_opens_are_read_once_there_is_one(monkeypatch: pytest.MonkeyPatch):
    FakeKind().register(monkeypatch)
    connecting = Connecting()
    callbacks = Callbacks(connecting, inbox=None)
    callbacks.look()
    found = callbacks.find(TOKEN)
    assert found is not None
    assert (found.gateway, found.read) == ("Berlin", None)
    connecting.has_key = True
    callbacks.look()
    found = callbacks.find(TOKEN)
    assert found is not None
    assert found.read is not None
    # What can be read is not made anew at every look.
    callbacks.look()
    assert connecting.opened_count == 2
    assert callbacks.find(hash_token(TOKEN)) is None
