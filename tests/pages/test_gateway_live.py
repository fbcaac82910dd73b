"""How a gateway stands, in words: nobody sends, never tried, not connected, failing, and at work."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.gateways.sights import GatewaySight, InUse, LinkState, LinkStatus, ProcessSight, SeenFault
from core.domain.people.permissions import Viewer
from core.services.accounts.managing_accounts import AccountSettings
from core.state.accounts import accounts, gateways, sights
from core.state.campaigns import campaigns
from tests.support.application.factories import make_account, make_campaign
from tests.support.application.page_tests import House, clicking

KEY = "gateways"
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FAULT = "Nothing listens at smpp.example.com, port 2775."


def panel(house: House) -> AppTest:
    at = house.open(KEY)
    with clicking("change", 0):
        at.run()
    assert not at.exception
    return at


def tell(house: House, sight: GatewaySight, process: str = "one") -> None:
    with house.app.state.write() as session:
        sights.write_sight(session, ProcessSight(process, True, datetime.now(UTC), {"Berlin": sight}))


def words(at: AppTest) -> str:
    found = [*at.caption, *at.warning, *at.error, *at.markdown]
    return "\n".join(str(each.value) for each in found).replace("\\", "")


def metrics(at: AppTest) -> dict[str, str]:
    return {each.label: each.value.replace("\u00a0", " ") for each in at.metric}


def test_with_no_worker_it_says_who_can_help(keyed: House, administrator: Viewer) -> None:
    at = panel(keyed)
    assert "No worker runs" in words(at)
    assert "Nothing has connected to it, and nothing was sent by it" in words(at)
    assert "Not tried yet" in words(at)
    assert metrics(at) == {"Messages per second": "0", "Receipts per second": "0"}


def test_a_test_that_failed_is_said_with_the_reason(keyed: House, administrator: Viewer) -> None:
    with keyed.app.state.write() as session:
        gateways.set_test_failed(session, "Berlin", FAULT, AT)
    at = panel(keyed)
    assert f"The test on 01/03/2026 12:00 failed: {FAULT}" in words(at)
    assert "Test failed" in words(at)
    assert "Nothing has connected to it" not in words(at)
    assert at.dataframe[0].value["Status"].iloc[0] == ["Test failed"]


def test_what_workers_see_is_shown(keyed: House, administrator: Viewer) -> None:
    with keyed.app.state.write() as session:
        gateways.set_proven(session, "Berlin", 1, AT)
    up = LinkState(1, LinkStatus.BOUND, datetime.now(UTC), in_flight=7, window=10)
    down = LinkState(2, LinkStatus.WAITING, AT, fault="The <b>password</b> is wrong.", window=10)
    hears = LinkState(3, LinkStatus.BOUND, AT)
    faults = (SeenFault("It took nothing.", AT, AT + timedelta(minutes=3)),)
    tell(keyed, GatewaySight((up, down, hears), InUse(7, 20), 41.2, 0.5, faults))
    tell(keyed, GatewaySight((up,), InUse(1, 10), 1.0, 0.0), "two")
    at = panel(keyed)
    assert metrics(at) == {"Messages per second": "42", "Receipts per second": "0.5", "Window in use": "8 of 30"}
    shown = at.table[0].value.astype(str).to_numpy().tolist()
    assert [row[0] for row in shown] == ["Worker 1, 1", "Worker 1, 2", "Worker 1, 3", "Worker 2, 1"]
    assert shown[1][1].replace("\\", "") == "Waiting to try again since 01/03/2026 12:00:00"
    assert "<b>" not in shown[1][3]
    # A narrow column breaks it between its words: no blank in it is a fixed one.
    assert [row[2] for row in shown] == ["7 of 10", "0 of 10", "Only hears", "7 of 10"]
    assert "01/03/2026 12:00:00 to 01/03/2026 12:03:00" in words(at)
    assert "Working" in words(at)
    assert "No worker runs" not in words(at)


def test_one_that_no_worker_is_connected_to_does_not_work(keyed: House, administrator: Viewer) -> None:
    with keyed.app.state.write() as session:
        gateways.set_proven(session, "Berlin", 1, AT)
    tell(keyed, GatewaySight((LinkState(1, LinkStatus.WAITING, AT, fault=FAULT, window=10),), InUse(0, 10)))
    at = panel(keyed)
    assert "Not connected" in words(at)
    assert "They try again and again" in words(at)
    assert at.dataframe[0].value["Status"].iloc[0] == ["Not connected"]


def test_one_that_took_nothing_says_when_why_and_where_messages_go(keyed: House, administrator: Viewer) -> None:
    account = keyed.app.accounts.managing.list_accounts(administrator)[0]
    settings = AccountSettings("Berlin", 100, fallback_gateway="simulator")
    keyed.app.accounts.managing.change(administrator, account.account_id, settings, datetime.now(UTC))
    with keyed.app.state.write() as session:
        gateways.set_proven(session, "Berlin", 1, AT)
    tell(keyed, GatewaySight(faults=(SeenFault("It took <b>nothing</b>.", AT, AT),), refused_at=AT))
    at = panel(keyed)
    said = words(at)
    assert "**It took <b>nothing" in said.replace("&lt;", "<")
    assert "Last tried on 01/03/2026 12:00. It is tried again with the next messages." in said
    assert f"Messages of {account.display_name} go by simulator meanwhile." in said
    assert at.dataframe[0].value["Status"].iloc[0] == ["Takes nothing"]


def test_who_is_in_none_of_the_accounts_sees_how_many_campaigns_wait(keyed: House, administrator: Viewer) -> None:
    account = make_account(account_id="other", name="other", gateway="Berlin")
    with keyed.app.state.write() as session:
        accounts.add_account(session, account, AT)
        campaigns.add_campaign(
            session, make_campaign(account_id="other", name="Autumn hint", status=CampaignStatus.ACTIVE)
        )
        found = campaigns.get_campaign(session, "campaign-1")
        campaigns.move_from(session, found, CampaignStatus.PAUSED, held_by="Berlin")
        gateways.set_failing(session, "Berlin", FAULT, AT, needs_person=True)
    said = words(panel(keyed)).replace("\u00a0", " ")
    assert "Waiting for it: 1 campaign of other accounts." in said
    assert "Autumn hint" not in said


@pytest.mark.parametrize("needs_person", [False, True])
def test_one_that_fails_says_what_is_next_and_who_waits(
    keyed: House, administrator: Viewer, *, needs_person: bool
) -> None:
    account_id = keyed.app.accounts.managing.list_accounts(administrator)[0].account_id
    with keyed.app.state.write() as session:
        gateways.set_failing(session, "Berlin", FAULT, AT, needs_person=needs_person)
        for number in range(7):
            waiting = make_campaign(campaign_id=f"c{number}", account_id=account_id, name=f"Spring {number}")
            campaigns.add_campaign(session, replace(waiting, status=CampaignStatus.ACTIVE))
            found = campaigns.get_campaign(session, f"c{number}")
            campaigns.move_from(session, found, CampaignStatus.PAUSED, held_by="Berlin")
    said = words(panel(keyed))
    assert FAULT in said
    assert ("It is not tried again by itself" in said) is needs_person
    assert ("It is tried again at 12:00:15" in said) is not needs_person
    assert "Waiting for it: Spring 0, Spring 1, Spring 2, Spring 3, Spring 4 and 2 more." in said
