"""Running accounts: what each may do, every call as everybody, and what the audit says of it."""

import io
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from core.domain.accounts.accounts import AccountStatus, AccountType
from core.domain.accounts.price_lists import PriceList
from core.domain.people.permissions import PRESETS, Permission, Viewer
from core.domain.reports.audit import Action, AuditFilter
from core.domain.reports.paging import PageRequest
from core.errors import Forbidden, InvalidInput, InvalidTransition, NotFound
from core.services.accounts.managing_accounts import AccountSettings, NewAccount
from core.services.accounts.pricing_accounts import PriceUpload
from core.services.accounts.setting_up_gateways import GatewayForm
from core.services.people.adding_people import NewPerson
from tests.support.application.house import PASSWORD, House, contacts
from tests.support.application.services import list_methods_for_viewers

PRICES = b"Country,Price EUR cents\nDE,6\n"
SENDING = AccountSettings("simulator", 50, Decimal("12.50"))
FORM = GatewayForm({})
NEW = NewAccount("marketing", "Marketing Europe", AccountType.CAMPAIGN, SENDING)

Call = Callable[[House, Viewer, str], object]
# What everybody with TrafficAccounts may do with his or her own accounts, and administrators with all.
OWN: dict[str, Call] = {
    "accounts.managing.get": lambda h, v, a: h.app.accounts.managing.get(v, a),
    "accounts.managing.rename": lambda h, v, a: h.app.accounts.managing.rename(v, a, "Another name", h.now),
    "accounts.spending.list_months": lambda h, v, a: h.app.accounts.spending.list_months(v, [a], h.now),
}
# What only administrators may do.
RUN: dict[str, Call] = {
    "accounts.managing.change": lambda h, v, a: h.app.accounts.managing.change(v, a, SENDING, h.now),
    "accounts.managing.deactivate": lambda h, v, a: h.app.accounts.managing.deactivate(v, a, h.now),
    "accounts.managing.activate": lambda h, v, a: h.app.accounts.managing.activate(v, a, h.now),
    "accounts.pricing.list_lists": lambda h, v, a: h.app.accounts.pricing.list_lists(v, a, h.now),
    "accounts.pricing.get_prices": lambda h, v, a: h.app.accounts.pricing.get_prices(v, a, h.now.date()),
    "accounts.pricing.download": lambda h, v, a: h.app.accounts.pricing.download(v, a, h.now.date()),
    "accounts.pricing.preview": lambda h, v, a: h.app.accounts.pricing.preview(v, a, io.BytesIO(PRICES), None),
    "accounts.pricing.import_list": lambda h, v, a: h.app.accounts.pricing.import_list(
        v, a, PriceUpload(h.now.date()), io.BytesIO(PRICES), h.now
    ),
}
# These need no account.
OTHERS: dict[str, Call] = {
    "accounts.managing.create": lambda h, v, _: h.app.accounts.managing.create(v, NEW, h.now),
    "accounts.setting_up.list_gateways": lambda h, v, _: h.app.accounts.setting_up.list_gateways(v),
    "accounts.watching.look": lambda h, v, _: h.app.accounts.watching.look(v, "simulator", h.now),
    "accounts.watching.list_standings": lambda h, v, _: h.app.accounts.watching.list_standings(v, h.now),
    "accounts.setting_up.get": lambda h, v, _: h.app.accounts.setting_up.get(v, "simulator"),
    "accounts.setting_up.create": lambda h, v, _: h.app.accounts.setting_up.create(v, "A", "smpp", FORM, h.now),
    "accounts.setting_up.change": lambda h, v, _: h.app.accounts.setting_up.change(v, "simulator", FORM, h.now),
    "accounts.setting_up.delete": lambda h, v, _: h.app.accounts.setting_up.delete(v, "simulator", h.now),
    "accounts.setting_up.test_connection": lambda h, v, _: h.app.accounts.setting_up.test_connection(
        v, "simulator", h.now
    ),
    "accounts.setting_up.get_callback_url": lambda h, v, _: h.app.accounts.setting_up.get_callback_url(v, "simulator"),
    "accounts.setting_up.renew_callback": lambda h, v, _: h.app.accounts.setting_up.renew_callback(
        v, "simulator", h.now
    ),
}
# The viewer's own, whatever he or she may do otherwise.
FOR_SENDING = {
    "accounts.managing.list_accounts",
    "accounts.managing.list_sending",
    "accounts.managing.page",
    # Of campaigns of one's own: test_sights.
    "accounts.watching.list_stuck",
}


def account_id(house: House) -> str:
    return house.account.account_id


def person(house: House, preset: str, *, joins: bool) -> Viewer:
    joined = [house.account.name] if joins else []
    new = NewPerson("Rita", f"{preset.split(maxsplit=1)[0].lower()}@example.com", PASSWORD, preset, joined)
    return house.app.people.adding.add(new, house.now)


@pytest.mark.parametrize("call", OWN | RUN | OTHERS)
def test_nobody_without_the_permission(house: House, call: str) -> None:
    almost = replace(house.viewer, permissions=frozenset(Permission) - {Permission.TRAFFIC_ACCOUNTS})
    with pytest.raises(Forbidden):
        (OWN | RUN | OTHERS)[call](house, almost, account_id(house))


@pytest.mark.parametrize("call", RUN | OTHERS)
def test_a_user_manager_does_not_run_accounts_not_even_his_own(house: House, call: str) -> None:
    manager = person(house, "User manager", joins=True)
    with pytest.raises(Forbidden, match="administrator"):
        (RUN | OTHERS)[call](house, manager, account_id(house))


@pytest.mark.parametrize("missing", Permission)
def test_without_any_one_permission_nobody_is_an_administrator(house: House, missing: Permission) -> None:
    almost = replace(house.viewer, permissions=frozenset(Permission) - {missing})
    with pytest.raises(Forbidden):
        house.app.accounts.managing.deactivate(almost, account_id(house), house.now)


@pytest.mark.parametrize("call", OWN)
def test_a_user_manager_names_his_own_accounts_and_no_other(house: House, call: str) -> None:
    inside, outside = person(house, "User manager", joins=True), replace(house.viewer, account_ids=frozenset({"x"}))
    OWN[call](house, inside, account_id(house))
    outside = replace(outside, permissions=PRESETS["User manager"])
    with pytest.raises(NotFound):
        OWN[call](house, outside, account_id(house))


@pytest.mark.parametrize("call", OWN | RUN)
def test_an_account_that_is_not_there_is_not_found(house: House, call: str) -> None:
    with pytest.raises(NotFound):
        (OWN | RUN)[call](house, house.viewer, "no-such-account")


def test_an_administrator_runs_accounts_he_does_not_belong_to(house: House) -> None:
    stranger = replace(house.viewer, account_ids=frozenset())
    assert house.app.accounts.managing.page(stranger, PageRequest()).total == 1
    house.app.accounts.managing.change(stranger, account_id(house), SENDING, house.now)
    # But sending is for those who belong to it.
    with pytest.raises(NotFound):
        house.app.campaigns.composing.save(stranger, house.draft(), house.now)


def test_a_page_shows_a_user_manager_only_his_own(house: House) -> None:
    house.app.accounts.managing.create(house.viewer, NEW, house.now)
    assert house.app.accounts.managing.page(house.viewer, PageRequest()).total == 2
    inside = person(house, "User manager", joins=True)
    assert [item.name for item in house.app.accounts.managing.page(inside, PageRequest()).items] == ["simulator"]
    assert house.app.accounts.managing.page(inside, PageRequest(search="market")).total == 0
    assert house.app.accounts.managing.page(replace(inside, account_ids=frozenset()), PageRequest()).total == 0
    with pytest.raises(Forbidden):
        house.app.accounts.managing.page(person(house, "Reporting manager", joins=True), PageRequest())


def test_every_method_for_viewers_is_tried(house: House) -> None:
    tried = OWN.keys() | RUN.keys() | OTHERS.keys() | FOR_SENDING
    assert {way for way in list_methods_for_viewers(house.app) if way.startswith("accounts.")} <= tried


def test_the_creator_belongs_to_a_new_account_and_sends_with_it(house: House) -> None:
    new = house.app.accounts.managing.create(house.viewer, NEW, house.now)
    viewer = house.app.people.adding.get_viewer(house.viewer.email)
    (found,) = (each for each in house.app.accounts.managing.list_sending(viewer) if each.account_id == new.account_id)
    assert (found.name, found.display_name, found.gateway, found.rate_tps) == (
        "marketing",
        "Marketing Europe",
        "simulator",
        50,
    )
    assert found.monthly_budget_eur_cents == 1250


def test_an_account_that_sends_outside_has_no_gateway(house: House) -> None:
    new = house.app.accounts.managing.create(
        house.viewer, NewAccount("booking", "Booking", AccountType.SMPP), house.now
    )
    assert (new.gateway, new.status) == ("", AccountStatus.ACTIVE)
    with pytest.raises(InvalidInput, match="outside the tool"):
        house.app.accounts.managing.change(house.viewer, new.account_id, SENDING, house.now)
    with pytest.raises(InvalidInput, match="outside the tool"):
        house.app.accounts.pricing.preview(house.viewer, new.account_id, io.BytesIO(PRICES), None)


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"name": "ab"}, "name"),
        ({"name": "Simulator"}, "name"),
        ({"name": "a\u200bbc"}, "name"),
        ({"display_name": "x" * 51}, "display_name"),
        ({"settings": None}, "gateway"),
        ({"settings": replace(SENDING, gateway="carrier-pigeon")}, "gateway"),
        ({"settings": replace(SENDING, rate_tps=0)}, "rate"),
        ({"settings": replace(SENDING, rate_tps=-5)}, "rate"),
        ({"settings": replace(SENDING, rate_tps=1_000_001)}, "rate"),
        ({"settings": replace(SENDING, budget_eur=Decimal(-1))}, "budget"),
        ({"settings": replace(SENDING, budget_eur=Decimal("1.005"))}, "budget"),
        ({"settings": replace(SENDING, budget_eur=Decimal("NaN"))}, "budget"),
        ({"settings": replace(SENDING, budget_eur=Decimal("Infinity"))}, "budget"),
        ({"settings": replace(SENDING, budget_eur=Decimal(10) ** 9)}, "budget"),
    ],
)
def test_what_cannot_be_an_account_is_refused(house: House, overrides: dict, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        house.app.accounts.managing.create(house.viewer, replace(NEW, **overrides), house.now)
    assert caught.value.field == field
    assert caught.value.hint
    assert house.app.accounts.managing.page(house.viewer, PageRequest()).total == 1


def test_moves_that_are_none_are_refused(house: House) -> None:
    with pytest.raises(InvalidTransition):
        house.app.accounts.managing.activate(house.viewer, account_id(house), house.now)
    found = house.app.accounts.managing.deactivate(house.viewer, account_id(house), house.now)
    assert found.status is AccountStatus.INACTIVE
    with pytest.raises(InvalidTransition):
        house.app.accounts.managing.deactivate(house.viewer, found.account_id, house.now)


def test_the_audit_says_what_was_changed_and_nothing_when_nothing_was(house: House) -> None:
    app, viewer, number = house.app, house.viewer, account_id(house)
    app.accounts.managing.rename(viewer, number, "  Great   Britain ", house.now)
    app.accounts.managing.rename(viewer, number, "Great Britain", house.now)
    before = app.accounts.managing.get(viewer, number)
    app.accounts.managing.change(viewer, number, SENDING, house.now)
    app.accounts.managing.change(viewer, number, SENDING, house.now)
    app.accounts.pricing.import_list(viewer, number, PriceUpload(house.now.date()), io.BytesIO(PRICES), house.now)
    app.accounts.managing.deactivate(viewer, number, house.now)
    app.accounts.managing.activate(viewer, number, house.now)
    found = app.reports.auditing.page(viewer, AuditFilter(text="Great Britain"), 1, 20).items
    assert [(entry.action, entry.details) for entry in reversed(found)] == [
        (Action.ACCOUNT_CHANGED, {"segments per second": f"{before.rate_tps} → 50", "budget": "none → €\u00a012.50"}),
        (Action.PRICES_IMPORTED, {"from": "2026-03-01", "prices": "1"}),
        (Action.ACCOUNT_DEACTIVATED, {}),
        (Action.ACCOUNT_ACTIVATED, {}),
    ]
    renamed = app.reports.auditing.page(viewer, AuditFilter(action=Action.ACCOUNT_CHANGED), 1, 20).items[-1]
    assert renamed.details == {"display name": "Great Britain", "before": "Simulator"}


def test_the_budget_closes_a_launch_in_the_preflight(house: House) -> None:
    tight = AccountSettings("simulator", 50, Decimal("0.30"))
    house.app.accounts.managing.change(house.viewer, account_id(house), tight, house.now)
    found = house.upload(contacts(10))
    saved = house.app.campaigns.composing.save(house.viewer, house.draft(found.list_id), house.now)
    preflight = house.app.campaigns.preflighting.look(house.viewer, saved.campaign_id, house.now).preflight
    assert (preflight.counted.cost_eur_cents, preflight.budget_left_eur_cents) == (Decimal(50), Decimal(30))
    with pytest.raises(InvalidInput, match="budget"):
        house.app.campaigns.launching.launch(house.viewer, saved.campaign_id, house.now)
    house.app.accounts.managing.change(house.viewer, account_id(house), replace(tight, budget_eur=None), house.now)
    house.app.campaigns.launching.launch(house.viewer, saved.campaign_id, house.now)


def test_a_launch_costs_what_the_imported_list_says(house: House) -> None:
    imported = house.app.accounts.pricing.import_list(
        house.viewer, account_id(house), PriceUpload(house.now.date()), io.BytesIO(PRICES), house.now
    )
    assert imported == PriceList(house.now.date(), 1, is_current=True)
    launched = house.launch(house.upload(contacts(10)).list_id)
    house.app.work.run_until_idle(house.clock)
    assert house.campaign(launched.campaign_id).cost_eur_cents == 60
