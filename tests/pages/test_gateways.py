from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.domain.gateways.forms import FieldKind
from core.domain.messages.strays import Stray, StrayReason
from core.domain.people.permissions import Viewer
from core.errors import Unavailable
from core.gateways import registry
from core.services.accounts.encryption import make_key
from core.services.accounts.managing_accounts import AccountSettings
from core.services.accounts.setting_up_gateways import GatewayForm
from core.state.accounts import gateways
from core.state.campaigns import receipts
from tests.support.application.factories import make_receipt
from tests.support.application.page_tests import House, clicking
from tests.support.application.page_tests import house as open_house
from tests.support.fakes.fake_gateway import KIND, VALUES, FakeKind
from tests.support.stores.inbox import list_inbox

KEY = "gateways"
SECRET = VALUES["password"]


@pytest.fixture(autouse=True)
def kind(monkeypatch: pytest.MonkeyPatch) -> FakeKind:
    made = FakeKind()
    made.register(monkeypatch)
    return made


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, secret_key=make_key()) as found:
        yield found


@pytest.fixture
def viewer(keyed: House) -> Viewer:
    """Sign in, with a gateway set up."""
    found = keyed.sign_in()
    keyed.app.accounts.setting_up.create(found, "Berlin *1*", KIND, GatewayForm(VALUES), datetime.now(UTC))
    return found


def table(at: AppTest) -> pd.DataFrame:
    return at.dataframe[0].value


def keys(at: AppTest) -> set[str]:
    return {button.key for button in at.button}


def panel(house: House, action: str = "change", row: int = 0) -> AppTest:
    at = house.open(KEY)
    with clicking(action, row):
        at.run()
    assert not at.exception
    return at


def opened(house: House, name: str = "Berlin *1*"):
    return house.app.accounts.connecting.open_connection(name)


def test_every_gateway_is_listed_with_its_state_and_who_uses_it(keyed: House, viewer: Viewer) -> None:
    at = keyed.open(KEY)
    assert not at.exception
    shown = [[str(row[name]) for name in ("Gateway", "Kind", "Status")] for row in table(at).to_dict("records")]
    assert shown == [
        ["Berlin *1*", "Provider", "['Not tried yet']"],
        ["simulator", "Simulator", "['Not tried yet']"],
    ]
    assert list(table(at)["Used by"]) == ["–", "Simulator"]
    assert list(table(at)["Limit"]) == ["–", "–"]
    keyed.app.accounts.setting_up.change(viewer, "simulator", GatewayForm({}, rate_tps=500), datetime.now(UTC))
    assert list(table(keyed.open(KEY))["Limit"]) == ["–", "500\u00a0segments per second"]
    # How each stands is in sight on a phone, too.
    assert list(table(at).columns).index("Status") == list(table(at).columns).index("Gateway") + 1
    # What is part of Heliograph cannot be deleted.
    assert list(table(at)["delete"].isna()) == [False, True]


def test_a_gateway_is_added_tested_and_shows_its_address(keyed: House, kind: FakeKind) -> None:
    viewer = keyed.sign_in()
    at = keyed.open(KEY)
    at.button(key=f"{KEY}_add").click().run()
    at.selectbox(key=f"{KEY}_kind").set_value(KIND).run()
    at.button(key=f"{KEY}_add_save").click().run()
    # All that is wrong at once, and what may stay empty is marked.
    (told,) = at.error
    for said in ("3 fields are to be mended", "gateway name is missing", "Host is missing", "Password is missing"):
        assert said in told.value
    at.text_input(key=f"{KEY}_name").set_value("Berlin")
    prefix = f"{KEY}_add_{KIND}"
    at.text_input(key=f"{prefix}_host").set_value("smpp.example.com")
    at.text_input(key=f"{prefix}_password_0").set_value(SECRET)
    at.toggle(key=f"{prefix}_tls").set_value(True)
    at.selectbox(key=f"{prefix}_mode").set_value("send")
    at.checkbox(key=f"{prefix}_resumes").uncheck()
    at.number_input(key=f"{prefix}_rate").set_value(50)
    at.button(key=f"{KEY}_add_save_and_test").click().run()
    assert not at.exception
    assert not at.error
    found = keyed.app.accounts.setting_up.get(viewer, "Berlin")
    assert found.settings == {"host": "smpp.example.com", "port": 2775, "tls": True, "certificate": "", "mode": "send"}
    assert not found.resumes
    assert found.rate_tps == 50
    assert "Provider – at most 50\u00a0segments per second" in [caption.value for caption in at.caption]
    assert kind.tested == [opened(keyed, "Berlin")]
    assert "The provider answers" in at.success[0].value
    assert at.code[0].value == keyed.app.accounts.setting_up.get_callback_url(viewer, "Berlin")


# What each kind cannot do without.
REAL = {
    "smpp": {"host": "smpp.example.com", "system_id": "me", "password": "p"},
    "mitto": {"api_key": "k"},
    "twilio": {"account_sid": "AC1", "auth_token": "t"},
    "vonage": {"api_key": "abcd1234", "api_secret": "s"},
    "infobip": {"url": "https://x.api.infobip.com", "api_key": "k"},
    "generic": {"url": "https://sms.example.com", "body": '{"to": "{to}"}'},
}


def test_every_kind_is_known_here() -> None:
    assert {name for name, each in registry.KINDS.items() if not each.is_built_in} == {*REAL, KIND}


@pytest.mark.parametrize("name", REAL)
def test_each_kind_is_set_up_by_its_own_form(keyed: House, name: str) -> None:
    viewer = keyed.sign_in()
    at = keyed.open(KEY)
    at.button(key=f"{KEY}_add").click().run()
    at.selectbox(key=f"{KEY}_kind").set_value(name).run()
    at.text_input(key=f"{KEY}_name").set_value("Berlin")
    secrets = {each.name for each in registry.KINDS[name].form if each.kind is FieldKind.SECRET}
    long_texts = {each.name for each in registry.KINDS[name].form if each.kind is FieldKind.LONG_TEXT}
    for field, value in REAL[name].items():
        draw = at.text_area if field in long_texts else at.text_input
        draw(key=f"{KEY}_add_{name}_{field}" + "_0" * (field in secrets)).set_value(value)
    at.button(key=f"{KEY}_add_save").click().run()
    assert not at.exception
    assert not at.error
    found = keyed.app.accounts.setting_up.get(viewer, "Berlin")
    assert {field: found.settings[field] for field in REAL[name] if field not in secrets}.items() <= REAL[name].items()
    assert found.secrets_set == secrets & REAL[name].keys()
    # It can be built, and heard, as it is.
    assert keyed.app.accounts.gateways.get("Berlin").name == "Berlin"
    keyed.app.sending.callbacks.look()
    token = keyed.app.accounts.setting_up.get_callback_url(viewer, "Berlin").rpartition("/")[2]
    assert (keyed.app.sending.callbacks.find(token) is not None) == registry.KINDS[name].hears_callbacks


def test_a_limit_is_set_and_taken_away(keyed: House, viewer: Viewer) -> None:
    for rate_tps in (50, None):
        at = panel(keyed)
        at.number_input(key=f"{KEY}_Berlin *1*_rate").set_value(rate_tps)
        at.button(key=f"{KEY}_save").click().run()
        assert keyed.app.accounts.setting_up.get(viewer, "Berlin *1*").rate_tps == rate_tps


def test_secrets_are_written_and_never_shown(keyed: House, viewer: Viewer) -> None:
    at = panel(keyed)
    prefix = f"{KEY}_Berlin *1*"
    field = at.text_input(key=f"{prefix}_password_0")
    assert (field.value, field.placeholder) == ("", "Set. Leave it empty to keep it.")
    assert at.text_input(key=f"{prefix}_signing_key_0").placeholder == ""
    assert f"{prefix}_password_forget" not in {box.key for box in at.checkbox}
    at.text_input(key=f"{prefix}_signing_key_0").set_value("sign-Geheimnis")
    at.button(key=f"{KEY}_save").click().run()
    assert opened(keyed).secrets == {"password": SECRET, "signing_key": "sign-Geheimnis"}
    assert at.text_input(key=f"{prefix}_signing_key_1").value == ""
    assert any("Secrets were last set on" in each.value for each in at.caption)
    for hidden in (SECRET, "sign-Geheimnis"):
        assert hidden not in str(at)
    at.checkbox(key=f"{prefix}_signing_key_forget").check()
    at.button(key=f"{KEY}_save").click().run()
    assert opened(keyed).secrets == {"password": SECRET}


def test_what_is_wrong_stands_above_the_buttons_in_sight(keyed: House, viewer: Viewer) -> None:
    adding = keyed.open(KEY)
    adding.button(key=f"{KEY}_add").click().run()
    adding.button(key=f"{KEY}_add_save").click().run()
    changing = panel(keyed)
    changing.text_input(key=f"{KEY}_Berlin *1*_host").set_value("")
    changing.button(key=f"{KEY}_save").click().run()
    for at, save in ((adding, f"{KEY}_add_save"), (changing, f"{KEY}_save")):
        places = {getattr(each, "key", None) or each.type: place for place, each in enumerate(at._tree)}
        assert places["error"] < places[save]


def test_a_test_that_fails_says_why_and_what_is_typed_stays(keyed: House, viewer: Viewer, kind: FakeKind) -> None:
    kind.fault = Unavailable("smpp.example.com refuses the connection.", gateway="Berlin *1*")
    at = panel(keyed, "test")
    assert "refuses the connection" in at.error[0].value
    kind.fault = None
    at.number_input(key=f"{KEY}_Berlin *1*_port").set_value(2776)
    at.button(key=f"{KEY}_save_and_test").click().run()
    assert not at.error
    assert kind.tested[-1].settings["port"] == 2776
    # It is of this one alone.
    assert not panel(keyed, row=1).success


def test_nothing_is_tested_that_nobody_asked_to_test(keyed: House, viewer: Viewer, kind: FakeKind) -> None:
    at = panel(keyed)
    at.button(key=f"{KEY}_save").click().run()
    assert kind.tested == []
    assert not at.success


def test_what_cannot_be_used_is_explained_and_the_panel_stays(keyed: House, viewer: Viewer) -> None:
    at = panel(keyed)
    at.text_input(key=f"{KEY}_Berlin *1*_host").set_value("")
    at.button(key=f"{KEY}_save").click().run()
    assert "Host is missing" in at.error[0].value
    assert f"{KEY}_save" in keys(at)
    assert opened(keyed).settings["host"] == "smpp.example.com"


def test_a_new_address_takes_the_place_of_the_old(keyed: House, viewer: Viewer) -> None:
    at = panel(keyed)
    before = at.code[0].value
    at.button(key=f"{KEY}_renew_ok").click().run()
    assert not at.exception
    assert at.code[0].value == opened(keyed).callback_url != before


@pytest.mark.parametrize("public_url", ["", "http://sms.example.com"])
def test_an_address_that_no_provider_can_reach_is_said(tmp_path: Path, public_url: str) -> None:
    with open_house(tmp_path, secret_key=make_key(), public_url=public_url) as house:
        viewer = house.sign_in()
        house.app.accounts.setting_up.create(viewer, "Berlin", KIND, GatewayForm(VALUES), datetime.now(UTC))
        at = panel(house)
        assert at.code[0].value.startswith(f"{house.app.settings.address}/callbacks/")
        assert any("PUBLIC_URL" in each.value for each in at.warning) is not bool(public_url)


def test_one_that_fails_says_why_and_since_when(keyed: House, viewer: Viewer) -> None:
    with keyed.app.state.write() as session:
        at_that_time = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        fault = "It refuses <b>everything</b>."
        gateways.set_failing(session, "Berlin *1*", fault, at_that_time, needs_person=False)
    at = panel(keyed)
    assert "everything" in at.error[0].value
    assert "<b>" not in at.error[0].value
    assert "01/03/2026" in at.error[0].value.replace("\\", "")
    assert table(at)["Status"].iloc[0] == ["Failing"]


def test_one_is_deleted_after_ok_unless_somebody_uses_it(keyed: House, viewer: Viewer) -> None:
    account_id = keyed.app.accounts.managing.list_accounts(viewer)[0].account_id
    settings = AccountSettings("simulator", 5, None, "Berlin *1*")
    keyed.app.accounts.managing.change(viewer, account_id, settings, datetime.now(UTC))
    at = panel(keyed, "delete")
    at.button(key=f"{KEY}_delete_ok").click().run()
    assert "is used by Simulator" in at.error[0].value.replace("\\", "")
    keyed.app.accounts.managing.change(viewer, account_id, AccountSettings("simulator", 5), datetime.now(UTC))
    at = panel(keyed, "delete")
    assert len(table(at)) == 2
    at.button(key=f"{KEY}_delete_ok").click().run()
    assert not at.error
    assert list(table(at)["Gateway"]) == ["simulator"]


def test_without_a_key_it_says_who_can_help(house: House) -> None:
    administrator = house.sign_in()
    at = house.open(KEY)
    at.button(key=f"{KEY}_add").click().run()
    assert "HELIOGRAPH_SECRET_KEY" in at.warning[0].value
    # The simulator asks for none.
    at = panel(house)
    at.checkbox(key=f"{KEY}_simulator_resumes").uncheck()
    at.button(key=f"{KEY}_save").click().run()
    assert not at.error
    assert not house.app.accounts.setting_up.get(administrator, "simulator").resumes


def test_a_kind_that_this_version_does_not_know_is_said(
    keyed: House, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(registry.KINDS, KIND)
    at = panel(keyed)
    assert any("does not know" in each.value for each in at.warning)
    assert f"{KEY}_save" not in keys(at)
    assert table(at)["Kind"].iloc[0] == KIND


def captions(at: AppTest) -> str:
    return "\n".join(caption.value for caption in at.caption).replace("\u00a0", " ")


def test_what_came_for_nobody_is_shown_in_the_panel(keyed: House, viewer: Viewer) -> None:
    said = captions(panel(keyed))
    assert "Nothing in the last 30 days. A receipt for which there is no message is shown 3 days after it came" in said
    with keyed.app.state.write() as session:
        receipts.add_receipts(session, [make_receipt(gateway="Berlin *1*")], datetime.now(UTC))
        (waiting,) = list_inbox(session, datetime.now(UTC), 10)
        receipts.postpone(session, [waiting.receipt_id], 0, datetime.now(UTC))
    said = captions(panel(keyed))
    assert "1 receipt waits for a message. Those that have found none after 3 days are shown here." in said
    assert "Nothing in the last 30 days" not in said
    came = Stray("Berlin *1*", StrayReason.NO_ID, "stat:DELIVRD", datetime.now(UTC), "+491796548754", "HELIOGRAPH")
    keyed.app.sending.strays.keep([came])
    at = panel(keyed)
    assert not at.exception
    assert [code.value for code in at.code if "DELIVRD" in code.value] == ["stat:DELIVRD"]
    assert any("Receipt without an ID" in item.value for item in at.markdown)
