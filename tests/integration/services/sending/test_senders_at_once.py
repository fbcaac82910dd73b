"""Several workers send one campaign while somebody watches: the sum is right at every moment, on both databases."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.reports.message_query import MessageQuery
from tests.support.application.house import House, contacts, make_house

COUNT, SENDERS = 2_000, 3
PATIENCE_S = 120


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = request.getfixturevalue("new_state_database")() if request.param == "postgres" else ""
    made = make_house(tmp_path, database_url=url, batch_size=100, sub_window=25)
    yield made
    made.app.close()


def now() -> datetime:
    return datetime.now(UTC)


def test_everybody_is_accounted_for_at_every_moment(house: House):
    house.now = now()
    campaign_id = house.launch(house.upload(contacts(COUNT)).list_id).campaign_id
    house.app.campaigns.launching.freeze(campaign_id, now)
    failures: list[BaseException] = []

    def send() -> None:
        try:
            while house.campaign(campaign_id).status is CampaignStatus.ACTIVE:
                house.app.sending.submitting.run(campaign_id, now)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            failures.append(error)

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    seen = []
    while any(sender.is_alive() for sender in senders):
        found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
        assert found.balances, found
        seen.append(found.pending_count)
    for sender in senders:
        sender.join(PATIENCE_S)
    assert failures == []
    assert seen == sorted(seen, reverse=True), "what was settled became pending again"
    assert len(set(seen)) > 3
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.audience_count, found.pending_count, found.balances) == (COUNT, 0, True)
    journal = house.simulator.journal
    receivers = [accepted.msisdn for accepted in journal.list_accepted()]
    assert len(receivers) == len(set(receivers))
    house.now = now()
    query = MessageQuery(house.viewer.account_ids, house.everything())
    assert house.app.reports.reporting.messages(house.viewer, query, 1, 1).total == found.sent_count
