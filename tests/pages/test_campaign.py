import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from core.domain.accounts.pricing import Price
from core.domain.campaigns.campaigns import CampaignStatus, Reconciliation
from core.domain.gateways.sights import GatewaySight, ProcessSight, SeenFault
from core.domain.messages.messages import LedgerState
from core.domain.reports.paging import PageRequest
from core.services.accounts.setting_up_gateways import GatewayForm
from core.state.accounts import sights
from core.state.accounts.accounts import set_prices, set_rate
from core.state.campaigns import ledger
from core.state.campaigns.campaigns import move_campaign, set_limits
from pages._ui import session
from pages._ui.screens.campaign.reconciliation import refusal
from tests.support.application.campaigns import freeze, launch, now, save_draft, send
from tests.support.application.page_tests import House, place_of


def numbers(at) -> dict[str, str]:
    return {tile.label: tile.value for tile in at.metric}


def lines(at, table: int) -> dict[str, str]:
    """Return a table of names and values; the proof comes before the details."""
    found = at.table[table].value.iloc[:, 0].to_dict()
    return {name: re.sub(r"\[(.*)\]\(campaign_rows\?.*\)", r"\1", value) for name, value in found.items()}


def words(at) -> str:
    return " ".join(element.value for element in at.markdown)


def details(at) -> list[str]:
    """Return the names of what the card of details says."""
    return [name for table in at.table for name in table.value.index]


def test_draft_shows_its_details_and_goes_on_being_edited(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    at = house.open("campaign", id=draft.campaign_id)
    assert not at.exception
    assert not at.metric
    details = lines(at, 0)
    assert details["Distribution List"] == "Spring guests – 3\u00a0rows"
    assert details["Message"] == r"Hello \{FirstName\}, spring is here\."
    assert (details["SMS Count"], details["Characters"]) == ("1", str(len("Hello Beau, spring is here.")))
    at.button(key="campaign_edit").click().run()
    assert at.title[0].value == "Create Campaign"
    assert at.text_input(key="create_campaign_name").value == "Spring greeting"


def test_processing_campaign_has_no_proof_before_its_audience_is_frozen(house: House) -> None:
    viewer = house.sign_in()
    draft = launch(house, viewer, save_draft(house, viewer))
    at = house.open("campaign", id=draft.campaign_id)
    assert not at.exception
    assert "Freezing the audience" in at.get("progress")[0].text
    assert "Adds up" not in words(at)


def test_active_campaign_shows_how_far_it_is(house: House) -> None:
    viewer = house.sign_in()
    campaign = freeze(house, viewer, save_draft(house, viewer))
    at = house.open("campaign", id=campaign.campaign_id)
    assert not at.exception
    assert numbers(at) == {"Sent": "0", "Total": "3", "Sent/Total": "0\u00a0%"}
    assert "0 of 3" in at.get("progress")[0].text
    assert lines(at, 0)["Pending"] == "3"
    assert "Adds up" in words(at)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            "Nothing listens at smpp.example.com, port 2775.",
            "The gateway simulator takes no messages just now. Nothing listens at smpp.example.com, port 2775.",
        ),
        # As a refusal of the gateway's is worded.
        ("The gateway simulator takes no messages: no credit (9).",) * 2,
    ],
)
def test_active_campaign_says_at_once_that_its_gateway_takes_nothing(house: House, fault: str, words: str) -> None:
    viewer = house.sign_in()
    campaign = freeze(house, viewer, save_draft(house, viewer))
    refused(house, fault)
    at = house.open("campaign", id=campaign.campaign_id)
    assert not at.exception
    (said,) = [warning.value.replace("\\", "") for warning in at.warning]
    assert said == words


def refused(house: House, fault: str) -> None:
    now = datetime.now(UTC)
    sight = GatewaySight(faults=(SeenFault(fault, now, now),))
    with house.app.state.write() as session:
        sights.write_sight(session, ProcessSight("one", True, now, {"simulator": sight}))


def test_completed_campaign_accounts_for_every_recipient(house: House) -> None:
    viewer = house.sign_in()
    campaign = send(house, viewer, save_draft(house, viewer))
    assert campaign.status is CampaignStatus.COMPLETED
    found = house.app.reports.reporting.reconciliation(viewer, campaign.campaign_id)
    at = house.open("campaign", id=campaign.campaign_id)
    assert not at.exception
    assert not at.get("progress")
    assert numbers(at)["Sent"] == str(found.sent_count)
    proof = lines(at, 0)
    assert (proof["Sent"], proof["Pending"], proof["**Audience**"]) == (str(found.sent_count), "0", "**3**")
    assert "Adds up" in words(at)


def test_everything_keeps_its_place_while_the_campaign_goes_on(house: House) -> None:
    viewer = house.sign_in()
    campaign = freeze(house, viewer, save_draft(house, viewer))

    def places() -> dict[str, tuple[int, ...]]:
        at = house.open("campaign", id=campaign.campaign_id)
        assert not at.exception
        cards = {heading.value: place_of(at, heading) for heading in at.subheader}
        return cards | {"tile": place_of(at, at.metric[0]), "last table": place_of(at, at.table[-1])}

    active = places()
    assert "Reconciliation" in active
    with house.app.state.write() as session:
        move_campaign(session, campaign.campaign_id, CampaignStatus.PAUSED, fault="The gateway is not set up.")
    assert places() == active
    house.app.campaigns.controlling.resume(viewer, campaign.campaign_id, now())
    house.app.sending.submitting.run(campaign.campaign_id, now)
    completed = places()
    assert {name: completed[name] for name in active} == active


def test_its_speed_is_that_of_the_last_minute_of_sending(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = house.sign_in()
    campaign = freeze(house, viewer, save_draft(house, viewer))
    began, seconds, count = now(), 0, 500

    def look() -> Reconciliation:
        return Reconciliation(100_000, count, {}, {}, 0, 100_000 - count)

    monkeypatch.setattr(house.app.reports.reporting, "reconciliation", lambda *_: look())
    monkeypatch.setattr(session, "now", lambda: began + timedelta(seconds=seconds))
    at = house.open("campaign", id=campaign.campaign_id)
    # What was sent before says nothing of how fast it is sent now.
    assert not at.metric[0].delta
    for _ in range(5):
        seconds, count = seconds + 1, count + 40
        at.run()
    assert at.metric[0].delta == "40 per second"
    assert "about 41\u00a0min left" in at.get("progress")[0].proto.text

    house.app.campaigns.controlling.pause(viewer, campaign.campaign_id, now())
    seconds += 300
    at.run()
    assert at.metric[0].delta == "paused"
    house.app.campaigns.controlling.resume(viewer, campaign.campaign_id, now())
    at.run()
    assert not at.metric[0].delta
    for _ in range(5):
        seconds, count = seconds + 1, count + 25
        at.run()
    assert at.metric[0].delta == "25 per second"
    for _ in range(61):
        seconds += 1
        at.run()
    assert at.metric[0].delta == "none in the last minute"


def test_what_a_pause_keeps_out_of_the_history_is_said(house: House) -> None:
    viewer = house.sign_in()
    campaign = freeze(house, viewer, save_draft(house, viewer))
    with house.app.state.write() as session:
        batch = ledger.lease_batch(session, campaign.campaign_id, "one", now(), now() + timedelta(seconds=15))
        ledger.claim(session, batch, [ledger.Claim(str(uuid4()), "+4917900000001", "simulator")], now())
        (claimed,) = ledger.list_claimed_ids(session, batch.batch_id)
        ledger.record_outcomes(session, [ledger.Outcome(claimed, LedgerState.SENT, now())])
        ledger.release_batch(session, batch.batch_id, "one")

    def said() -> str:
        at = house.open("campaign", id=campaign.campaign_id)
        assert not at.exception
        return " ".join(caption.value for caption in at.caption)

    later = "1\u00a0message sent is not in Dashboard, Statistics and Message History yet"
    # While it goes on that is over in a moment.
    assert later not in said()
    house.app.campaigns.controlling.pause(viewer, campaign.campaign_id, now())
    assert later in said()
    house.app.campaigns.controlling.cancel(viewer, campaign.campaign_id, now())
    house.app.work.run_until_idle(now)
    assert later not in said()


def test_reasons_stand_beside_what_was_left_out_or_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = house.sign_in()
    campaign = freeze(house, viewer, save_draft(house, viewer))
    found = Reconciliation(10, 5, {"no price": 2}, {"0x0000000B": 1}, 1, 1)
    monkeypatch.setattr(house.app.reports.reporting, "reconciliation", lambda *_: found)
    proof = lines(house.open("campaign", id=campaign.campaign_id), 0)
    by_reason = {name: count for name, count in proof.items() if name.startswith(("Excluded", "Failed"))}
    assert list(by_reason.values()) == ["2", "1"]
    excluded, failed = by_reason
    assert "no price" in excluded
    assert "invalid destination" in failed


def test_a_refusal_is_told_in_the_words_of_its_gateways_kind() -> None:
    assert refusal("0x0000000B") == "invalid destination (0x0000000B)"
    assert refusal("0x00000045") == "submit failed (0x00000045)"
    assert refusal("21610", "twilio") == "opted out: the person has replied STOP to this sender (21610)"
    # What nobody knows, and what is no code.
    assert [refusal(reason) for reason in ("0x00000400", "21610", "no price", "")] == [
        "0x00000400",
        "21610",
        "no price",
        "",
    ]


def test_numbers_that_do_not_add_up_are_not_hidden(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = house.sign_in()
    campaign = freeze(house, viewer, save_draft(house, viewer))
    monkeypatch.setattr(house.app.reports.reporting, "reconciliation", lambda *_: Reconciliation(3, 1, {}, {}, 0, 1))
    at = house.open("campaign", id=campaign.campaign_id)
    assert "Does not add up" in words(at)


def test_a_change_of_state_draws_the_whole_page_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = house.sign_in()
    campaign = freeze(house, viewer, save_draft(house, viewer))
    done = replace(campaign, status=CampaignStatus.COMPLETED)
    # The page reads it while it is Active; when its numbers are read, sending has just ended.
    answers = [campaign]
    monkeypatch.setattr(house.app.campaigns.composing, "get", lambda *_: answers.pop() if answers else done)
    at = house.open("campaign", id=campaign.campaign_id)
    assert not at.exception
    assert not at.get("progress")
    assert "Completed" in words(at)


def test_fault_of_a_campaign_that_could_not_start_is_shown(house: House) -> None:
    viewer = house.sign_in()
    draft = launch(house, viewer, save_draft(house, viewer))
    with house.app.state.write() as session:
        move_campaign(session, draft.campaign_id, CampaignStatus.INACTIVE, fault="The disk is full. Make room.")
    at = house.open("campaign", id=draft.campaign_id)
    assert not at.exception
    assert "The disk is full" in at.error[0].value
    assert at.button(key="campaign_edit")


def test_list_may_be_deleted_once_the_audience_is_frozen(house: House) -> None:
    viewer = house.sign_in()
    campaign = freeze(house, viewer, save_draft(house, viewer))
    house.app.lists.delete(viewer, campaign.list_ids[0], datetime.now(UTC))
    at = house.open("campaign", id=campaign.campaign_id)
    assert not at.exception
    assert lines(at, 1)["Distribution List"] == "Spring guests – since deleted"


def test_show_messages_leads_to_the_campaigns_messages(house: House) -> None:
    viewer = house.sign_in()
    campaign = send(house, viewer, save_draft(house, viewer))
    at = house.open("campaign", id=campaign.campaign_id)
    at.button(key="campaign_messages").click().run()
    assert not at.exception
    assert at.title[0].value == "Message History"
    sent_count = house.app.reports.reporting.reconciliation(viewer, campaign.campaign_id).sent_count
    assert len(at.dataframe[0].value) == sent_count


def arrived(at) -> dict[str, str]:
    """Return the lines on receipts, by the first word of each."""
    return {name.split()[0]: value for name, value in at.table[1].value.iloc[:, 0].to_dict().items()}


def receive(house: House, campaign_id: str, count: int) -> None:
    """Let receipts say that so many of the campaign's messages arrived."""
    statement = (
        "UPDATE lake.messages SET delivery_status = CASE WHEN message_id IN (SELECT message_id FROM lake.messages "
        "WHERE campaign_id = $id ORDER BY receiver LIMIT $count) THEN 'Delivered' ELSE 'Submitted' END "
        "WHERE campaign_id = $id"
    )
    house.app.lake.write(lambda cursor: cursor.execute(statement, {"id": campaign_id, "count": count}))


def test_what_receipts_say_adds_up_to_what_was_sent_and_leads_to_those_messages(house: House) -> None:
    viewer = house.sign_in()
    campaign = send(house, viewer, save_draft(house, viewer))
    sent_count = house.app.reports.reporting.reconciliation(viewer, campaign.campaign_id).sent_count
    receive(house, campaign.campaign_id, 1)
    lines = arrived(house.open("campaign", id=campaign.campaign_id))
    there = f"message_history?campaign={campaign.campaign_id}&delivery_status="
    assert lines == {
        "Delivered": f"[1]({there}Delivered)",
        "Undelivered": "0",
        "Waiting": f"[{sent_count - 1}]({there}Submitted)",
        "**Sent**": f"**{sent_count}**",
    }
    shown = house.open("message_history", campaign=campaign.campaign_id, delivery_status="Submitted")
    assert len(shown.dataframe[0].value) == sent_count - 1


def test_what_receipts_say_leads_nowhere_for_those_who_may_not_see_messages(house: House) -> None:
    viewer = house.sign_in()
    campaign = send(house, viewer, save_draft(house, viewer))
    house.sign_in("Campaign manager")
    assert not any(
        "message_history" in line for line in arrived(house.open("campaign", id=campaign.campaign_id)).values()
    )


def test_messages_are_offered_only_to_those_who_may_see_them(house: House) -> None:
    viewer = house.sign_in()
    campaign = freeze(house, viewer, save_draft(house, viewer))
    house.sign_in("Campaign manager")
    at = house.open("campaign", id=campaign.campaign_id)
    assert not at.exception
    assert "campaign_messages" not in {button.key for button in at.button}


def test_rows_of_an_unknown_campaign_are_an_error_with_a_way_out(house: House) -> None:
    house.sign_in()
    at = house.open("campaign_rows", id="nope", outcome="sent")
    assert "There is no such campaign" in at.error[0].value
    at.button(key="campaign_rows_all").click().run()
    assert not at.error
    assert at.title[0].value == "Campaigns"


def test_unknown_campaign_is_an_error_with_a_way_out(house: House) -> None:
    house.sign_in()
    at = house.open("campaign", id="nope")
    assert not at.exception
    assert "There is no such campaign" in at.error[0].value
    at.button(key="campaign_back").click().run()
    assert at.title[0].value == "Campaigns"


def status(house: House, viewer, campaign_id: str) -> str:
    return house.app.campaigns.composing.get(viewer, campaign_id).status.value


def test_active_campaign_is_paused_resumed_and_canceled(house: House) -> None:
    viewer = house.sign_in()
    campaign = freeze(house, viewer, save_draft(house, viewer))
    at = house.open("campaign", id=campaign.campaign_id)
    at.button(key="campaign_pause").click().run()
    assert status(house, viewer, campaign.campaign_id) == "Paused"
    at.button(key="campaign_resume").click().run()
    assert status(house, viewer, campaign.campaign_id) == "Active"
    at.button(key="campaign_cancel").click().run()
    assert status(house, viewer, campaign.campaign_id) == "Active"
    # Not "Cancel": in answer to "Cancel campaign?" that could mean either.
    assert at.button(key="campaign_cancel_cancel").label == "Keep it"
    at.button(key="campaign_cancel_ok").click().run()
    assert not at.exception
    assert {"Canceled", "Completed"} & set(details(at)) == {"Canceled"}
    assert status(house, viewer, campaign.campaign_id) == "Canceled"
    house.app.work.run_until_idle(now)
    found = house.app.reports.reporting.reconciliation(viewer, campaign.campaign_id)
    assert (found.excluded, found.pending_count, found.balances) == ({"canceled": 3}, 0, True)


def test_a_test_goes_to_ones_own_number_once(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    at = house.open("campaign", id=draft.campaign_id)
    at.button(key="campaign_open_test").click().run()
    at.text_input(key="campaign_test_number").set_value("12").run()
    at.button(key="campaign_test_send").click().run()
    assert at.error
    at.text_input(key="campaign_test_number").set_value("+491796548700").run()
    at.button(key="campaign_test_send").click().run()
    assert not at.exception
    [test] = [
        item for item in house.app.campaigns.composing.page(viewer, PageRequest()).items if item.source == "quick_send"
    ]
    assert (test.name, test.message) == ("Test of Spring greeting", "Hello Beau, spring is here.")


def test_overdue_campaign_asks_before_it_is_sent(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    with house.app.state.write() as session:
        move_campaign(session, draft.campaign_id, CampaignStatus.SCHEDULED, schedule_at=now() - timedelta(hours=2))
    house.app.work.run_until_idle(now)
    at = house.open("campaign", id=draft.campaign_id)
    assert "was due on" in at.warning[0].value
    at.button(key="campaign_send_late").click().run()
    at.button(key="campaign_send_late_ok").click().run()
    assert not at.exception
    assert status(house, viewer, draft.campaign_id) == "Processing"


def test_each_number_of_the_proof_leads_to_exactly_those_rows(house: House) -> None:
    viewer = house.sign_in()
    campaign = freeze(house, viewer, save_draft(house, viewer))
    at = house.open("campaign", id=campaign.campaign_id)
    link = at.table[0].value.iloc[:, 0].to_dict()["Pending"]
    assert link == f"[3](campaign_rows?id={campaign.campaign_id}&outcome=pending)"
    rows = house.open("campaign_rows", id=campaign.campaign_id, outcome="pending")
    assert not rows.exception
    receivers = ["+491796548754", "+491796548755", "+491796548756"]
    assert list(rows.dataframe[0].value["Receiver"]) == receivers
    house.app.work.run_until_idle(now)
    assert not house.open("campaign_rows", id=campaign.campaign_id, outcome="pending").dataframe
    found = house.app.reports.reporting.reconciliation(viewer, campaign.campaign_id)
    sent = house.open("campaign_rows", id=campaign.campaign_id, outcome="sent")
    assert len(sent.dataframe[0].value) == found.sent_count


def test_the_phone_shows_what_the_first_recipient_gets(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    at = house.open("campaign", id=draft.campaign_id)
    assert any(caption.value.endswith(" would see it") for caption in at.caption)
    # Once its list is gone, so is whoever it could be shown for.
    house.app.lists.delete(viewer, draft.list_ids[0], now())
    at = house.open("campaign", id=draft.campaign_id)
    assert not at.exception
    assert not any(caption.value.endswith(" would see it") for caption in at.caption)


def test_its_limits_are_changed_while_it_is_under_way(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer, budget_eur_cents=Decimal(1_000))
    freeze(house, viewer, draft)
    at = house.open("campaign", id=draft.campaign_id)
    assert not at.exception
    at.button(key="campaign_limits_open").click().run()
    field = at.number_input(key=f"campaign_limits_eur_{draft.campaign_id}")
    assert field.value == 10.0
    assert any("is spent; the whole campaign costs €" in caption.value for caption in at.caption)
    field.set_value(12.5)
    at.number_input(key=f"campaign_limits_rate_{draft.campaign_id}").set_value(50)
    at.button(key="campaign_limits_save").click().run()
    assert not at.exception
    found = house.app.campaigns.composing.get(viewer, draft.campaign_id)
    assert (found.budget_eur_cents, found.rate_tps) == (1_250, 50)
    # And taken away.
    at = house.open("campaign", id=draft.campaign_id)
    at.button(key="campaign_limits_open").click().run()
    at.number_input(key=f"campaign_limits_eur_{draft.campaign_id}").set_value(None)
    at.number_input(key=f"campaign_limits_rate_{draft.campaign_id}").set_value(None)
    at.button(key="campaign_limits_save").click().run()
    found = house.app.campaigns.composing.get(viewer, draft.campaign_id)
    assert (found.budget_eur_cents, found.rate_tps) == (None, None)


def test_it_says_whose_limit_is_in_force(house: House) -> None:
    viewer = house.sign_in()
    (account,) = house.app.accounts.managing.list_accounts(viewer)
    draft = save_draft(house, viewer, rate_tps=50)

    def said() -> list[str]:
        at = house.open("campaign", id=draft.campaign_id)
        assert not at.exception
        return [caption.value for caption in at.caption if "per second" in caption.value]

    # A draft keeps to nothing yet.
    assert said() == []
    freeze(house, viewer, draft)
    assert said() == [":material/speed: Sends at most 50 segments per second: the campaign's limit."]
    with house.app.state.write() as session:
        set_rate(session, account.account_id, 20)
    assert said() == [":material/speed: Sends at most 20 segments per second: the account's limit."]
    gateway = GatewayForm({}, rate_tps=5)
    house.app.accounts.setting_up.change(viewer, account.gateway, gateway, now())
    assert said() == [":material/speed: Sends at most 5 segments per second: the gateway's limit."]
    house.app.work.run_until_idle(now)
    assert status(house, viewer, draft.campaign_id) == "Completed"
    assert said() == []


def test_what_it_has_spent_is_shown_and_warned_of(house: House) -> None:
    viewer = house.sign_in()
    (account,) = house.app.accounts.managing.list_accounts(viewer)
    with house.app.state.write() as session:
        set_prices(session, account.account_id, [Price("", "", Decimal(5))])
    draft = save_draft(house, viewer, budget_eur_cents=Decimal(15))
    freeze(house, viewer, draft)
    with house.app.state.write() as session:
        set_limits(session, draft.campaign_id, Decimal(12), None)
    house.app.work.run_until_idle(now)
    at = house.open("campaign", id=draft.campaign_id)
    assert not at.exception
    said = at.error[0].value.replace("\\", "")
    # What it is in bold, and below it what to do.
    assert (
        "more than is left of the campaign's budget: €\u00a00.10 of €\u00a00.12 is spent.**  \nRaise it with Change lim"
        in said
    )
    (warning,) = at.warning
    assert warning.value.endswith("raise it with Change limits before you resume.")
    assert status(house, viewer, draft.campaign_id) == "Paused"
    at.button(key="campaign_resume").click().run()
    assert any("The rest of the campaign costs €\u00a00\\.05, more" in error.value for error in at.error)
    assert at.button(key="campaign_limits_open")


def test_a_campaign_that_has_ended_has_no_budget_to_change(house: House) -> None:
    viewer = house.sign_in()
    draft = save_draft(house, viewer)
    send(house, viewer, draft)
    at = house.open("campaign", id=draft.campaign_id)
    assert "campaign_limits_open" not in {button.key for button in at.button}
    assert "no budget of its own" in words(at)
