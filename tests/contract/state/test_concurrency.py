"""Several workers on one store: exactly one gets the work, and no count is lost."""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import chain

import pyarrow as pa
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.messages.messages import LedgerState
from core.errors import StorageError
from core.services.sending.batch_history import BatchHistory
from core.state.accounts import accounts, departures
from core.state.campaigns import campaigns, ledger
from core.state.campaigns.ledger import Batch, Claim, Outcome
from core.state.engine.store import State
from core.state.imports import lists
from core.state.people import users
from core.state.tables.models import Base
from core.state.upkeep import installation
from tests.support.application.factories import NOW, make_account, make_campaign, make_list, make_user
from tests.support.processes.live_server import REPOSITORY

UNTIL = NOW + timedelta(seconds=10)
WORKERS = 4
PATIENCE_S = 30


def at_once(work: Callable[[int], object], workers: int = WORKERS) -> list[object]:
    """Run *work* in threads that start together; return what each returned or raised, by number."""
    start = threading.Barrier(workers)
    results: list[object] = [None] * workers

    def run(number: int) -> None:
        start.wait(PATIENCE_S)
        try:
            results[number] = work(number)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    return results


@pytest.fixture
def store(state: State) -> State:
    with state.write() as session:
        users.add_user(session, make_user(), NOW)
        accounts.add_account(session, make_account(), NOW)
        lists.add_list(session, make_list())
        installation.request_demo(session, "user-1", NOW)
        campaigns.add_campaign(session, make_campaign(status=CampaignStatus.PROCESSING))
        ledger.add_batches(session, "campaign-1", [(1, 3)])
    return state


@pytest.mark.parametrize(
    "lease",
    [
        lambda session, owner: lists.lease_list(session, "list-1", owner, NOW, UNTIL),
        lambda session, owner: installation.lease_demo(session, "user-1", owner, NOW, UNTIL),
        lambda session, owner: campaigns.lease_campaign(session, "campaign-1", owner, NOW, UNTIL),
        lambda session, owner: ledger.lease_batch(session, "campaign-1", owner, NOW, UNTIL) is not None,
    ],
    ids=["list", "demo", "campaign", "batch"],
)
def test_of_workers_that_want_the_same_exactly_one_gets_it(store: State, lease: Callable[[Session, str], bool]):
    def take(number: int) -> bool:
        with store.write() as session:
            return lease(session, f"worker-{number}")

    assert Counter(at_once(take)) == {True: 1, False: WORKERS - 1}


def test_workers_get_different_batches(store: State):
    with store.write() as session:
        ledger.add_batches(session, "campaign-1", [(number, 3) for number in range(2, 9)])

    def take(number: int) -> list[int]:
        mine = []
        while True:
            with store.write() as session:
                batch = ledger.lease_batch(session, "campaign-1", f"worker-{number}", NOW, UNTIL)
            if batch is None:
                return mine
            mine.append(batch.batch_no)

    # PostgreSQL passes over a batch that somebody else is just taking, so that nobody waits for anybody.
    assert sorted(chain.from_iterable(at_once(take))) == list(range(1, 9))


def test_of_claims_for_one_receiver_exactly_one_stands(store: State):
    batch = Batch("campaign-1-1", "campaign-1", 1, 3)

    def claim(number: int) -> str:
        with store.write() as session:
            ledger.claim(session, batch, [Claim(f"message-{number}", "+491796000000", "simulator")], NOW)
        return "claimed"

    results = at_once(claim)
    assert results.count("claimed") == 1
    assert sum(isinstance(result, IntegrityError) for result in results) == WORKERS - 1


def test_a_campaign_is_launched_by_one_of_those_who_try(state: State):
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)
        campaigns.add_campaign(session, make_campaign())

    def launch(_number: int) -> str:
        with state.write() as session:
            return campaigns.move_campaign(session, "campaign-1", CampaignStatus.PROCESSING, launched_at=NOW).status

    results = at_once(launch)
    assert results.count(CampaignStatus.PROCESSING) == 1
    assert {type(result).__name__ for result in results} <= {"CampaignStatus", "InvalidTransition", "Conflict"}


class Together:
    """A history where everybody has written before anybody goes on."""

    def __init__(self, workers: int) -> None:
        self._all_here = threading.Barrier(workers)

    def append_batch(self, *_arguments: object) -> bool:
        self._all_here.wait(PATIENCE_S)
        return True


def settled_state(number: int) -> LedgerState:
    # Different outcomes: nothing but the campaign itself makes the workers wait for each other.
    return (LedgerState.SENT, LedgerState.FAILED, LedgerState.UNKNOWN)[number]


def rows_of(messages: list[str]) -> pa.Table:
    columns = ("msisdn", "country", "network", "mccmnc", "encoding")
    table = {name: [name[:6]] * len(messages) for name in columns}
    prices = pa.array([Decimal(5)] * len(messages), pa.decimal128(12, 4))
    return pa.table({"message_id": messages, "segment_count": [1] * len(messages), "price_eur_cents": prices, **table})


@pytest.mark.parametrize("outcome", ["the same", "different"])
def test_the_last_batches_settled_at_once_complete_the_campaign(state: State, outcome: str):
    workers = 3
    campaign = make_campaign(status=CampaignStatus.ACTIVE, audience_count=workers)
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)
        campaigns.add_campaign(session, campaign)
        ledger.add_batches(session, "campaign-1", [(number, 1) for number in range(workers)])
    batches = [Batch(f"campaign-1-{number}", "campaign-1", number, 1) for number in range(workers)]
    for number, batch in enumerate(batches):
        settled = settled_state(number if outcome == "different" else 0)
        with state.write() as session:
            claimed = Claim(f"message-{number}", f"+49179600000{number}", "simulator")
            ledger.claim(session, batch, [claimed], NOW)
            ledger.record_outcomes(session, [Outcome(f"message-{number}", settled, NOW, "0x0B")])
    settling = BatchHistory(state, Together(workers))

    def settle(number: int) -> None:
        settling.settle(campaign, batches[number], rows_of([f"message-{number}"]), NOW)

    assert at_once(settle, workers) == [None] * workers
    with state.read() as session:
        assert campaigns.get_campaign(session, "campaign-1").status is CampaignStatus.COMPLETED
        assert sum(campaigns.list_outcomes(session, ["campaign-1"])["campaign-1"].values()) == workers


def test_a_reading_sees_one_moment(store: State):
    with store.read() as reading:
        before = ledger.count_in_flight(reading, ["campaign-1"])["campaign-1"]
        with store.write() as session:
            assert ledger.settle_batch(session, "campaign-1-1")
            campaigns.add_outcomes(session, "campaign-1", {("sent", ""): 3})
        # Otherwise the three would count neither as pending nor as sent, or as both.
        assert campaigns.list_outcomes(reading, ["campaign-1"])["campaign-1"] == {}
        assert ledger.count_in_flight(reading, ["campaign-1"])["campaign-1"] == before
    with store.read() as reading:
        assert campaigns.list_outcomes(reading, ["campaign-1"])["campaign-1"] == {("sent", ""): 3}


def test_processes_that_start_at_once_migrate_once(state: State):
    with state.write() as session:
        Base.metadata.drop_all(session.connection())
        session.execute(text("DROP TABLE alembic_version"))

    # Processes, since Alembic keeps what it is at in a global.
    command = [
        sys.executable,
        "-c",
        "import sys; from core.state.engine.store import State; State(sys.argv[1]).migrate()",
    ]
    processes = [subprocess.Popen([*command, state.url], cwd=REPOSITORY) for _ in range(3)]
    assert [process.wait(PATIENCE_S) for process in processes] == [0, 0, 0]
    with state.read() as session:
        assert users.count_users(session) == 0


def test_references_are_enforced_after_migrating_as_before(state: State):
    state.migrate()
    with pytest.raises(IntegrityError), state.write() as session:
        users.add_membership(session, "nobody", "nothing")


def test_logs_of_limits_lose_no_booking(store: State):
    def spend(number: int) -> float:
        subject = departures.of_gateway(f"gateway-{number % 2}")
        for _ in range(5):
            with store.write() as session:
                log = departures.lock_log(session, subject, NOW)
                departures.store_log(session, subject, replace(log, last=log.last + 1), NOW)
        return 0.0

    assert at_once(spend) == [0.0] * WORKERS
    with store.read() as session:
        found = [departures.look_at_log(session, departures.of_gateway(f"gateway-{number}")).last for number in (0, 1)]
    assert found == [5 * WORKERS // 2] * 2


def test_more_readers_than_connections_are_told_to_try_again(state: State, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(state._engine.pool, "_timeout", 0.01)
    with ExitStack() as held:
        for _ in range(state._engine.pool.size() + state._engine.pool._max_overflow):
            users.count_users(held.enter_context(state.read()))
        with pytest.raises(StorageError, match="busy"), state.read() as session:
            users.count_users(session)
    with state.read() as session:
        assert users.count_users(session) == 0
