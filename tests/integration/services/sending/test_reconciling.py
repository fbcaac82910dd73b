"""The rows behind the reconciliation are as many as it counts, at every moment of a campaign."""

from datetime import timedelta

import pytest

from core.services.sending.reconciling import OUTCOMES
from core.state.accounts import accounts
from core.state.suppressions import suppressions
from tests.support.application.factories import make_origin
from tests.support.application.house import House, contacts


def rows(house: House, campaign_id: str, outcome: str, reason: str | None = None) -> list[str]:
    found = house.app.sending.reconciling.rows(house.viewer, campaign_id, outcome, reason, 1, 1_000)
    assert found.total == found.table.num_rows
    return found.table["Receiver"].to_pylist()


def compare(house: House, campaign_id: str) -> None:
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert found.balances
    expected = (found.sent_count, found.excluded_count, found.failed_count, found.unknown_count, found.pending_count)
    listed = [rows(house, campaign_id, outcome) for outcome in OUTCOMES]
    assert tuple(map(len, listed)) == expected
    everybody = [number for numbers in listed for number in numbers]
    assert len(set(everybody)) == len(everybody) == found.audience_count
    for reason, count in found.excluded.items():
        assert len(rows(house, campaign_id, "excluded", reason)) == count
    for reason, count in found.failed.items():
        assert len(rows(house, campaign_id, "failed", reason)) == count


@pytest.mark.parametrize("ending", ["under way", "canceled"])
def test_rows_are_as_many_as_are_counted(house: House, ending: str):
    account_id = house.account.account_id
    with house.app.state.write() as session:
        suppressions.add_suppressions(session, account_id, ["+491796000003"], make_origin(created_at=house.now))
        accounts.set_rate(session, account_id, 40)
    campaign = house.launch(house.upload(contacts(300)).list_id)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    compare(house, campaign.campaign_id)
    end = house.now + timedelta(seconds=3)

    def ticking() -> object:
        house.wait(timedelta(milliseconds=50))
        if house.now > end:
            house.app.work.stop()
        return house.now

    house.app.sending.submitting.run(campaign.campaign_id, ticking)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert 0 < found.sent_count < 299
    compare(house, campaign.campaign_id)
    if ending == "canceled":
        house.app.campaigns.controlling.cancel(house.viewer, campaign.campaign_id, house.now)
        compare(house, campaign.campaign_id)
        house.wait(timedelta(minutes=1))
        house.app.campaigns.controlling.settle(campaign.campaign_id, house.clock)
        found = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
        assert (found.pending_count, found.excluded["suppressed"]) == (0, 1)
        assert found.excluded["canceled"] > 0
        compare(house, campaign.campaign_id)
