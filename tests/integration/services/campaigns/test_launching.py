"""Launching: what was looked at is what is sent and billed, once, or nothing is."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import delete

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.errors import Conflict, InvalidInput, InvalidTransition, StorageError
from core.history.audience.audience_store import FreezeSpec, FrozenAudience
from core.services.accounts.managing_accounts import AccountSettings
from core.state.tables.models import PriceRow
from tests.integration.services import steps
from tests.support.application.house import House, contacts, make_house
from tests.support.fakes.calm import calm
from tests.support.stores.small_disk import SmallDisk, small_disk

COUNT = 20
LEASE_OVER = timedelta(seconds=60)
NAMES = ("Beau", "Łukasz", "Zoë", "李雷", "Ana {x}", "😀 Kim", "“Q”", "", "  ", "Élise", "x" * 150)


@pytest.fixture
def draft(house: House) -> Campaign:
    steps.price(house, "5")
    return steps.save(house, house.upload(contacts(COUNT)).list_id)


def look_at(house: House, draft: Campaign) -> str:
    return house.app.campaigns.preflighting.look(house.viewer, draft.campaign_id, house.now).preflight.fingerprint


def edit(house: House, draft: Campaign, **changes: object) -> None:
    changed = house.draft(*draft.list_ids, **changes)
    house.app.campaigns.composing.save(house.viewer, changed, house.now, draft.campaign_id, version=draft.version)


def replace_list(house: House, draft: Campaign) -> None:
    again = house.upload(contacts(COUNT), "The same people").list_id
    edit(house, draft, list_ids=(again,))


def leave_out(house: House, draft: Campaign) -> None:
    edit(house, draft, left_out_ids=(house.upload(contacts(2), "Customers").list_id,))


CHANGES: dict[str, Callable[[House, Campaign], None]] = {
    "the message": lambda house, draft: edit(house, draft, message="Good-bye {FirstName}"),
    "the sender": lambda house, draft: edit(house, draft, sender_id="SOMEBODY"),
    "the fallback": lambda house, draft: edit(house, draft, fallbacks={"FirstName": "friend"}),
    "the schedule": lambda house, draft: edit(house, draft, schedule_at=house.now + timedelta(days=1)),
    "the list": replace_list,
    "the lists left out": leave_out,
    "a price": lambda house, _draft: steps.price(house, "6"),
    "the price of a network": lambda house, _draft: steps.price(house, "6", "DE", "26202"),
    "the suppressions": lambda house, _draft: steps.suppress(house, "+491796000003"),
}


def test_a_stop_of_somebody_who_is_on_none_of_the_lists_changes_nothing(house: House, draft: Campaign):
    seen = look_at(house, draft)
    steps.suppress(house, "+491790000000")
    assert steps.launch(house, draft, seen).status is CampaignStatus.PROCESSING


def assert_not_launched(house: House, draft: Campaign) -> None:
    steps.work(house)
    found = house.campaign(draft.campaign_id)
    assert (found.status, found.launched_at, found.preflight) == (CampaignStatus.INACTIVE, None, None)
    assert steps.count_frozen(house, draft.campaign_id) == 0
    assert steps.receivers(house) == []


def test_what_has_changed_since_it_was_looked_at_is_not_launched(house: House, draft: Campaign):
    """One house for all changes: each is looked at anew, refused once, and does not stand in the way of the next."""
    for change, make in CHANGES.items():
        before = house.campaign(draft.campaign_id)
        seen = look_at(house, before)
        make(house, before)
        with pytest.raises(Conflict, match="changed since") as caught:
            steps.launch(house, draft, seen)
        assert caught.value.hint, change
        assert_not_launched(house, draft)
    # With the last edit's schedule gone, what is seen now is what is launched.
    started = steps.launch(house, draft, look_at(house, draft))
    assert started.status is CampaignStatus.PROCESSING


def test_what_has_not_changed_is_launched_however_often_it_was_looked_at(house: House, draft: Campaign):
    seen = look_at(house, draft)
    house.wait(timedelta(hours=3))
    assert look_at(house, draft) == seen
    started = steps.launch(house, draft, seen)
    assert started.preflight["fingerprint"] == seen
    steps.work(house)
    assert len(steps.receivers(house)) == COUNT


def test_a_list_that_is_gone_since_is_not_sent_to(house: House, draft: Campaign):
    seen = look_at(house, draft)
    house.app.lists.delete(house.viewer, *draft.list_ids, house.now)
    with pytest.raises(InvalidInput, match="no longer exists") as caught:
        steps.launch(house, draft, seen)
    assert caught.value.field == "list_id"
    assert_not_launched(house, draft)


def test_an_edit_in_the_middle_of_a_launch_stops_it(house: House, draft: Campaign, monkeypatch: pytest.MonkeyPatch):
    count = house.app.campaigns.preflighting.count

    def edited(*arguments: object) -> object:
        found = count(*arguments)
        edit(house, draft, message="Something else")
        return found

    monkeypatch.setattr(house.app.campaigns.preflighting, "count", edited)
    with pytest.raises(Conflict, match="just changed"):
        steps.launch(house, draft)
    assert_not_launched(house, draft)


def test_a_budget_that_is_set_in_the_middle_of_a_freeze_counts(
    house: House, draft: Campaign, monkeypatch: pytest.MonkeyPatch
):
    house.app.campaigns.launching.launch(house.viewer, draft.campaign_id, house.now)
    budgeting = house.app.campaigns.launching._tools.budgeting
    find_left = budgeting.find_left

    def set_one(*facts: object, **more: object) -> Decimal | None:
        left = find_left(*facts, **more)
        settings = AccountSettings(house.account.gateway, house.account.rate_tps, Decimal(0))
        house.app.accounts.managing.change(house.viewer, draft.account_id, settings, house.now)
        return left

    monkeypatch.setattr(budgeting, "find_left", set_one)
    house.app.campaigns.launching.freeze(draft.campaign_id, house.clock)
    found = house.campaign(draft.campaign_id)
    assert (found.status, found.audience_count) == (CampaignStatus.PAUSED, COUNT)


@pytest.mark.parametrize("schedule_in", [None, timedelta(hours=1)], ids=["at once", "scheduled"])
def test_launched_from_several_places_at_once_it_is_launched_once(house: House, schedule_in: timedelta | None):
    schedule_at = house.now + schedule_in if schedule_in else None
    draft = steps.save(house, house.upload(contacts(COUNT)).list_id, schedule_at=schedule_at)
    seen = look_at(house, draft)
    results = steps.at_once([lambda: steps.launch(house, draft, seen)] * 4)
    assert sum(isinstance(result, Campaign) for result in results) == 1
    assert sum(isinstance(result, InvalidTransition | Conflict) for result in results) == 3
    house.wait(schedule_in or timedelta(0))
    steps.work(house)
    assert len(set(steps.receivers(house))) == len(steps.receivers(house)) == COUNT


def guests(seed: int, count: int, prefix: str) -> str:
    """Return a file with names of all kinds; of the numbers, some belong to no network with a price."""
    source = random.Random(seed)
    rows = [f'{prefix}{6_000_000 + number},"{source.choice(NAMES)}"' for number in range(count)]
    return "\n".join(["PhoneNumber,FirstName", *rows, f"44791234510{seed},Nobody"])


@pytest.mark.parametrize("refused_rate", [0.0, 0.2], ids=["all taken", "some refused"])
def test_what_is_billed_is_the_total_of_the_preflight_to_the_cent(house: House, refused_rate: float):
    calm(house.app, refused_rate=refused_rate)
    with house.app.state.write() as session:
        # The price of everything else, which a new account comes with.
        session.execute(delete(PriceRow))
    steps.price(house, "7.2525", "DE")
    steps.price(house, "6.3333", "DE", "26203")
    steps.price(house, "3.1", "FR")
    german, both, french, customers = (
        house.upload(guests(seed, count, prefix), f"List {seed}").list_id
        for seed, (count, prefix) in enumerate([(40, "49179"), (60, "49179"), (30, "336"), (5, "49179")])
    )
    steps.suppress(house, *(f"+49179{6_000_000 + number}" for number in range(10, 15)))
    draft = steps.save(
        house,
        german,
        list_ids=(german, both, french),
        left_out_ids=(customers,),
        message="Dear {FirstName}, you are welcome. " * 2,
        fallbacks={"FirstName": "Gast “Ü”"},
    )
    found = house.app.campaigns.preflighting.look(house.viewer, draft.campaign_id, house.now).preflight
    counted = found.counted
    assert set(counted.excluded) == {"duplicate", "left out", "suppressed", "no price"}
    assert len(counted.lengths) > 1
    assert counted.empty["FirstName"] > 0
    steps.launch(house, draft, found.fingerprint)
    steps.work(house)
    done = house.campaign(draft.campaign_id)
    assert (done.status, done.cost_eur_cents) == (CampaignStatus.COMPLETED, counted.cost_eur_cents)
    assert Decimal(done.preflight["cost_eur_cents"]) == counted.cost_eur_cents
    failed = steps.announced(house, draft.campaign_id, "failed")
    assert (failed > 0) is (refused_rate > 0)
    assert steps.billed(house, draft.campaign_id) + failed == counted.cost_eur_cents
    sent = house.app.reports.reporting.reconciliation(house.viewer, draft.campaign_id)
    assert sent.sent_count + sent.failed_count == counted.recipient_count
    assert (sent.excluded, sent.audience_count, sent.balances) == (counted.excluded, counted.audience_count, True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", size_mib=48) as mounted:
        yield mounted


@pytest.mark.parametrize("committed", [False, True], ids=["before the lake has it", "when the lake has it"])
def test_a_full_disk_leaves_no_audience_half_frozen(disk: SmallDisk, monkeypatch: pytest.MonkeyPatch, committed: bool):
    house = make_house(disk.path / "data", batch_size=50)
    steps.suppress(house, "+491796000003")
    key = house.launch(house.upload(contacts(200)).list_id).campaign_id
    audiences = house.app.campaigns.launching._tools.audiences
    freeze = audiences.freeze

    def filling(spec: FreezeSpec) -> FrozenAudience:
        frozen = freeze(spec) if committed else None
        disk.fill()
        return frozen or freeze(spec)

    with monkeypatch.context() as patch:
        patch.setattr(audiences, "freeze", filling)
        with pytest.raises(StorageError) as caught:
            house.app.campaigns.launching.freeze(key, house.clock)
    assert caught.value.hint
    assert house.campaign(key).status is CampaignStatus.PROCESSING
    found = house.app.reports.reporting.reconciliation(house.viewer, key)
    assert (found.audience_count, found.pending_count, found.excluded) == (0, 0, {})
    disk.free()
    # All of it is in the lake, or nothing: who is sent to, who is excluded, and the mark that they are everybody.
    assert steps.count_frozen(house, key) == (199 + 1 + 1 if committed else 0)
    house.wait(LEASE_OVER)
    steps.work(house)
    found = house.app.reports.reporting.reconciliation(house.viewer, key)
    assert house.campaign(key).status is CampaignStatus.COMPLETED
    assert (found.audience_count, found.excluded, found.balances) == (200, {"suppressed": 1}, True)
    assert len(set(steps.receivers(house))) == len(steps.receivers(house)) > 190
    house.app.close()
