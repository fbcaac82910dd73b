"""Send a test to me, as an administrator sees it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.domain.messages.error_codes import ErrorClass, ErrorMeaning
from core.domain.people.permissions import Viewer
from core.services.reports.following_tests import Fate, FollowingTests, Step
from core.state.campaigns import campaigns
from core.state.suppressions import suppressions
from pages._ui.screens.gateways import gateway_test
from tests.support.application.factories import make_origin
from tests.support.application.page_tests import House, clicking

KEY = "gateways"
NUMBER = "+491796000001"


def sent(house: House, number: str = NUMBER):
    at = house.open(KEY)
    with clicking("change", 0):
        at.run()
    at.text_input(key=f"{KEY}_test_number").set_value(number)
    at.text_input(key=f"{KEY}_test_sender").set_value("HELIOGRAPH")
    at.button(key=f"{KEY}_test_send").click().run()
    assert not at.exception
    return at


def test_a_test_is_sent_and_followed(keyed: House, administrator: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    fates = [Fate(Step.WAITING)]
    monkeypatch.setattr(FollowingTests, "follow", lambda *_: fates[-1])
    at = sent(keyed)
    assert "It waits to be sent" in at.info[0].value.replace("\\", "")
    with keyed.app.state.read() as session:
        (campaign_id,) = campaigns.list_ids(session)
        assert campaigns.get_campaign(session, campaign_id).gateway == "Berlin"
    meaning = ErrorMeaning("the <b>number</b> is not known", ErrorClass.PERMANENT)
    fates.append(Fate(Step.REFUSED, reason="0x0000000B", meaning=meaning))
    at.run()
    said = at.error[0].value
    assert "is not known" in said
    assert "<b>" not in said
    # The field keeps what was typed.
    assert at.text_input(key=f"{KEY}_test_number").value == NUMBER


def test_a_suppressed_number_gets_a_sentence(keyed: House, administrator: Viewer) -> None:
    account_id = keyed.app.accounts.managing.list_accounts(administrator)[0].account_id
    with keyed.app.state.write() as session:
        suppressions.add_suppressions(session, account_id, [NUMBER], make_origin(created_at=datetime.now(UTC)))
    at = sent(keyed)
    assert "does not want messages" in at.error[0].value


def test_every_step_has_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    said = list[str]()
    for name in ("success", "warning", "error", "info"):
        monkeypatch.setattr(gateway_test.st, name, lambda text, **_: said.append(text))
    for step in Step:
        gateway_test._say(replace(Fate(step), reason="why"))
    assert any(text.startswith("The test waits") for text in said)
    assert len(set(said)) == len(Step)
