"""A campaign that waits for a gateway goes on by another one that its account has, or is given."""

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.gateways.gateways import GatewayStatus
from core.services.sending import batches
from core.state.campaigns import holding
from tests.integration.services.accounts.test_gateway_health import (
    COUNT,
    DOWN,
    Switchable,
    add_gateway,
    keyed,
    kind,
    launch,
    put,
    send,
    status_of,
    use,
)
from tests.support.application.house import House

__all__ = ["keyed", "kind"]


@pytest.fixture(autouse=True)
def no_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "NAP_MAX_S", 0.001)


@pytest.mark.parametrize("given", [("Berlin", "Paris"), ("Paris", "")], ids=["as the fallback", "instead"])
def test_it_goes_on_by_the_one_its_account_is_given(keyed: House, given: tuple[str, str]):
    put(keyed, Switchable("Berlin", DOWN))
    paris = put(keyed, Switchable("Paris"))
    campaign_id = launch(keyed)
    send(keyed, campaign_id)
    assert keyed.campaign(campaign_id).status is CampaignStatus.PAUSED
    use(keyed, *given)
    assert keyed.campaign(campaign_id).status is CampaignStatus.ACTIVE
    send(keyed, campaign_id)
    assert keyed.campaign(campaign_id).status is CampaignStatus.COMPLETED
    assert status_of(keyed, "Berlin") is GatewayStatus.FAILING
    assert len(set(paris.receivers)) == len(paris.receivers) == COUNT


def test_whichever_of_the_two_is_back_first_takes_it(keyed: House):
    use(keyed, "Berlin", "Paris")
    gone = [put(keyed, Switchable(name, DOWN)) for name in ("Berlin", "Paris")]
    campaign_id = launch(keyed)
    send(keyed, campaign_id)
    for name in ("Berlin", "Paris"):
        keyed.app.sending.health.refused(name, DOWN.message, keyed.now, needs_person=True)
    with keyed.app.state.read() as session:
        (back,) = (each.name for each in gone if not holding.list_waiting(session, each.name))
    keyed.app.sending.health.recover(back, keyed.now)
    assert keyed.campaign(campaign_id).status is CampaignStatus.ACTIVE


def test_what_somebody_is_to_resume_by_hand_waits_for_that(keyed: House):
    add_gateway(keyed, "Rome", resumes=False)
    use(keyed, "Rome")
    put(keyed, Switchable("Rome", DOWN))
    campaign_id = launch(keyed)
    send(keyed, campaign_id)
    use(keyed, "Rome", "Paris")
    keyed.app.sending.health.recover("Rome", keyed.now)
    use(keyed, "Rome", "Berlin")
    assert keyed.campaign(campaign_id).status is CampaignStatus.PAUSED


def test_what_a_person_has_paused_is_left_to_people(keyed: House):
    campaign_id = launch(keyed)
    keyed.app.campaigns.controlling.pause(keyed.viewer, campaign_id, keyed.now)
    use(keyed, "Berlin", "Paris")
    assert keyed.campaign(campaign_id).status is CampaignStatus.PAUSED
