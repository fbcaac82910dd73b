"""How many segments a second a campaign sends at most, of its own: kept with the draft, changed while it is sent."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest

from core.domain.accounts.accounts import RATE_MAX
from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.campaigns.rates import Rates
from core.domain.people.permissions import Permission
from core.domain.reports.audit import Action, AuditFilter
from core.errors import Forbidden, InvalidInput, InvalidTransition
from core.services.accounts.setting_up_gateways import GatewayForm
from core.services.campaigns.limiting import OwnLimits
from core.services.campaigns.quick_sending import QuickMessage
from core.state.accounts import accounts
from core.state.campaigns import ledger
from tests.integration.services import steps
from tests.support.application.house import House, contacts, make_house

COUNT = 300


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    yield made
    made.app.close()


def launched(house: House, **overrides: object) -> Campaign:
    list_id = house.upload(contacts(COUNT), name="Guests").list_id
    campaign = house.launch(list_id, **overrides)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    return house.campaign(campaign.campaign_id)


def change(house: House, campaign: Campaign, seen: OwnLimits, wanted: OwnLimits) -> Campaign:
    return house.app.campaigns.limiting.change(house.viewer, campaign.campaign_id, seen, wanted, house.now)


def audited(house: House) -> list[dict[str, str]]:
    wanted = AuditFilter(action=Action.CAMPAIGN_CHANGED)
    return [entry.details for entry in house.app.reports.auditing.page(house.viewer, wanted, 1, 100).items]


def test_a_draft_keeps_its_rate_and_a_clone_has_it(house: House):
    composing = house.app.campaigns.composing
    draft = steps.save(house, "", rate_tps=50)
    assert composing.get(house.viewer, draft.campaign_id).rate_tps == 50
    assert composing.clone(house.viewer, draft.campaign_id, "A copy", house.now).rate_tps == 50
    changed = composing.save(house.viewer, house.draft(""), house.now, draft.campaign_id, draft.version)
    assert changed.rate_tps is None


@pytest.mark.parametrize("rate_tps", [0, -1, RATE_MAX + 1])
def test_a_rate_that_is_none_is_refused(house: House, rate_tps: int):
    with pytest.raises(InvalidInput) as caught:
        steps.save(house, "", rate_tps=rate_tps)
    assert caught.value.field == "rate"
    campaign = launched(house)
    with pytest.raises(InvalidInput) as caught:
        change(house, campaign, OwnLimits(), OwnLimits(Decimal(5), rate_tps))
    assert caught.value.field == "rate"
    assert house.campaign(campaign.campaign_id) == campaign


def test_limits_are_changed_while_it_is_under_way_and_the_audit_says_how(house: House):
    campaign = launched(house)
    first = OwnLimits(Decimal("12.50"), 50)
    changed = change(house, campaign, OwnLimits(), first)
    assert (changed.budget_eur_cents, changed.rate_tps) == (1_250, 50)
    assert house.app.campaigns.limiting.find(house.viewer, campaign.campaign_id, house.now).rates.campaign_tps == 50
    change(house, campaign, first, OwnLimits(Decimal("12.50"), 20))
    change(house, campaign, OwnLimits(Decimal("12.50"), 20), OwnLimits(Decimal("12.50")))
    # Nothing new is nothing to tell.
    change(house, campaign, OwnLimits(Decimal("12.50")), OwnLimits(Decimal("12.50")))
    assert audited(house)[::-1] == [
        {"budget": "none → €\u00a012.50", "segments per second": "none → 50"},
        {"segments per second": "50 → 20"},
        {"segments per second": "20 → none"},
    ]


def test_what_a_person_left_as_it_was_does_not_undo_what_somebody_else_changed(house: House):
    campaign = launched(house)
    change(house, campaign, OwnLimits(), OwnLimits(Decimal(5), None))
    # Still seen without a budget.
    found = change(house, campaign, OwnLimits(), OwnLimits(None, 50))
    assert (found.budget_eur_cents, found.rate_tps) == (500, 50)
    found = change(house, campaign, OwnLimits(), OwnLimits(Decimal(7), None))
    assert (found.budget_eur_cents, found.rate_tps) == (700, 50)


def test_only_who_may_launch_changes_one_under_way(house: House):
    draft, campaign = steps.save(house, ""), launched(house)
    steps.work(house)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    for item in (draft, campaign):
        with pytest.raises(InvalidTransition, match="limits of a campaign that is"):
            change(house, item, OwnLimits(), OwnLimits(None, 5))
    quick = replace(house.viewer, permissions=frozenset({Permission.QUICK_SEND}))
    with pytest.raises(Forbidden):
        house.app.campaigns.limiting.change(quick, campaign.campaign_id, OwnLimits(), OwnLimits(None, 5), house.now)


def test_a_quick_send_has_no_limits_of_its_own(house: House):
    order = QuickMessage(str(uuid4()), house.account.account_id, "HELIOGRAPH", ("+491796000001",), "Hello")
    quick = house.app.campaigns.quick_sending.send(house.viewer, order, house.now)
    with pytest.raises(InvalidTransition):
        change(house, quick, OwnLimits(), OwnLimits(None, 5))
    assert not house.app.campaigns.limiting.can_change(quick)


def test_the_preflight_takes_as_long_as_the_smallest_limit_makes_it(house: House):
    list_id = house.upload(contacts(COUNT), name="Guests").list_id
    with house.app.state.write() as session:
        accounts.set_rate(session, house.account.account_id, 100)
    draft = steps.save(house, list_id, rate_tps=50)

    def seconds() -> float:
        found = house.app.campaigns.preflighting.look(house.viewer, draft.campaign_id, house.now)
        return found.preflight.duration.total_seconds()

    assert seconds() == COUNT / 50
    house.app.accounts.setting_up.change(house.viewer, house.account.gateway, GatewayForm({}, rate_tps=10), house.now)
    assert seconds() == COUNT / 10
    house.app.accounts.setting_up.change(house.viewer, house.account.gateway, GatewayForm({}, rate_tps=60), house.now)
    assert seconds() == COUNT / 50


def test_a_slow_campaign_is_cut_into_small_batches(house: House):
    campaign = launched(house, rate_tps=60)
    limited = house.app.campaigns.limiting.find(house.viewer, campaign.campaign_id, house.now)
    assert limited.rates == Rates(house.account.rate_tps, None, 60)
    with house.app.state.read() as session:
        assert ledger.count_batches(session, campaign.campaign_id) == COUNT / 60
