"""No transaction of the state store is open while a gateway or the lake is asked: either may take its time."""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.reports.message_query import MessageQuery
from core.gateways.simulator.gateway import SimulatorGateway
from core.history.lake.connection import Lake
from core.services.work_queue import Work
from core.state.engine.store import State
from tests.support.application.house import MONTH, contacts, make_house

ASKED = {Lake: ("read", "write"), SimulatorGateway: ("submit", "fetch_receipts", "acknowledge")}


def counting(session: Callable[..., Any], here: threading.local) -> Callable[..., Any]:
    """Count how many of these are open in the thread."""

    @contextmanager
    def counted(state: State) -> Iterator[Any]:
        with session(state) as found:
            here.open = getattr(here, "open", 0) + 1
            try:
                yield found
            finally:
                here.open -= 1

    return counted


def alone(method: Callable[..., Any], here: threading.local, asked: set[str]) -> Callable[..., Any]:
    """Refuse to be asked while one is open."""

    @functools.wraps(method)
    def ask(*args: Any, **options: Any) -> Any:
        asked.add(method.__qualname__)
        assert not getattr(here, "open", 0), f"{method.__qualname__} is asked within a transaction"
        return method(*args, **options)

    return ask


def test_nobody_waits_within_a_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    house = make_house(tmp_path, lifelike=True)
    here, asked = threading.local(), set[str]()
    for name in ("read", "write"):
        monkeypatch.setattr(State, name, counting(getattr(State, name), here))
    for owner, names in ASKED.items():
        for name in names:
            monkeypatch.setattr(owner, name, alone(getattr(owner, name), here, asked))
    campaigns, reporting = house.app.campaigns, house.app.reports.reporting
    draft = campaigns.composing.save(house.viewer, house.draft(house.upload(contacts(50)).list_id), house.now)
    campaigns.composing.preview(house.viewer, house.draft(draft.list_ids[0]), 0)
    campaigns.preflighting.look(house.viewer, draft.campaign_id, house.now)
    campaigns.launching.launch(house.viewer, draft.campaign_id, house.now)
    house.app.work.run_until_idle(house.clock)
    house.wait(MONTH / 2)
    for kind in house.app.work.pauses:
        house.app.work.do(Work(kind), house.clock)
    page = reporting.messages(house.viewer, MessageQuery(house.viewer.account_ids, house.everything()), 1, 10)
    assert house.campaign(draft.campaign_id).status is CampaignStatus.COMPLETED
    assert reporting.reconciliation(house.viewer, draft.campaign_id).sent_count == page.total > 0
    assert asked == {f"{owner.__qualname__}.{name}" for owner, names in ASKED.items() for name in names}
    house.app.close()
