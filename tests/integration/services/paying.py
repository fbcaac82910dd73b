"""Campaigns that spend, on accounts where a segment costs a few cents; what is spent, and who was told of it."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from core.domain.campaigns.campaigns import Campaign
from core.domain.people.notifications import Tag
from core.services.campaigns.limiting import own_limits
from core.services.sending.batches import BatchRun
from core.state.people import notifications
from tests.integration.services import steps
from tests.support.application.house import House, contacts, make_house

COUNT, SUB_WINDOW, BATCH, CENTS = 60, 10, 20, 5
COST = COUNT * CENTS


def make_paying(folder: Path, database_url: str = "") -> House:
    """Return a house whose messages cost `CENTS` each; the caller closes `app`."""
    made = make_house(folder, database_url=database_url, sub_window=SUB_WINDOW, batch_size=BATCH)
    steps.price(made, str(CENTS))
    return made


def frozen(house: House, first: int = 6_000_000, count: int = COUNT, **overrides: object) -> Campaign:
    """Return a campaign about to be sent, its whole audience pending."""
    name = overrides.get("name", "Spring greeting")
    list_id = house.upload(contacts(count, first), name=f"Guests of {name}").list_id
    campaign = house.launch(list_id, **overrides)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    return house.campaign(campaign.campaign_id)


def spent(house: House) -> Decimal:
    """Return what the running counter of the account's month says."""
    return house.app.accounts.counting.find_months([house.account.account_id], house.now)[house.account.account_id]


def told(house: House, user_id: str = "") -> list[str]:
    with house.app.state.read() as session:
        found = notifications.list_newest(session, user_id or house.viewer.user_id, 100)
    return [each.text for each in reversed(found) if each.tag is Tag.BUDGET]


def resume(house: House, campaign: Campaign) -> Campaign:
    return house.app.campaigns.controlling.resume(house.viewer, campaign.campaign_id, house.now)


def change_budget(house: House, campaign: Campaign, eur: str | None) -> Campaign:
    seen = own_limits(house.campaign(campaign.campaign_id))
    wanted = replace(seen, budget_eur=None if eur is None else Decimal(eur))
    return house.app.campaigns.limiting.change(house.viewer, campaign.campaign_id, seen, wanted, house.now)


class _Killed(BaseException):
    """What a worker dies of."""


def die_with_claims(house: House, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker die that has claimed the campaign's first sub-window and handed over nothing of it."""

    def killed(*_: object) -> None:
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(BatchRun, "_hand_over", killed)
        with pytest.raises(_Killed):
            house.app.sending.submitting.run(campaign.campaign_id, house.clock)
