"""What people do leaves a line; what is refused leaves none."""

from dataclasses import replace

import pytest

from core.domain.campaigns.campaigns import CampaignDraft
from core.domain.people.permissions import PRESETS, Viewer
from core.domain.reports.audit import Action, AuditEntry, AuditFilter
from core.errors import Forbidden, InvalidTransition
from core.services.campaigns.quick_sending import QuickMessage
from tests.support.application.house import House, contacts

TOKEN = "0198a7c2-0000-7000-8000-000000000001"


def lines(house: House, action: Action | None = None) -> list[AuditEntry]:
    found = house.app.reports.auditing.page(house.viewer, AuditFilter(action=action), 1, 100)
    assert found.total == len(found.items)
    return list(found.items)


def test_a_campaigns_life_is_told_with_who_and_what(house: House):
    uploaded = house.upload(contacts(20))
    campaign = house.launch(uploaded.list_id)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    house.app.campaigns.controlling.pause(house.viewer, campaign.campaign_id, house.now)
    house.app.campaigns.controlling.resume(house.viewer, campaign.campaign_id, house.now)
    house.app.campaigns.controlling.cancel(house.viewer, campaign.campaign_id, house.now)
    house.app.lists.delete(house.viewer, uploaded.list_id, house.now)
    told = [
        (entry.action, entry.subject.name)
        for entry in reversed(lines(house))
        if entry.subject.kind in {"list", "campaign"}
    ]
    assert told == [
        (Action.LIST_UPLOADED, uploaded.name),
        (Action.CAMPAIGN_LAUNCHED, campaign.name),
        (Action.CAMPAIGN_PAUSED, campaign.name),
        (Action.CAMPAIGN_RESUMED, campaign.name),
        (Action.CAMPAIGN_CANCELED, campaign.name),
        (Action.LIST_DELETED, uploaded.name),
    ]
    (launched,) = lines(house, Action.CAMPAIGN_LAUNCHED)
    assert launched.details == {"recipients": "20", "cost": "€\u00a01.00"}
    assert (launched.who, launched.user_id) == (house.viewer.name, house.viewer.user_id)


def test_a_quick_send_is_told_once_and_without_numbers(house: House):
    message = QuickMessage(TOKEN, house.account.account_id, "ACME", ("+491796000001",), "Hello")
    for _ in range(2):
        house.app.campaigns.quick_sending.send(house.viewer, message, house.now)
    (told,) = lines(house, Action.QUICK_SENT)
    assert told.details["recipients"] == "1"
    assert "491796000001" not in repr(told)


def test_what_is_refused_leaves_no_line(house: House):
    draft = CampaignDraft(house.account.account_id, "Draft", "ACME", (), "Hello")
    campaign = house.app.campaigns.composing.save(house.viewer, draft, house.now)
    before = lines(house)
    with pytest.raises(InvalidTransition):
        house.app.campaigns.controlling.pause(house.viewer, campaign.campaign_id, house.now)
    reader = replace(house.viewer, permissions=PRESETS["Reporting manager"])
    with pytest.raises(Forbidden):
        house.app.campaigns.controlling.pause(reader, campaign.campaign_id, house.now)
    assert lines(house) == before


def test_the_audit_is_closed_without_its_permission(house: House):
    viewer = Viewer("user-9", "Eve", "eve@example.org", PRESETS["Reporting manager"])
    for ask in (
        lambda: house.app.reports.auditing.page(viewer, AuditFilter(), 1, 10),
        lambda: house.app.reports.auditing.all_entries(viewer, AuditFilter()),
    ):
        with pytest.raises(Forbidden):
            ask()
