"""Setting up gateways: what is kept, what is refused, and what follows."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from core.domain.accounts.accounts import AccountType
from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.gateways.gateways import GatewayStatus
from core.domain.gateways.sights import Standing
from core.domain.messages.messages import OutboundMessage
from core.domain.reports.audit import Action, AuditFilter
from core.errors import Conflict, InvalidInput, NotFound, Unavailable
from core.services.accounts.encryption import make_key
from core.services.accounts.managing_accounts import AccountSettings, NewAccount
from core.services.accounts.setting_up_gateways import GatewayForm, SettingUpGateways
from core.state.campaigns import campaigns, ledger, receipts
from core.state.campaigns.ledger import Claim
from tests.support.application.factories import make_campaign, make_receipt
from tests.support.application.house import House, contacts, make_house
from tests.support.fakes.fake_gateway import KIND, VALUES, FakeGateway, FakeKind
from tests.support.stores.inbox import list_inbox

FORM = GatewayForm(VALUES)


@pytest.fixture(autouse=True)
def kind(monkeypatch: pytest.MonkeyPatch) -> FakeKind:
    made = FakeKind()
    made.register(monkeypatch)
    return made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path, secret_key=make_key())
    yield made
    made.app.close()


@pytest.fixture
def setting_up(house: House) -> SettingUpGateways:
    made = house.app.accounts.setting_up
    made.create(house.viewer, "Berlin", KIND, FORM, house.now)
    return made


def entries(house: House, action: Action) -> list[tuple[str, dict[str, str]]]:
    found = house.app.reports.auditing.page(house.viewer, AuditFilter(action=action), 1, 10).items
    return [(entry.subject.name, dict(entry.details)) for entry in found]


def use(house: House, gateway: str, fallback_gateway: str = "") -> None:
    settings = AccountSettings(gateway, 1_000_000, fallback_gateway=fallback_gateway)
    house.app.accounts.managing.change(house.viewer, house.account.account_id, settings, house.now)


def test_a_gateway_is_set_up_with_defaults_and_listed_with_who_uses_it(house: House, setting_up: SettingUpGateways):
    found = setting_up.get(house.viewer, "Berlin")
    assert found.settings == {
        "host": "smpp.example.com",
        "port": 2775,
        "tls": False,
        "certificate": "",
        "mode": "both",
    }
    assert (found.secrets_set, found.secrets_at, found.created_at) == ({"password"}, house.now, house.now)
    assert (found.rate_tps, found.resumes, found.status, found.version) == (None, True, GatewayStatus.WORKING, 1)
    use(house, "Berlin", "simulator")
    listed = {each.setup.name: (each.title, each.account_names) for each in setting_up.list_gateways(house.viewer)}
    assert listed == {"Berlin": ("Provider", ("Simulator",)), "simulator": ("Simulator", ("Simulator",))}
    assert entries(house, Action.GATEWAY_CREATED) == [("Berlin", {"kind": "Provider"})]


@pytest.mark.parametrize(
    ("name", "kind_name", "form", "field"),
    [
        ("ab", KIND, FORM, "name"),
        ("x" * 41, KIND, FORM, "name"),
        ("BERLIN", KIND, FORM, "name"),
        ("Munich", "pigeon", FORM, "kind"),
        # There is one, and never another.
        ("Munich", "simulator", GatewayForm({}), "kind"),
        ("Munich", KIND, GatewayForm({"password": "x"}), "host"),
        ("Munich", KIND, GatewayForm({"host": "x"}), "password"),
        ("Munich", KIND, GatewayForm(VALUES | {"port": 0}), "port"),
        ("Munich", KIND, GatewayForm(VALUES, rate_tps=0), "rate"),
    ],
)
def test_what_cannot_be_used_is_refused(
    house: House, setting_up: SettingUpGateways, name: str, kind_name: str, form: GatewayForm, field: str
):
    with pytest.raises(InvalidInput) as caught:
        setting_up.create(house.viewer, name, kind_name, form, house.now)
    assert caught.value.field == field
    assert caught.value.hint
    assert len(setting_up.list_gateways(house.viewer)) == 2


def test_changes_are_kept_said_and_noticed(house: House, setting_up: SettingUpGateways):
    form = GatewayForm({"host": "other.example.com", "tls": True, "certificate": "PEM"}, rate_tps=50, resumes=False)
    found = setting_up.change(house.viewer, "Berlin", form, house.now)
    assert (found.settings["host"], found.settings["tls"], found.version) == ("other.example.com", True, 2)
    assert (found.rate_tps, found.resumes, found.secrets_set) == (50, False, {"password"})
    assert house.app.accounts.connecting.open_connection("Berlin").secrets == {"password": VALUES["password"]}
    assert entries(house, Action.GATEWAY_CHANGED) == [
        (
            "Berlin",
            {
                "Host": "smpp.example.com → other.example.com",
                "Encrypted": "no → yes",
                "CA certificate": "changed",
                "segments per second": "none → 50",
                "resumes by itself": "yes → no",
            },
        )
    ]
    # The same again is none.
    assert setting_up.change(house.viewer, "Berlin", form, house.now) == found
    assert len(entries(house, Action.GATEWAY_CHANGED)) == 1


def test_nobody_is_disconnected_for_a_rate(house: House, setting_up: SettingUpGateways):
    found = setting_up.change(house.viewer, "Berlin", GatewayForm(VALUES | {"password": ""}, rate_tps=5), house.now)
    assert (found.rate_tps, found.version) == (5, 1)


def test_a_secret_is_replaced_or_deleted_and_one_that_is_needed_is_not(house: House, setting_up: SettingUpGateways):
    given = GatewayForm({"host": "smpp.example.com", "signing_key": "sign"})
    assert setting_up.change(house.viewer, "Berlin", given, house.now).secrets_set == {"password", "signing_key"}
    gone = GatewayForm({"host": "smpp.example.com"}, forgotten=frozenset({"signing_key"}))
    found = setting_up.change(house.viewer, "Berlin", gone, house.now)
    assert (found.secrets_set, found.version) == ({"password"}, 3)
    assert entries(house, Action.GATEWAY_CHANGED)[0] == ("Berlin", {"Signing key": "deleted"})
    gone = GatewayForm({"host": "smpp.example.com"}, forgotten=frozenset({"password"}))
    with pytest.raises(InvalidInput, match="Password is missing"):
        setting_up.change(house.viewer, "Berlin", gone, house.now)


def claim_one(session: Session, house: House, gateway: str) -> str:
    """Claim a message for the gateway; return its batch."""
    sent = make_campaign(account_id=house.account.account_id, status=CampaignStatus.ACTIVE, lists=())
    campaigns.add_campaign(session, sent)
    ledger.add_batches(session, sent.campaign_id, [(1, 1)])
    batch = ledger.lease_batch(session, sent.campaign_id, "one", house.now, house.now)
    assert batch is not None
    ledger.claim(session, batch, [Claim("message-1", "+491796000001", gateway)], house.now)
    return batch.batch_id


def test_one_that_is_used_stays(house: House, setting_up: SettingUpGateways):
    for gateways in (("Berlin", ""), ("simulator", "Berlin")):
        use(house, *gateways)
        with pytest.raises(Conflict, match="used by Simulator"):
            setting_up.delete(house.viewer, "Berlin", house.now)
    use(house, "simulator")
    with house.app.state.write() as session:
        receipts.add_receipts(session, [make_receipt(gateway="Berlin")], house.now)
    with pytest.raises(Conflict, match="still being processed"):
        setting_up.delete(house.viewer, "Berlin", house.now)
    with house.app.state.write() as session:
        (waiting,) = list_inbox(session, house.now, 10)
        receipts.delete_receipts(session, [waiting.receipt_id])
        batch_id = claim_one(session, house, "Berlin")
    with pytest.raises(Conflict, match="still being processed"):
        setting_up.delete(house.viewer, "Berlin", house.now)
    with house.app.state.write() as session:
        ledger.settle_batch(session, batch_id)
    setting_up.delete(house.viewer, "Berlin", house.now)
    assert [each.setup.name for each in setting_up.list_gateways(house.viewer)] == ["simulator"]
    assert entries(house, Action.GATEWAY_DELETED) == [("Berlin", {})]
    with pytest.raises(NotFound):
        setting_up.delete(house.viewer, "Berlin", house.now)
    with pytest.raises(InvalidInput, match="Berlin"):
        use(house, "Berlin")


def test_the_simulator_is_part_of_heliograph(house: House, setting_up: SettingUpGateways):
    use(house, "Berlin")
    with pytest.raises(InvalidInput, match="part of Heliograph"):
        setting_up.delete(house.viewer, "simulator", house.now)
    assert setting_up.change(house.viewer, "simulator", GatewayForm({}, rate_tps=9), house.now).rate_tps == 9


def test_a_name_is_not_given_to_another_kind(
    house: House, setting_up: SettingUpGateways, monkeypatch: pytest.MonkeyPatch
):
    FakeKind().register(monkeypatch, "another")
    setting_up.delete(house.viewer, "Berlin", house.now)
    with pytest.raises(InvalidInput, match="another kind") as caught:
        setting_up.create(house.viewer, "Berlin", "another", FORM, house.now)
    assert caught.value.field == "name"
    again = setting_up.create(house.viewer, "Berlin", KIND, FORM, house.now)
    assert again.version > 1


def test_a_connection_is_tested_as_it_is_set_up(house: House, setting_up: SettingUpGateways, kind: FakeKind):
    assert setting_up.test_connection(house.viewer, "Berlin", house.now) == "The provider answers."
    assert kind.tested == [house.app.accounts.connecting.open_connection("Berlin")]
    kind.fault = Unavailable("smpp.example.com refuses the connection.", gateway="Berlin")
    with pytest.raises(Unavailable, match="refuses"):
        setting_up.test_connection(house.viewer, "Berlin", house.now)
    assert "leaves this installation" in setting_up.test_connection(house.viewer, "simulator", house.now)
    # Nothing is kept of it.
    assert kind.built == []


def test_a_test_that_failed_is_said_until_it_works_or_is_set_up_otherwise(
    house: House, setting_up: SettingUpGateways, kind: FakeKind
):
    def test() -> tuple[Standing, str]:
        with suppress(Unavailable):
            setting_up.test_connection(house.viewer, "Berlin", house.now)
        found = house.app.accounts.watching.look(house.viewer, "Berlin", house.now)
        return found.standing, found.setup.fault

    refusal = Unavailable("smpp.example.com refuses the connection.", gateway="Berlin")
    kind.fault = refusal
    assert test() == (Standing.TEST_FAILED, refusal.message)
    kind.fault = None
    assert test() == (Standing.WORKING, "")
    setting_up.change(house.viewer, "Berlin", GatewayForm({**VALUES, "port": 9}), house.now)
    kind.fault = refusal
    assert test() == (Standing.TEST_FAILED, refusal.message)
    setting_up.change(house.viewer, "Berlin", GatewayForm({**VALUES, "port": 10}), house.now)
    found = house.app.accounts.watching.look(house.viewer, "Berlin", house.now)
    assert (found.standing, found.setup.fault) == (Standing.NEW, "")
    # A message that it takes says more than a test.
    assert test() == (Standing.TEST_FAILED, refusal.message)
    house.app.accounts.gateways.get("Berlin")
    house.app.accounts.gateway_health.took("Berlin", house.now)
    assert house.app.accounts.watching.look(house.viewer, "Berlin", house.now).setup.fault == ""
    # Nor does a test say anything of one that works.
    assert test() == (Standing.WORKING, "")


def test_a_new_address_ends_the_one_before(house: House, setting_up: SettingUpGateways):
    before = setting_up.get_callback_url(house.viewer, "Berlin")
    after = setting_up.renew_callback(house.viewer, "Berlin", house.now)
    assert setting_up.get_callback_url(house.viewer, "Berlin") == after != before
    callbacks = house.app.sending.callbacks
    callbacks.look()
    assert callbacks.find(before.rpartition("/")[2]) is None
    assert callbacks.find(after.rpartition("/")[2]).gateway == "Berlin"
    # The provider is told the new one with the next message.
    connection = house.app.accounts.connecting.open_connection("Berlin")
    assert (connection.callback_url, connection.version) == (after, 2)
    assert connection.secrets == {"password": VALUES["password"]}
    assert entries(house, Action.CALLBACK_RENEWED) == [("Berlin", {})]


def test_the_audit_keeps_no_query_of_an_address(house: House):
    form = {"url": "https://a.example.com/send?api_key=k-1", "body": '{"to": "{to}"}'}
    house.app.accounts.setting_up.create(house.viewer, "Oslo", "generic", GatewayForm(form), house.now)
    for url in ("https://b.example.com/send?api_key=k-2", "HTTPS://b.example.com/send?api_key=k-3"):
        house.app.accounts.setting_up.change(house.viewer, "Oslo", GatewayForm(form | {"url": url}), house.now)
    assert [details for _, details in entries(house, Action.GATEWAY_CHANGED)] == [
        {"Address": "https://b.example.com/send?… → HTTPS://b.example.com/send?…"},
        {"Address": "https://a.example.com/send?… → https://b.example.com/send?…"},
    ]


def test_an_account_s_fallback_is_another_gateway(house: House, setting_up: SettingUpGateways):
    use(house, "simulator", "Berlin")
    assert house.account.fallback_gateway == "Berlin"
    assert entries(house, Action.ACCOUNT_CHANGED)[0][1] == {"fallback gateway": "none → Berlin"}
    for gateway, fallback, field in (
        ("Berlin", "Berlin", "fallback_gateway"),
        ("simulator", "Munich", "fallback_gateway"),
        ("Munich", "Berlin", "gateway"),
    ):
        with pytest.raises(InvalidInput) as caught:
            use(house, gateway, fallback)
        assert caught.value.field == field
    new = NewAccount("other", "Other", AccountType.CAMPAIGN, AccountSettings("Berlin", 5, None, "simulator"))
    made = house.app.accounts.managing.create(house.viewer, new, house.now)
    assert (made.gateway, made.fallback_gateway) == ("Berlin", "simulator")


@pytest.mark.usefixtures("setting_up")
def test_a_campaign_goes_by_the_gateway_its_account_is_given(house: House, kind: FakeKind):
    use(house, "Berlin")
    campaign = house.launch(house.upload(contacts(5)).list_id)
    house.app.work.run_until_idle(house.clock)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    assert [each.name for each in kind.built] == ["Berlin"]
    with house.app.lake.read() as cursor:
        sent = cursor.execute("SELECT DISTINCT gateway, gateway_message_id[:7] FROM lake.messages").fetchall()
    assert sent == [("Berlin", "theirs-")]
    assert house.simulator.journal.count_accepted() == 0


def test_a_campaign_whose_gateway_cannot_be_opened_pauses_and_says_why(house: House, setting_up: SettingUpGateways):
    use(house, "Berlin")
    campaign = house.launch(house.upload(contacts(5)).list_id)
    with house.app.state.write() as session:
        session.connection().exec_driver_sql("UPDATE gateways SET secrets = 'gAAAAB' WHERE name = 'Berlin'")
    house.app.work.run_until_idle(house.clock)
    found = house.campaign(campaign.campaign_id)
    assert (found.status, "cannot be opened" in found.fault) == (CampaignStatus.PAUSED, True)
    # Nothing was claimed: all of it is sent once that is mended.
    setting_up.change(house.viewer, "Berlin", FORM, house.now)
    house.app.campaigns.controlling.resume(house.viewer, campaign.campaign_id, house.now)
    house.app.work.run_until_idle(house.clock)
    reconciled = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert (reconciled.sent_count, reconciled.unknown_count, reconciled.balances) == (5, 0, True)


def sent_by(house: House) -> dict[str, int]:
    with house.app.lake.read() as cursor:
        return dict(cursor.execute("SELECT gateway, count(*) FROM lake.messages GROUP BY ALL").fetchall())


def test_an_account_given_another_gateway_in_the_middle_sends_the_rest_by_it(
    tmp_path: Path, kind: FakeKind, monkeypatch: pytest.MonkeyPatch
):
    made = make_house(tmp_path / "another", secret_key=make_key(), sub_window=5)
    made.app.accounts.setting_up.create(made.viewer, "Berlin", KIND, FORM, made.now)
    use(made, "Berlin")
    campaign = made.launch(made.upload(contacts(12)).list_id)
    submit = FakeGateway.submit

    def submit_and_change(gateway: FakeGateway, *asked: object) -> object:
        monkeypatch.undo()
        kind.register(monkeypatch)
        results = submit(gateway, *asked)
        use(made, "simulator")
        return results

    monkeypatch.setattr(FakeGateway, "submit", submit_and_change)
    made.app.work.run_until_idle(made.clock)
    assert made.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    # Each is recorded with the one that took it, so that the receipts of both find theirs.
    assert sent_by(made) == {"Berlin": 5, "simulator": 7}
    with made.app.lake.read() as cursor:
        theirs = cursor.execute("SELECT gateway_message_id FROM lake.messages WHERE gateway = 'Berlin'").fetchall()
    told = [make_receipt(gateway="Berlin", gateway_message_id=key, done_at=made.now) for (key,) in theirs]
    with made.app.state.write() as session:
        receipts.add_receipts(session, told, made.now)
    assert made.app.sending.receiving.merge(made.clock).merged_count == 5
    made.app.close()


@pytest.mark.usefixtures("setting_up")
def test_receipts_that_came_early_find_their_messages_whichever_gateway_took_them(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    submit = FakeGateway.submit

    def submit_and_report(
        gateway: FakeGateway, messages: Sequence[OutboundMessage], now: datetime, *rest: object
    ) -> object:
        results = submit(gateway, messages, now, *rest)
        told = [make_receipt(gateway="Berlin", gateway_message_id=each.gateway_message_id) for each in results]
        with house.app.state.write() as session:
            receipts.add_receipts(session, told, now)
        # In vain: its batch is not in history, so it is put off.
        assert house.app.sending.receiving.merge(house.clock).postponed_count == len(told)
        return results

    monkeypatch.setattr(FakeGateway, "submit", submit_and_report)
    use(house, "Berlin")
    house.launch(house.upload(contacts(3)).list_id)
    house.app.work.run_until_idle(house.clock)
    assert house.app.sending.receiving.count_waiting() == 0
    assert house.app.reports.reporting.traffic(house.viewer, house.everything()).delivered == 3
