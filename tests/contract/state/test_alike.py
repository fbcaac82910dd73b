"""Where SQLite and PostgreSQL differ by nature, and must not."""

from datetime import timedelta

import pytest
from sqlalchemy import literal, select

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.imports.lists import ListStatus
from core.domain.reports.paging import PageRequest
from core.domain.words.folding import fold
from core.state.accounts import accounts
from core.state.campaigns import campaign_pages, campaigns
from core.state.engine.store import State
from core.state.imports import lists
from core.state.tables.search import folded
from tests.support.application.factories import NOW, make_account, make_campaign, make_list

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def store(state: State) -> State:
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)
    return state


@pytest.mark.parametrize("search", ["Élysée", "élysée", "ÉLYSÉE", "ysÉe", " élys "])
def test_names_beyond_a_to_z_are_found_whatever_their_case(store: State, search: str):
    with store.write() as session:
        lists.add_list(session, make_list(name="Guests of the Élysée"))
        campaigns.add_campaign(session, make_campaign(name="Bienvenue à l'ÉLYSÉE"))
        assert lists.page_lists(session, {"account-1"}, PageRequest(search=search)).total == 1
        assert campaign_pages.page_campaigns(session, {"account-1"}, PageRequest(search=search)).total == 1


def test_names_beyond_a_to_z_are_taken_whatever_their_case(store: State):
    with store.write() as session:
        lists.add_list(session, make_list(name="Öresund"))
        for name in ("Öresund", "öresund", "ÖRESUND"):
            assert lists.is_name_taken(session, "account-1", name)
        assert not lists.is_name_taken(session, "account-1", "Oresund")


@pytest.mark.parametrize(
    ("descending", "order"), [(True, ["late", "early", "never"]), (False, ["early", "late", "never"])]
)
def test_campaigns_without_a_schedule_come_last(store: State, descending: bool, order: list[str]):
    with store.write() as session:
        for campaign_id, schedule_at in (("early", NOW), ("never", None), ("late", LATER)):
            campaigns.add_campaign(session, make_campaign(campaign_id=campaign_id, schedule_at=schedule_at))
        request = PageRequest(sort="schedule_at", descending=descending)
        page = campaign_pages.page_campaigns(session, {"account-1"}, request)
    assert [item.campaign_id for item in page.items] == order


def test_what_is_added_comes_back_whole(store: State):
    new_list = make_list(
        status=ListStatus.FAULTED,
        read_count=10,
        entry_count=7,
        duplicate_count=2,
        rejected_count=1,
        progress=0.75,
        fault="What.",
        hint="Do this.",
    )
    new_campaign = make_campaign(
        status=CampaignStatus.COMPLETED,
        fault="Why.",
        audience_count=9,
        schedule_at=NOW,
        launched_at=NOW,
        completed_at=LATER,
        version=3,
    )
    with store.write() as session:
        lists.add_list(session, new_list)
        campaigns.add_campaign(session, new_campaign)
    with store.read() as session:
        assert lists.get_list(session, "list-1") == new_list
        assert campaigns.get_campaign(session, "campaign-1") == new_campaign


def test_both_stores_fold_letters_as_the_domain_does(state: State):
    letters = [
        chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x250), *range(0x370, 0x530), *range(0x1E00, 0x1F00))
    ]
    with state.read() as session:
        found = session.execute(select(*(folded(literal(letter)) for letter in letters))).one()
    differ = [letter for letter, one in zip(letters, found, strict=True) if one != fold(letter)]
    assert not differ


@pytest.mark.parametrize("search", ["elysee", "Elysée", "bienvenue a l'elysee"])
def test_names_are_found_without_their_accents(store: State, search: str):
    with store.write() as session:
        campaigns.add_campaign(session, make_campaign(name="Bienvenue à l'ÉLYSÉE"))
        assert campaign_pages.page_campaigns(session, {"account-1"}, PageRequest(search=search)).total == 1


@pytest.mark.parametrize("search", ["\u03ba\u03b1\u03c6\u03b5\u03c2", "\u039a\u03b1\u03c6\u03ad\u03c3", "\ud55c\uad6d"])
def test_names_of_other_scripts_are_found(store: State, search: str):
    with store.write() as session:
        campaigns.add_campaign(session, make_campaign(name="\u039a\u0391\u03a6\u0395\u03a3 \ud55c\uad6d"))
        assert campaign_pages.page_campaigns(session, {"account-1"}, PageRequest(search=search)).total == 1


def test_names_are_ordered_without_their_accents(store: State):
    with store.write() as session:
        for number, name in enumerate(("Zürich", "Ålesund", "angers")):
            lists.add_list(session, make_list(list_id=f"list-{number}", name=name))
        page = lists.page_lists(session, {"account-1"}, PageRequest(sort="name", descending=False))
    assert [item.name for item in page.items] == ["Ålesund", "angers", "Zürich"]


def test_what_is_meant_exactly_comes_first(store: State):
    with store.write() as session:
        for number, name in enumerate(["Elysée guests", "élysée", "Elysee", "The Elysee"]):
            lists.add_list(session, make_list(list_id=f"list-{number}", name=name))
            campaigns.add_campaign(session, make_campaign(campaign_id=f"campaign-{number}", name=name))
        request = PageRequest(search="elysee", sort="name", descending=False)
        found = (lists.page_lists, campaign_pages.page_campaigns)
        names = [[item.name for item in page(session, {"account-1"}, request).items] for page in found]
    assert [each[:2] for each in names] == [["Elysee", "élysée"], ["Elysee", "élysée"]]
    assert [set(each[2:]) for each in names] == [{"Elysée guests", "The Elysee"}] * 2
