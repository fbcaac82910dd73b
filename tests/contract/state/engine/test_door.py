"""What no store takes is refused in words before a driver sees it, alike on both."""

from decimal import Decimal

import pytest
from sqlalchemy import text

from core.domain.imports.lists import ListStatus
from core.domain.reports.paging import PageRequest
from core.domain.words.control_characters import BREAKS
from core.errors import InvalidInput
from core.state.accounts import accounts
from core.state.campaigns import campaigns
from core.state.engine.store import State
from core.state.imports import lists
from core.state.tables.search import LONGEST_SEARCH
from core.state.upkeep import installation
from tests.support.application.factories import NOW, make_account, make_campaign, make_list

ODD = ["\x00", "a\x00b", "\x1b[2J", "\x7f", "a\x85b", "\ud800", "a\udfff"]


@pytest.fixture
def store(state: State) -> State:
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)
    return state


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_an_odd_character_is_refused_wherever_it_is_bound(store: State, odd: str):
    with store.write() as session:
        for ask in (
            lambda: campaigns.get_campaign(session, odd),
            lambda: installation.find_setting(session, odd),
            lambda: lists.page_lists(session, {"account-1"}, PageRequest(search=odd)),
            lambda: lists.page_lists(session, {odd}, PageRequest()),
            lambda: lists.add_list(session, make_list(columns=("City", odd))),
            lambda: campaigns.add_campaign(session, make_campaign(fallbacks={"City": odd})),
            lambda: campaigns.add_campaign(session, make_campaign(placeholders={odd: "City"})),
            lambda: session.execute(text("SELECT :odd"), {"odd": odd}),
            lambda: session.connection().exec_driver_sql("SELECT 1", (odd,)),
        ):
            # In the block, so that whoever asks may take it, and the transaction goes on.
            with pytest.raises(InvalidInput, match="character that cannot be used"), session.begin_nested():
                ask()


@pytest.mark.parametrize("number", [2**63, -(2**70), Decimal("NaN"), float("inf")])
def test_a_number_that_is_none_is_refused(store: State, number: float):
    with store.read() as session, pytest.raises(InvalidInput, match="number"):
        session.execute(text("SELECT :number"), {"number": number})


def test_line_breaks_and_pairs_are_kept(store: State):
    message = f"Hello{BREAKS}you \N{GRINNING FACE} \N{LINE SEPARATOR}"
    made = make_campaign(message=message, fallbacks={"City": "two\nlines \N{GRINNING FACE}"})
    with store.write() as session:
        campaigns.add_campaign(session, made)
    with store.read() as session:
        found = campaigns.get_campaign(session, made.campaign_id)
    assert (found.message, found.fallbacks) == (made.message, made.fallbacks)


def test_what_others_said_is_kept_all_the_same(store: State):
    with store.write() as session:
        lists.add_list(session, make_list())
        lists.finish_import(session, make_list().list_id, ListStatus.FAULTED, "It says \x00\ud800,\ntwice.")
    with store.read() as session:
        assert lists.get_list(session, make_list().list_id).fault == "It says \ufffd\ufffd,\ntwice."


def test_a_search_longer_than_any_name_is_refused(store: State):
    with store.read() as session:
        with pytest.raises(InvalidInput, match="too long"):
            lists.page_lists(session, {"account-1"}, PageRequest(search="%" * 100_000))
        assert lists.page_lists(session, {"account-1"}, PageRequest(search="%" * LONGEST_SEARCH)).total == 0


def test_what_is_too_long_for_its_column_is_refused_in_words(store: State):
    if not store.url.startswith("postgresql"):
        pytest.skip("SQLite keeps texts of any length")
    with pytest.raises(InvalidInput, match="too long"), store.write() as session:
        lists.add_list(session, make_list(name="x" * 51))


def test_every_part_of_a_large_insert_is_looked_at(store: State):
    rows = [{"n": f"text {number}"} for number in range(3_000)] + [{"n": "\ud800"}]
    with pytest.raises(InvalidInput), store.write() as session:
        session.execute(text("INSERT INTO settings (name, value) VALUES (:n, '')"), rows)
