"""Gateways as they are set up, on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from core.domain.gateways.gateways import GatewaySetup, GatewayStatus
from core.errors import NotFound
from core.state.accounts import accounts, gateways
from core.state.accounts.gateways import Sealed
from core.state.campaigns import ledger, receipts
from core.state.campaigns.ledger import Batch, Claim
from core.state.engine.store import State
from tests.support.application.factories import NOW, make_account, make_receipt

LATER = NOW + timedelta(minutes=5)
SEALED = Sealed("gAAAAA", frozenset({"password", "key"}), NOW, "a" * 64)
SETUP = GatewaySetup(
    "Berlin", "smpp", {"host": "smpp.example.com", "port": 2775, "tls": True}, rate_tps=50, resumes=False
)


@pytest.fixture
def store(state: State) -> State:
    with state.write() as session:
        gateways.add_gateway(session, SETUP, SEALED, NOW)
    return state


def test_an_installation_begins_with_the_simulator(state: State):
    with state.read() as session:
        (found,) = gateways.list_gateways(session)
    assert (found.name, found.kind, found.status, found.version) == ("simulator", "simulator", GatewayStatus.WORKING, 1)
    assert (found.settings, found.secrets_set, found.rate_tps, found.resumes) == ({}, frozenset(), None, True)
    assert found.created_at is not None


def test_what_is_set_up_comes_back_whole(store: State):
    with store.read() as session:
        found = gateways.get_gateway(session, "Berlin")
        assert [each.name for each in gateways.list_gateways(session)] == ["Berlin", "simulator"]
        assert gateways.list_versions(session) == {"Berlin": 1, "simulator": 1}
    assert found.sealed == SEALED
    assert found.setup == replace(SETUP, secrets_set=SEALED.names, secrets_at=NOW, created_at=NOW)


def test_what_is_changed_is_stored(store: State):
    changed = replace(SETUP, settings={"host": "other.example.com"}, rate_tps=None, resumes=True, version=2)
    with store.write() as session:
        gateways.change_gateway(session, changed, Sealed())
    with store.read() as session:
        found = gateways.get_gateway(session, "Berlin")
    assert found.setup == replace(changed, created_at=NOW)
    assert found.sealed == Sealed()


def test_a_gateway_that_is_not_there_is_not_found(store: State):
    with store.write() as session:
        for ask in (gateways.get_gateway, gateways.lock_gateway):
            with pytest.raises(NotFound, match="Munich"):
                ask(session, "Munich")
        with pytest.raises(NotFound):
            gateways.delete_gateway(session, "Munich", NOW)


def test_a_name_is_taken_whatever_its_case(store: State):
    with store.write() as session:
        assert gateways.is_name_taken(session, "BERLIN")
        assert not gateways.is_name_taken(session, "Berlin 2")
    with pytest.raises(IntegrityError), store.write() as session:
        gateways.add_gateway(session, SETUP, Sealed(), NOW)


def test_of_a_deleted_one_nothing_is_left_but_its_name_and_kind(store: State):
    with store.write() as session:
        gateways.delete_gateway(session, "Berlin", LATER)
    with store.write() as session:
        assert [each.name for each in gateways.list_gateways(session)] == ["simulator"]
        assert gateways.list_versions(session) == {"simulator": 1}
        assert gateways.list_sealed(session) == ()
        assert gateways.list_callbacks(session) == {}
        assert not gateways.is_name_taken(session, "Berlin")
        assert gateways.find_former_kind(session, "Berlin") == "smpp"
        assert gateways.find_former_kind(session, "simulator") == gateways.find_former_kind(session, "Munich") == ""
        with pytest.raises(NotFound):
            gateways.get_gateway(session, "Berlin")


def test_one_that_comes_back_is_newer_than_the_one_that_was_deleted(store: State):
    with store.write() as session:
        gateways.change_gateway(session, replace(SETUP, version=7), SEALED)
        gateways.delete_gateway(session, "Berlin", NOW)
        gateways.add_gateway(session, replace(SETUP, rate_tps=5), Sealed(), LATER)
        found = gateways.get_gateway(session, "Berlin").setup
    assert found.version > 7
    assert (found.rate_tps, found.created_at) == (5, LATER)


def test_a_fault_is_dated_from_when_it_began(store: State):
    def status() -> tuple[object, ...]:
        with store.read() as session:
            found = gateways.get_gateway(session, "Berlin").setup
        return found.status, found.fault, found.fault_at

    def fail(fault: str, now: datetime) -> None:
        with store.write() as session:
            gateways.set_failing(session, "Berlin", fault, now, needs_person=False)

    def recover() -> bool:
        with store.write() as session:
            return gateways.set_working(session, "Berlin", NOW)

    fail("Refused.", NOW)
    fail("Not reached.", LATER)
    assert status() == (GatewayStatus.FAILING, "Not reached.", NOW)
    assert recover()
    assert status() == (GatewayStatus.WORKING, "", None)
    assert not recover()


def test_those_that_fail_are_listed_until_they_work_or_are_deleted(store: State):
    with store.write() as session:
        gateways.set_failing(session, "Berlin", "Refused.", NOW, needs_person=True)
        (found,) = gateways.list_failing(session)
    assert (found.name, found.needs_person) == ("Berlin", True)
    with store.write() as session:
        gateways.delete_gateway(session, "Berlin", NOW)
        assert gateways.list_failing(session) == ()


def test_who_sets_it_up_otherwise_has_seen_to_it(store: State):
    with store.write() as session:
        gateways.set_failing(session, "Berlin", "Refused.", NOW, needs_person=True)
        stored = gateways.get_gateway(session, "Berlin")
        gateways.change_gateway(session, stored.setup, stored.sealed)
        assert gateways.get_gateway(session, "Berlin").setup.needs_person
        gateways.change_gateway(session, replace(stored.setup, version=stored.setup.version + 1), stored.sealed)
        found = gateways.get_gateway(session, "Berlin").setup
    # Whether it works shows when it is tried.
    assert (found.status, found.needs_person) == (GatewayStatus.FAILING, False)


def test_secrets_are_listed_and_sealed_anew(store: State):
    with store.write() as session:
        assert gateways.list_sealed(session) == (("Berlin", "gAAAAA"),)
        gateways.reseal_gateway(session, "Berlin", "gAAAAB")
    with store.read() as session:
        assert gateways.get_gateway(session, "Berlin").sealed == replace(SEALED, text="gAAAAB")


def test_a_callback_finds_its_gateway_by_the_hash_of_its_token(store: State):
    with store.read() as session:
        assert gateways.list_callbacks(session) == {"a" * 64: ("Berlin", 1)}


def test_who_uses_a_gateway_first_or_as_the_fallback(store: State):
    with store.write() as session:
        accounts.add_account(session, make_account(fallback_gateway="Berlin"), NOW)
        second = make_account(account_id="account-2", name="service", display_name="Service", gateway="Berlin")
        accounts.add_account(session, second, NOW)
        outside = make_account(account_id="account-3", name="outside", display_name="Outside", gateway="")
        accounts.add_account(session, outside, NOW)
        assert accounts.list_by_gateway(session) == {"simulator": ("Marketing",), "Berlin": ("Marketing", "Service")}
        accounts.set_gateways(session, "account-1", "Berlin", "")
    with store.read() as session:
        found = accounts.get_account(session, "account-1")
        assert (found.gateway, found.fallback_gateway) == ("Berlin", "")
        assert accounts.look_at_paced(session, "account-1").gateway == "Berlin"


def test_messages_and_receipts_under_way_are_known_by_their_gateway(store: State):
    batch = Batch("campaign-1-1", "campaign-1", 1, 1)
    with store.write() as session:
        ledger.claim(session, batch, [Claim("message-1", "+491796000000", "Berlin")], NOW)
        receipts.add_receipts(session, [make_receipt(gateway="Berlin")], NOW)
    with store.write() as session:
        for name, is_under_way in {"Berlin": True, "simulator": False}.items():
            assert ledger.is_under_way(session, name) is receipts.is_any_of(session, name) is is_under_way
