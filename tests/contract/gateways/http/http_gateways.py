"""HTTP gateways for tests, and what all of them have to do besides the contract."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

import pytest

from core.domain.gateways.forms import Field, Value, check_form
from core.domain.gateways.gateways import Connection
from core.domain.messages.messages import OutboundMessage, SubmitOutcome, SubmitResult
from core.gateways.base import Gateway
from core.gateways.callbacks import CallbackRequest
from core.gateways.http.gateway import HttpGateway
from tests.contract.gateways.gateway_contract import NOW, DepartingContract, GatewayContract, make_outbound
from tests.contract.gateways.http.scripted_provider import Asked, Said, ScriptedProvider, provider

NAME = "Test provider"
CALLBACK_URL = "https://sms.example.com/callbacks/token"
REFUSED = 7
# As `make_outbound` makes them, in whatever form they travel.
_NUMBER = re.compile(r"4917960\d{5}")
OpenGateway = Callable[[Connection, Callable[[], datetime]], HttpGateway]


def connect(form: Sequence[Field], values: Mapping[str, Value], callback_url: str = CALLBACK_URL) -> Connection:
    """Return a connection by a form filled in with *values*."""
    filled = check_form(form, values)
    return Connection(NAME, filled.settings, filled.secrets, callback_url)


@contextmanager
def opened(open_gateway: OpenGateway, connection: Connection, **settings: Value) -> Iterator[HttpGateway]:
    """Run a gateway, and close it."""
    made = open_gateway(replace(connection, settings={**connection.settings, **settings}), lambda: NOW)
    try:
        yield made
    finally:
        made.close()


def callback(
    body: bytes = b"", kind: str = "", *, method: str = "POST", query: str = "", **facts: object
) -> CallbackRequest:
    """Return a callback as it comes to `CALLBACK_URL`."""
    headers = {"content-type": kind} if kind else {}
    return CallbackRequest(
        **{
            "method": method,
            "url": CALLBACK_URL + (f"?{query}" if query else ""),
            "query": query,
            "headers": headers | facts.pop("headers", {}),
            "body": body,
            "address": "192.0.2.7",
            "received_at": NOW,
        }
        | facts
    )


@dataclass(frozen=True)
class Account:
    """A gateway's form filled in with what a scripted provider, the fixture `server`, takes."""

    form: Sequence[Field]
    open_gateway: OpenGateway
    values: Mapping[str, Value]

    def connect(self, server: ScriptedProvider, **values: Value) -> Connection:
        """Return a connection to *server*, with other *values* where there are any."""
        return connect(self.form, {"url": server.url} | self.values | values)

    def submit(self, server: ScriptedProvider, count: int = 1, **values: Value) -> list[SubmitResult]:
        """Hand over so many messages by a gateway of its own, and return what came of them."""
        return self.hand_over(server, [make_outbound(number) for number in range(count)], **values)

    def hand_over(
        self, server: ScriptedProvider, messages: Sequence[OutboundMessage], **values: Value
    ) -> list[SubmitResult]:
        """Do the same with *messages*."""
        with opened(self.open_gateway, self.connect(server, **values)) as made:
            return made.submit(messages, NOW)


def serve(answer: Callable[[Asked], Said]) -> object:
    """Return the fixture `server`: a provider that answers like this."""

    @pytest.fixture
    def server() -> Iterator[ScriptedProvider]:
        with provider(answer) as running:
            yield running

    return server


class HttpGatewayContract(GatewayContract, DepartingContract):
    """
    Subclasses provide `gateway`, whose provider refuses every number that ends with `REFUSED`, and no other.

    They, or their module, have the fixture `server`, which is that provider.
    """

    @pytest.fixture
    def left(self, server: ScriptedProvider) -> Callable[[], list[str]]:
        return lambda: [
            number for asked in server.asked for number in _NUMBER.findall(asked.target + asked.body.decode())
        ]

    def test_refused_messages_say_why(self, gateway: Gateway):
        results = gateway.submit([make_outbound(number) for number in range(60)], NOW)
        refused = [result for result in results if result.outcome is SubmitOutcome.REJECTED]
        assert [int(result.message_id[-2:]) for result in refused] == [7, 17, 27, 37, 47, 57]
        assert all(result.error_code and not result.gateway_message_id for result in refused)

    def test_accepted_messages_have_distinct_ids(self, gateway: Gateway):
        results = gateway.submit([make_outbound(number) for number in range(300)], NOW)
        ids = [result.gateway_message_id for result in results if result.outcome is SubmitOutcome.ACCEPTED]
        assert len(ids) == 270
        assert all(ids)
        assert len(set(ids)) == len(ids)

    def test_threads_share_it_and_each_gets_its_own_answers(self, gateway: Gateway):
        # A request for each message takes its time: as many threads, and fewer messages.
        windows = [[make_outbound(window * 20 + number) for number in range(20)] for window in range(12)]
        check_windows(gateway, windows)


class AccountContract(HttpGatewayContract):
    """Subclasses name their `account`; their module has the fixture `server`."""

    account: ClassVar[Account]

    @pytest.fixture
    def gateway(self, server: ScriptedProvider) -> Iterator[HttpGateway]:
        with opened(self.account.open_gateway, self.account.connect(server)) as made:
            yield made


def check_windows(gateway: Gateway, windows: Sequence[Sequence[object]]) -> None:
    """Submit from six threads; each message has its own answer."""
    with ThreadPoolExecutor(max_workers=6) as threads:
        answers = list(threads.map(lambda window: gateway.submit(window, NOW), windows))
    for window, results in zip(windows, answers, strict=True):
        assert [result.message_id for result in results] == [message.message_id for message in window]
    ids = [result.gateway_message_id for results in answers for result in results if result.gateway_message_id]
    assert len(ids) == sum(len(window) for window in windows) * 9 // 10
    assert len(set(ids)) == len(ids)
