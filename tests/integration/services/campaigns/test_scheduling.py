"""Scheduled campaigns: not before their time, at their time, and not by themselves long after it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.domain.accounts.accounts import AccountStatus
from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.campaigns.schedules import FURTHEST, format_schedule, parse_schedule
from core.domain.reports.paging import PageRequest
from core.errors import Conflict, InvalidInput
from core.services.work_queue import Work, WorkKind
from core.state.campaigns import campaigns
from core.state.tables.models import AccountRow
from tests.integration.services import steps
from tests.support.application.house import House, contacts

COUNT = 20
SOON = timedelta(hours=3)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def scheduled(house: House) -> Campaign:
    steps.price(house, "5")
    found = house.launch(house.upload(contacts(COUNT)).list_id, schedule_at=house.now + SOON)
    assert (found.status, found.launched_at) == (CampaignStatus.SCHEDULED, None)
    return found


def is_due(house: House, campaign: Campaign) -> bool:
    return Work(WorkKind.START, campaign.campaign_id) in house.app.work.find(house.now)


def list_overdue(house: House) -> list[str]:
    page = house.app.campaigns.composing.page(house.viewer, PageRequest(), statuses=[CampaignStatus.SCHEDULED])
    return [item.campaign_id for item in page.items if item.is_overdue(house.now)]


def assert_untouched(house: House, campaign: Campaign) -> None:
    assert house.campaign(campaign.campaign_id) == campaign
    assert steps.count_frozen(house, campaign.campaign_id) == 0
    assert steps.receivers(house) == []


def assert_everybody_got_one(house: House, campaign: Campaign, count: int = COUNT) -> None:
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    assert (found.audience_count, found.sent_count, found.balances) == (COUNT, count, True)
    assert len(steps.receivers(house)) == len(set(steps.receivers(house))) == count


def test_nothing_happens_before_its_time(house: House, scheduled: Campaign):
    house.wait(SOON - INSTANT)
    assert not is_due(house, scheduled)
    # Even when a task for it is lying around.
    house.app.campaigns.launching.start(scheduled.campaign_id, house.clock)
    house.app.campaigns.launching.freeze(scheduled.campaign_id, house.clock)
    steps.work(house)
    assert_untouched(house, scheduled)


def test_at_its_time_it_is_frozen_and_sent(house: House, scheduled: Campaign):
    house.wait(SOON)
    assert is_due(house, scheduled)
    steps.work(house)
    assert_everybody_got_one(house, scheduled)
    assert house.campaign(scheduled.campaign_id).launched_at == scheduled.schedule_at
    with house.app.lake.read() as cursor:
        assert cursor.execute("SELECT frozen_at FROM lake.frozen_audiences").fetchall() == [
            (house.now.replace(tzinfo=None),)
        ]


def test_workers_that_start_it_at_once_start_it_once(house: House, scheduled: Campaign):
    house.wait(SOON)

    def start() -> None:
        house.app.campaigns.launching.start(scheduled.campaign_id, house.clock)
        house.app.campaigns.launching.freeze(scheduled.campaign_id, house.clock)

    assert steps.at_once([start] * 4) == [None] * 4
    steps.work(house)
    # A task that comes late finds nothing to do.
    house.wait(timedelta(minutes=1))
    start()
    assert_everybody_got_one(house, scheduled)
    assert house.campaign(scheduled.campaign_id).launched_at == scheduled.schedule_at


@pytest.mark.parametrize("late", [timedelta(minutes=1), timedelta(hours=1) - INSTANT])
def test_less_than_an_hour_late_it_starts_by_itself(house: House, scheduled: Campaign, late: timedelta):
    house.wait(SOON + late)
    assert list_overdue(house) == []
    steps.work(house)
    assert_everybody_got_one(house, scheduled)
    assert house.campaign(scheduled.campaign_id).launched_at == house.now


@pytest.mark.parametrize("late", [timedelta(hours=1), timedelta(days=3)])
def test_an_hour_late_it_waits_for_a_person(house: House, scheduled: Campaign, late: timedelta):
    house.wait(SOON + late)
    assert not is_due(house, scheduled)
    house.app.campaigns.launching.start(scheduled.campaign_id, house.clock)
    steps.work(house)
    assert_untouched(house, scheduled)
    assert list_overdue(house) == [scheduled.campaign_id]
    started = house.app.campaigns.launching.start_overdue(house.viewer, scheduled.campaign_id, house.now)
    assert (started.status, started.launched_at) == (CampaignStatus.PROCESSING, house.now)
    steps.work(house)
    assert list_overdue(house) == []
    assert_everybody_got_one(house, scheduled)


def test_an_overdue_one_that_is_unscheduled_is_a_draft_again(house: House, scheduled: Campaign):
    house.wait(SOON + timedelta(hours=2))
    draft = house.app.campaigns.controlling.unschedule(house.viewer, scheduled.campaign_id, house.now)
    assert (draft.status, draft.preflight, list_overdue(house)) == (CampaignStatus.INACTIVE, None, [])
    steps.work(house)
    assert steps.receivers(house) == []
    # Its time has passed: that has to be changed first.
    with pytest.raises(InvalidInput, match="in the past") as caught:
        steps.launch(house, draft)
    assert caught.value.field == "schedule_at"
    house.app.campaigns.composing.save(
        house.viewer, house.draft(*draft.list_ids), house.now, draft.campaign_id, version=draft.version
    )
    steps.launch(house, draft)
    steps.work(house)
    assert_everybody_got_one(house, scheduled)


@pytest.mark.parametrize("wait", [timedelta(0), SOON, SOON + timedelta(hours=2)], ids=["early", "due", "overdue"])
def test_one_that_is_canceled_never_starts(house: House, scheduled: Campaign, wait: timedelta):
    house.wait(wait)
    canceled = house.app.campaigns.controlling.cancel(house.viewer, scheduled.campaign_id, house.now)
    assert (canceled.status, canceled.completed_at) == (CampaignStatus.CANCELED, house.now)
    house.wait(SOON)
    house.app.campaigns.launching.start(scheduled.campaign_id, house.clock)
    steps.work(house)
    assert_untouched(house, canceled)
    found = house.app.reports.reporting.reconciliation(house.viewer, scheduled.campaign_id)
    assert (found.audience_count, found.balances) == (0, True)


def test_one_that_is_unscheduled_does_not_start_at_its_time(house: House, scheduled: Campaign):
    draft = house.app.campaigns.controlling.unschedule(house.viewer, scheduled.campaign_id, house.now)
    house.wait(SOON)
    house.app.campaigns.launching.start(scheduled.campaign_id, house.clock)
    steps.work(house)
    assert_untouched(house, draft)


def test_who_is_suppressed_meanwhile_gets_nothing(house: House, scheduled: Campaign):
    steps.suppress(house, "+491796000003", "+491796000004")
    house.wait(SOON)
    steps.work(house)
    assert_everybody_got_one(house, scheduled, COUNT - 2)
    found = house.app.reports.reporting.reconciliation(house.viewer, scheduled.campaign_id)
    assert found.excluded == {"suppressed": 2}
    assert "+491796000003" not in steps.receivers(house)


def test_when_nobody_is_left_it_is_over_at_once(house: House, scheduled: Campaign):
    steps.suppress(house, *(f"+49179{6_000_000 + number}" for number in range(COUNT)))
    house.wait(SOON)
    steps.work(house)
    assert_everybody_got_one(house, scheduled, 0)


def test_the_price_of_its_time_is_billed_to_everybody_alike(house: House, scheduled: Campaign):
    steps.price(house, "7.25")
    house.wait(SOON)
    steps.work(house)
    assert_everybody_got_one(house, scheduled)
    assert scheduled.preflight["cost_eur_cents"] == "100.0000"
    assert house.campaign(scheduled.campaign_id).cost_eur_cents == Decimal("7.25") * COUNT
    assert steps.billed(house, scheduled.campaign_id) == Decimal("7.25") * COUNT


def test_its_lists_cannot_be_deleted_under_it(house: House):
    guests, left_out = house.upload(contacts(COUNT)), house.upload(contacts(2), "Customers")
    campaign = house.launch(guests.list_id, left_out_ids=(left_out.list_id,), schedule_at=house.now + SOON)
    for found in (guests, left_out):
        with pytest.raises(Conflict, match=f"The campaign {campaign.name} is scheduled with this list"):
            house.app.lists.delete(house.viewer, found.list_id, house.now)
    house.wait(SOON)
    steps.work(house)
    assert_everybody_got_one(house, campaign, COUNT - 2)
    house.app.lists.delete(house.viewer, guests.list_id, house.now)


def test_its_text_cannot_be_changed_under_it(house: House, scheduled: Campaign):
    changed = house.draft(*scheduled.list_ids, message="Something else")
    with pytest.raises(Conflict):
        house.app.campaigns.composing.save(
            house.viewer, changed, house.now, scheduled.campaign_id, version=scheduled.version
        )
    assert_untouched(house, scheduled)


def test_an_account_that_may_not_send_any_more_makes_it_a_draft_that_says_why(house: House, scheduled: Campaign):
    with house.app.state.write() as session:
        session.get_one(AccountRow, scheduled.account_id).status = AccountStatus.INACTIVE
    house.wait(SOON)
    steps.work(house)
    stopped = house.campaign(scheduled.campaign_id)
    assert (stopped.status, "may no longer send" in stopped.fault) == (CampaignStatus.INACTIVE, True)
    assert steps.receivers(house) == []
    assert steps.count_frozen(house, scheduled.campaign_id) == 0


@pytest.mark.parametrize(
    ("schedule_in", "reason"),
    [(timedelta(0), "in the past"), (-SOON, "in the past"), (FURTHEST + INSTANT, "a year away")],
)
def test_a_time_that_cannot_be_is_refused_at_launch(house: House, schedule_in: timedelta, reason: str):
    draft = steps.save(house, house.upload(contacts(COUNT)).list_id, schedule_at=house.now + schedule_in)
    with pytest.raises(InvalidInput, match=reason) as caught:
        steps.launch(house, draft)
    assert (caught.value.field, bool(caught.value.hint)) == ("schedule_at", True)
    assert_untouched(house, draft)


def test_a_time_that_passes_between_saving_and_launching_is_refused(house: House):
    draft = steps.save(house, house.upload(contacts(COUNT)).list_id, schedule_at=house.now + SOON)
    house.wait(SOON)
    with pytest.raises(InvalidInput, match="in the past"):
        steps.launch(house, draft)
    assert_untouched(house, draft)


@pytest.mark.parametrize(
    ("text", "starts_at"),
    [
        # The night the clocks go forward: an hour after 01:30 the clock shows 03:30.
        ("29/03/2026 01:30", datetime(2026, 3, 29, 0, 30, tzinfo=UTC)),
        ("29/03/2026 03:30", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        # The night they go back: 02:30 comes twice, and the first one is meant.
        ("25/10/2026 02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("25/10/2026 03:30", datetime(2026, 10, 25, 2, 30, tzinfo=UTC)),
    ],
)
def test_a_time_on_a_night_the_clocks_change_starts_at_the_moment_it_means(
    house: House, text: str, starts_at: datetime
):
    schedule = parse_schedule(text, "Europe/Berlin", house.now)
    campaign = house.launch(house.upload(contacts(COUNT)).list_id, schedule_at=schedule.at)
    assert format_schedule(house.campaign(campaign.campaign_id).schedule_at, "Europe/Berlin") == text
    house.now = starts_at - INSTANT
    assert not is_due(house, campaign)
    house.now = starts_at
    steps.work(house)
    assert_everybody_got_one(house, campaign)


def test_of_several_that_are_due_each_starts_in_the_order_of_their_times(house: House):
    list_id = house.upload(contacts(2)).list_id
    late, early = (
        house.launch(list_id, schedule_at=house.now + SOON + timedelta(minutes=minutes)).campaign_id
        for minutes in (20, 10)
    )
    house.wait(SOON + timedelta(minutes=30))
    found = [work.subject for work in house.app.work.find(house.now) if work.kind is WorkKind.START]
    assert found == [early, late]
    with house.app.state.read() as session:
        assert campaigns.list_due(session, house.now) == [early, late]
    steps.work(house)
    assert {house.campaign(found).status for found in (early, late)} == {CampaignStatus.COMPLETED}
