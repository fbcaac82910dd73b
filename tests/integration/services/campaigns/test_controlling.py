"""Pause, resume and cancel: they take effect with the next sub-window, lose nobody, and do nothing out of turn."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.people.permissions import Permission, Viewer
from core.errors import Conflict, Forbidden, InvalidTransition, NotFound
from core.history.audience.audience_store import FreezeSpec, FrozenAudience
from core.services.campaigns.quick_sending import QuickMessage
from core.services.sending.reconciling import OUTCOMES
from core.services.work_queue import WorkKind
from core.state.campaigns import ledger
from tests.integration.services import steps
from tests.support.application.house import House, contacts, make_house

COUNT, SUB_WINDOW, BATCH = 60, 10, 20
LEASE_OVER = timedelta(seconds=60)
LATER = timedelta(hours=1)

Action = Callable[[House, Viewer, str], Campaign]
ACTIONS: dict[str, Action] = {
    "pause": lambda house, viewer, key: house.app.campaigns.controlling.pause(viewer, key, house.now),
    "resume": lambda house, viewer, key: house.app.campaigns.controlling.resume(viewer, key, house.now),
    "cancel": lambda house, viewer, key: house.app.campaigns.controlling.cancel(viewer, key, house.now),
    "unschedule": lambda house, viewer, key: house.app.campaigns.controlling.unschedule(viewer, key, house.now),
    "launch": lambda house, viewer, key: house.app.campaigns.launching.launch(viewer, key, house.now),
    "start_overdue": lambda house, viewer, key: house.app.campaigns.launching.start_overdue(viewer, key, house.now),
}
ALLOWED: dict[CampaignStatus, set[str]] = {
    CampaignStatus.INACTIVE: {"launch"},
    CampaignStatus.SCHEDULED: {"cancel", "unschedule", "start_overdue"},
    CampaignStatus.PROCESSING: {"cancel"},
    CampaignStatus.ACTIVE: {"pause", "cancel"},
    CampaignStatus.PAUSED: {"resume", "cancel"},
    CampaignStatus.CANCELED: set(),
    CampaignStatus.COMPLETED: set(),
}
FORBIDDEN = [(status, action) for status, allowed in ALLOWED.items() for action in ACTIONS if action not in allowed]


def make(folder: Path) -> House:
    return make_house(folder, sub_window=SUB_WINDOW, batch_size=BATCH)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make(tmp_path)
    yield made
    made.app.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, dict[CampaignStatus, str]]]:
    """A campaign in every state, for what must not change any of them."""
    house = make(tmp_path_factory.mktemp("shared"))
    list_id = house.upload(contacts(3)).list_id
    yield house, {status: bring_to(house, list_id, status) for status in CampaignStatus}
    house.app.close()


def bring_to(house: House, list_id: str, status: CampaignStatus) -> str:
    is_scheduled = status is CampaignStatus.SCHEDULED
    draft = steps.save(house, list_id, schedule_at=house.now + LATER if is_scheduled else None)
    key = draft.campaign_id
    if status is not CampaignStatus.INACTIVE:
        steps.launch(house, draft)
    if status not in {CampaignStatus.INACTIVE, CampaignStatus.SCHEDULED, CampaignStatus.PROCESSING}:
        house.app.campaigns.launching.freeze(key, house.clock)
    if status is CampaignStatus.PAUSED:
        house.app.campaigns.controlling.pause(house.viewer, key, house.now)
    if status is CampaignStatus.CANCELED:
        house.app.campaigns.controlling.cancel(house.viewer, key, house.now)
        house.app.campaigns.controlling.settle(key, house.clock)
    if status is CampaignStatus.COMPLETED:
        house.app.sending.submitting.run(key, house.clock)
    assert house.campaign(key).status is status
    return key


def start(house: House, count: int = COUNT) -> str:
    campaign_id = house.launch(house.upload(contacts(count)).list_id).campaign_id
    house.app.campaigns.launching.freeze(campaign_id, house.clock)
    return campaign_id


def everything(house: House, campaign_id: str) -> tuple[object, ...]:
    with house.app.state.read() as session:
        batches = ledger.list_batch_nos(session, campaign_id)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    return house.campaign(campaign_id), batches, found, steps.receivers(house)


def assert_balanced(house: House, campaign_id: str, **expected: int) -> None:
    """Compare the counts, those not given being 0, and the rows behind them with the counts."""
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    counts = (found.sent_count, found.excluded_count, found.failed_count, found.unknown_count, found.pending_count)
    assert counts == tuple(expected.get(outcome, 0) for outcome in OUTCOMES)
    assert (found.audience_count, found.balances) == (sum(counts), True)
    rows = [
        house.app.sending.reconciling.rows(house.viewer, campaign_id, outcome, None, 1, 1_000).table.num_rows
        for outcome in OUTCOMES
    ]
    assert tuple(rows) == counts
    assert len(set(steps.receivers(house))) == len(steps.receivers(house))


@pytest.mark.parametrize(("status", "action"), FORBIDDEN)
def test_a_move_that_is_not_allowed_is_refused_and_changes_nothing(
    shared: tuple[House, dict[CampaignStatus, str]], status: CampaignStatus, action: str
):
    house, campaigns = shared
    before = everything(house, campaigns[status])
    with pytest.raises(InvalidTransition) as caught:
        ACTIONS[action](house, house.viewer, campaigns[status])
    assert caught.value.hint
    assert everything(house, campaigns[status]) == before


@pytest.mark.parametrize(
    ("status", "action"), [(status, name) for status in ALLOWED for name in sorted(ALLOWED[status])]
)
def test_what_is_allowed_is_not_so_to_others_and_they_change_nothing(
    shared: tuple[House, dict[CampaignStatus, str]], status: CampaignStatus, action: str
):
    house, campaigns = shared
    before = everything(house, campaigns[status])
    stranger = Viewer("u-2", "Eve", "eve@example.com", frozenset(Permission), frozenset({"another-account"}))
    with pytest.raises(NotFound):
        ACTIONS[action](house, stranger, campaigns[status])
    # Somebody of the account who sends by hand only.
    reader = Viewer("u-3", "Rita", "r@example.com", frozenset({Permission.QUICK_SEND}), house.viewer.account_ids)
    with pytest.raises(Forbidden):
        ACTIONS[action](house, reader, campaigns[status])
    assert everything(house, campaigns[status]) == before


def test_a_quick_send_is_controlled_by_those_who_may_send_quickly(house: House):
    order = QuickMessage(str(uuid4()), house.account.account_id, "HELIOGRAPH", ("+491796000001",), "Hello")
    key = house.app.campaigns.quick_sending.send(house.viewer, order, house.now).campaign_id
    accounts = house.viewer.account_ids
    planner = Viewer("u-3", "Rita", "rita@example.com", frozenset({Permission.CAMPAIGN}), accounts)
    with pytest.raises(Forbidden):
        house.app.campaigns.controlling.cancel(planner, key, house.now)
    sender = Viewer("u-4", "Sam", "sam@example.com", frozenset({Permission.QUICK_SEND}), accounts)
    assert house.app.campaigns.controlling.cancel(sender, key, house.now).status is CampaignStatus.CANCELED
    steps.work(house)
    assert steps.receivers(house) == []


@pytest.mark.parametrize("turn", [1, 3])
def test_a_paused_campaign_submits_nothing_more_and_resumed_it_repeats_nothing(house: House, turn: int):
    key = start(house)
    steps.at_submit(house, lambda: house.app.campaigns.controlling.pause(house.viewer, key, house.now), turn)
    steps.work(house)
    sent = turn * SUB_WINDOW
    assert_balanced(house, key, sent=sent, pending=COUNT - sent)
    house.wait(LATER)
    house.app.sending.submitting.run(key, house.clock)
    assert len(steps.receivers(house)) == sent
    house.app.campaigns.controlling.resume(house.viewer, key, house.now)
    steps.work(house)
    assert house.campaign(key).status is CampaignStatus.COMPLETED
    assert_balanced(house, key, sent=COUNT)


@pytest.mark.parametrize("ending", ["resume", "cancel"])
def test_a_pause_during_the_last_sub_window_leaves_nothing_open(house: House, ending: str):
    key = start(house, SUB_WINDOW)
    steps.at_submit(house, lambda: house.app.campaigns.controlling.pause(house.viewer, key, house.now))
    steps.work(house)
    assert house.campaign(key).status is CampaignStatus.PAUSED
    ended = ACTIONS[ending](house, house.viewer, key)
    expected = CampaignStatus.COMPLETED if ending == "resume" else CampaignStatus.CANCELED
    assert (ended.status, ended.completed_at) == (expected, house.now)
    assert house.app.work.find(house.now) == []
    assert_balanced(house, key, sent=SUB_WINDOW)


@pytest.mark.parametrize("turn", [1, 3, COUNT // SUB_WINDOW])
def test_a_cancellation_settles_the_rest_and_sends_none_of_it(house: House, turn: int):
    steps.price(house, "5")
    key = start(house)
    steps.at_submit(house, lambda: house.app.campaigns.controlling.cancel(house.viewer, key, house.now), turn)
    house.app.sending.submitting.run(key, house.clock)
    steps.work(house)
    sent = turn * SUB_WINDOW
    assert house.campaign(key).status is CampaignStatus.CANCELED
    assert_balanced(house, key, sent=sent, excluded=COUNT - sent)
    assert len(steps.receivers(house)) == sent
    assert steps.billed(house, key) == 5 * sent
    # Twice does no harm.
    house.app.campaigns.controlling.settle(key, house.clock)
    assert_balanced(house, key, sent=sent, excluded=COUNT - sent)


def test_a_paused_campaign_can_be_canceled(house: House):
    key = start(house)
    steps.at_submit(house, lambda: house.app.campaigns.controlling.pause(house.viewer, key, house.now))
    steps.work(house)
    house.app.campaigns.controlling.cancel(house.viewer, key, house.now)
    steps.work(house)
    assert_balanced(house, key, sent=SUB_WINDOW, excluded=COUNT - SUB_WINDOW)


def test_a_settlement_waits_for_the_batch_a_worker_holds(house: House):
    key = start(house)

    def cancel() -> None:
        house.app.campaigns.controlling.cancel(house.viewer, key, house.now)
        house.app.campaigns.controlling.settle(key, house.clock)

    steps.at_submit(house, cancel)
    house.app.sending.submitting.run(key, house.clock)
    assert_balanced(house, key, sent=SUB_WINDOW, excluded=COUNT - BATCH, pending=BATCH - SUB_WINDOW)
    steps.work(house)
    assert_balanced(house, key, sent=SUB_WINDOW, excluded=COUNT - SUB_WINDOW)


@pytest.mark.parametrize(
    ("action", "statuses"),
    [
        ("pause", {CampaignStatus.ACTIVE, CampaignStatus.PAUSED}),
        ("resume", {CampaignStatus.PAUSED, CampaignStatus.ACTIVE}),
        ("cancel", {CampaignStatus.ACTIVE, CampaignStatus.CANCELED}),
    ],
)
def test_of_several_calls_at_once_one_moves_the_campaign(house: House, action: str, statuses: set[CampaignStatus]):
    key = start(house)
    if action == "resume":
        house.app.campaigns.controlling.pause(house.viewer, key, house.now)
    results = steps.at_once([lambda: ACTIONS[action](house, house.viewer, key)] * 4)
    moved = [result for result in results if isinstance(result, Campaign)]
    refused = [result for result in results if isinstance(result, InvalidTransition | Conflict)]
    assert (len(moved), len(refused)) == (1, 3)
    assert house.campaign(key).status is moved[0].status
    assert moved[0].status in statuses


def test_of_a_pause_and_a_cancellation_at_once_the_cancellation_stands(house: House):
    key = start(house)
    paused, canceled = steps.at_once(
        [lambda: ACTIONS["pause"](house, house.viewer, key), lambda: ACTIONS["cancel"](house, house.viewer, key)]
    )
    assert isinstance(paused, Campaign | InvalidTransition | Conflict)
    assert isinstance(canceled, Campaign)
    steps.work(house)
    assert_balanced(house, key, excluded=COUNT)


@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
def test_a_campaign_that_is_canceled_while_it_is_frozen_sends_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, committed: bool
):
    steps.suppress(house, "+491796000003")
    key = house.launch(house.upload(contacts(COUNT)).list_id).campaign_id
    audiences = house.app.campaigns.launching._tools.audiences
    freeze = audiences.freeze

    def overtaken(spec: FreezeSpec) -> FrozenAudience:
        frozen = freeze(spec) if committed else None
        house.app.campaigns.controlling.cancel(house.viewer, key, house.now)
        return frozen or freeze(spec)

    monkeypatch.setattr(audiences, "freeze", overtaken)
    house.app.campaigns.launching.freeze(key, house.clock)
    house.wait(LEASE_OVER)
    assert [work for work in house.app.work.find(house.now) if work.kind is not WorkKind.EXPORT] == []
    steps.work(house)
    assert house.campaign(key).status is CampaignStatus.CANCELED
    assert steps.receivers(house) == []
    assert_balanced(house, key)
