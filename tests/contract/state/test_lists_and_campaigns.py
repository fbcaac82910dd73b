from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.accounts.departures import Log
from core.domain.accounts.pricing import Price
from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.imports.lists import ListStatus
from core.domain.reports.paging import PageRequest
from core.errors import Conflict, InvalidTransition, NotFound
from core.state.accounts import accounts, departures
from core.state.campaigns import campaigns
from core.state.engine.store import State
from core.state.imports import lists
from core.state.imports.lists import ImportCounts
from tests.support.application.factories import NOW, make_account, make_campaign, make_list

UNTIL = NOW + timedelta(seconds=10)


@pytest.fixture
def store(state: State) -> State:
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)
        accounts.add_account(session, make_account(account_id="account-2", name="service", display_name="Service"), NOW)
    return state


def test_accounts_come_by_display_name_and_only_those_asked_for(store: State):
    with store.read() as session:
        both = accounts.list_accounts(session, ["account-2", "account-1"])
        assert [account.name for account in both] == ["marketing", "service"]
        assert accounts.list_accounts(session, []) == ()
        assert accounts.get_account_by_name(session, "service").account_id == "account-2"
        assert accounts.list_by_gateway(session) == {"simulator": ("Marketing", "Service")}
        with pytest.raises(NotFound):
            accounts.get_account(session, "account-3")


def test_prices_are_exact_and_replaced(store: State):
    with store.write() as session:
        accounts.set_prices(session, "account-1", [Price("DE", "26201", Decimal("7.2345")), Price("", "", Decimal(5))])
        accounts.set_prices(session, "account-1", [Price("DE", "26201", Decimal("7.9999"))])
    with store.read() as session:
        found = {
            (price.country, price.mccmnc): price.price_eur_cents for price in accounts.list_prices(session, "account-1")
        }
    assert found == {("DE", "26201"): Decimal("7.9999"), ("", ""): Decimal("5.0000")}


def test_the_log_of_a_limit_is_kept(store: State):
    subject = departures.of_account("account-1")
    booked = Log(((354_473_284_000, 2), (354_473_284_064, 3)), 354_473_283_800, 354_473_283_803.6, 354_473_283_700)
    with store.write() as session:
        assert departures.lock_log(session, subject, NOW) == departures.look_at_log(session, subject) == Log()
        departures.store_log(session, subject, booked, NOW)
        assert departures.lock_log(session, departures.of_gateway("account-1"), NOW) == Log()
    with store.write() as session:
        assert departures.lock_log(session, subject, NOW) == booked
        assert departures.delete_old(session, NOW) == 0
        assert departures.delete_old(session, UNTIL) == 2
    with store.read() as session:
        assert departures.look_at_log(session, subject) == Log()


def test_lists_are_searched_literally_and_without_case(store: State):
    with store.write() as session:
        for number, name in enumerate(["Spring 100%", "spring_guests", "Autumn", "100 guests"]):
            lists.add_list(session, make_list(list_id=f"list-{number}", name=name))

    def names(search: str) -> set[str]:
        with store.read() as session:
            page = lists.page_lists(session, {"account-1"}, PageRequest(search=search))
        assert page.total == len(page.items)
        return {item.name for item in page.items}

    assert names("SPRING") == {"Spring 100%", "spring_guests"}
    assert names("100%") == {"Spring 100%"}
    assert names("_guests") == {"spring_guests"}
    assert names("\\") == set()


def test_lists_of_other_accounts_do_not_show(store: State):
    with store.write() as session:
        lists.add_list(session, make_list(list_id="list-1"))
        lists.add_list(session, make_list(list_id="list-2", account_id="account-2"))
    with store.read() as session:
        assert [item.list_id for item in lists.page_lists(session, {"account-2"}, PageRequest()).items] == ["list-2"]
        assert lists.page_lists(session, set(), PageRequest()).total == 0
        assert lists.is_name_taken(session, "account-1", "SPRING guests")
        assert not lists.is_name_taken(session, "account-3", "Spring guests")


def test_pages_are_cut_and_sorted(store: State):
    with store.write() as session:
        for number in range(25):
            new = make_list(
                list_id=f"list-{number:02d}", name=f"List {24 - number:02d}", created_at=NOW + timedelta(hours=number)
            )
            lists.add_list(session, new)
    with store.read() as session:
        newest = lists.page_lists(session, {"account-1"}, PageRequest(page=1, size=10))
        last = lists.page_lists(session, {"account-1"}, PageRequest(page=3, size=10))
        by_name = lists.page_lists(session, {"account-1"}, PageRequest(size=3, sort="name", descending=False))
        unknown = lists.page_lists(session, {"account-1"}, PageRequest(size=1, sort="; DROP TABLE users"))
    assert newest.items[0].list_id == "list-24"
    assert (len(last.items), last.total) == (5, 25)
    assert [item.name for item in by_name.items] == ["List 00", "List 01", "List 02"]
    assert unknown.items == newest.items[:1]


def test_an_import_is_leased_once_and_leaves_the_queue_when_finished(store: State):
    with store.write() as session:
        lists.add_list(session, make_list())
        assert lists.list_waiting(session, NOW) == ["list-1"]
        assert lists.lease_list(session, "list-1", "one", NOW, UNTIL)
        assert not lists.lease_list(session, "list-1", "two", NOW, UNTIL)
        assert lists.lease_list(session, "list-1", "one", NOW, UNTIL)
        assert lists.list_waiting(session, NOW) == []
        lists.record_progress(session, "list-1", ImportCounts(10, 7, 2, 1, 0.5))
        lists.finish_import(session, "list-1", ListStatus.FAULTED, "What.", "Do this.")
    with store.write() as session:
        found = lists.get_list(session, "list-1")
        assert not lists.lease_list(session, "list-1", "one", UNTIL, UNTIL)
    assert (found.status, found.fault, found.hint) == (ListStatus.FAULTED, "What.", "Do this.")
    assert (found.read_count, found.entry_count, found.duplicate_count, found.rejected_count) == (10, 7, 2, 1)


def test_a_draft_saved_by_somebody_else_is_a_conflict(store: State):
    with store.write() as session:
        campaigns.add_campaign(session, make_campaign())
        campaigns.save_draft(session, "campaign-1", 1, {"name": "First"})
        with pytest.raises(Conflict):
            campaigns.save_draft(session, "campaign-1", 1, {"name": "Second"})
    with store.read() as session:
        found = campaigns.get_campaign(session, "campaign-1")
    assert found == replace(make_campaign(), name="First", version=2)


def test_a_campaigns_own_rate_is_kept_and_taken_away(store: State):
    with store.write() as session:
        campaigns.add_campaign(session, make_campaign(rate_tps=50))
    with store.write() as session:
        assert campaigns.get_campaign(session, "campaign-1").rate_tps == 50
        campaigns.save_draft(session, "campaign-1", 1, {"rate_tps": None})
    with store.read() as session:
        assert campaigns.get_campaign(session, "campaign-1").rate_tps is None


def test_a_launched_campaign_is_no_draft_any_more(store: State):
    with store.write() as session:
        campaigns.add_campaign(session, make_campaign())
        campaigns.move_campaign(session, "campaign-1", CampaignStatus.PROCESSING, launched_at=NOW)
        with pytest.raises(Conflict):
            campaigns.save_draft(session, "campaign-1", 1, {"name": "Too late"})


def test_moves_that_are_not_in_the_table_are_refused(store: State):
    with store.write() as session:
        campaigns.add_campaign(session, make_campaign(status=CampaignStatus.COMPLETED))
        with pytest.raises(InvalidTransition):
            campaigns.move_campaign(session, "campaign-1", CampaignStatus.ACTIVE)


def test_freezing_is_leased_while_processing_only(store: State):
    with store.write() as session:
        campaigns.add_campaign(session, make_campaign())
        assert not campaigns.lease_campaign(session, "campaign-1", "one", NOW, UNTIL)
        campaigns.move_campaign(session, "campaign-1", CampaignStatus.PROCESSING, launched_at=NOW)
        assert campaigns.list_processing(session, NOW) == ["campaign-1"]
        reader = campaigns.find_reader(session, "list-1")
        assert reader is not None
        assert reader.campaign_id == "campaign-1"
        assert campaigns.find_reader(session, "list-2") is None
        assert campaigns.lease_campaign(session, "campaign-1", "one", NOW, UNTIL)
        assert not campaigns.lease_campaign(session, "campaign-1", "two", NOW, UNTIL)
        assert campaigns.list_processing(session, NOW) == []


def test_outcomes_are_added_up(store: State):
    with store.write() as session:
        campaigns.add_campaign(session, make_campaign())
        campaigns.add_outcomes(session, "campaign-1", {("sent", ""): 10, ("failed", "0x0B"): 1})
        campaigns.add_outcomes(session, "campaign-1", {("sent", ""): 5})
    with store.read() as session:
        found = campaigns.list_outcomes(session, ["campaign-1", "campaign-2"])
    assert found == {"campaign-1": {("sent", ""): 15, ("failed", "0x0B"): 1}, "campaign-2": {}}


def test_completed_campaigns_are_counted_by_list(store: State):
    with store.write() as session:
        for number, status in enumerate([CampaignStatus.COMPLETED, CampaignStatus.COMPLETED, CampaignStatus.PAUSED]):
            campaigns.add_campaign(session, make_campaign(campaign_id=f"campaign-{number}", status=status))
        assert campaigns.count_completed_by_list(session, ["list-1", "list-2"]) == {"list-1": 2}


def test_scheduled_campaigns_come_due(store: State):
    with store.write() as session:
        campaigns.add_campaign(session, make_campaign())
        campaigns.move_campaign(session, "campaign-1", CampaignStatus.SCHEDULED, schedule_at=UNTIL)
        assert campaigns.list_due(session, NOW) == []
        assert campaigns.list_due(session, UNTIL) == ["campaign-1"]
