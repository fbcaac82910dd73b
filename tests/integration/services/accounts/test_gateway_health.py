"""A gateway that fails: its campaigns wait and go on, or go by another one, and nobody is sent to twice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.gateways.gateways import GatewayStatus
from core.domain.gateways.sights import InUse, LinkState, LinkStatus
from core.domain.messages.messages import OutboundMessage, SubmitOutcome, SubmitResult
from core.errors import BadCredentials, GatewayError, InvalidTransition, Unavailable
from core.services.accounts.encryption import make_key
from core.services.accounts.gateway_health import LASTED, LOOK
from core.services.accounts.managing_accounts import AccountSettings
from core.services.accounts.setting_up_gateways import GatewayForm
from core.services.sending import batches
from core.state.accounts import gateways
from core.state.accounts.gateways import PROBE_FIRST, PROBE_MOST, find_pause
from tests.support.application.house import House, contacts, make_house
from tests.support.fakes.fake_gateway import KIND, VALUES, FakeKind

COUNT = 60
DOWN = Unavailable("Nothing listens at smpp.example.com, port 2775.", gateway="Berlin")
LOCKED = BadCredentials("The password is wrong.", gateway="Berlin")


class Switchable:
    """Takes everything while it is *up*; raises *error* while it is not."""

    window = 20
    per_request = 1

    def __init__(self, name: str, error: GatewayError | None = None) -> None:
        self.name = name
        self.error = error
        self.receivers: list[str] = []
        self.status: LinkStatus | None = None
        self.after = 0

    def submit(self, messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        if self.error and len(self.receivers) >= self.after:
            raise self.error
        self.receivers += [each.msisdn for each in messages]
        return [
            SubmitResult(each.message_id, SubmitOutcome.ACCEPTED, now, gateway_message_id=each.message_id)
            for each in messages
        ]

    def links(self) -> tuple[LinkState, ...]:
        return (LinkState(1, self.status, datetime.min),) if self.status else ()

    def in_use(self) -> InUse:
        return InUse()

    def keep_open(self) -> None: ...

    def try_now(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def no_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "NAP_MAX_S", 0.001)


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> FakeKind:
    kind = FakeKind()
    kind.register(monkeypatch)
    return kind


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def keyed(request: pytest.FixtureRequest, tmp_path: Path, kind: FakeKind) -> Iterator[House]:
    """A house with two gateways, Berlin and Paris; Berlin is the account's."""
    url = request.getfixturevalue("new_state_database")() if request.param == "postgres" else ""
    house = make_house(tmp_path, database_url=url, secret_key=make_key())
    for name in ("Berlin", "Paris"):
        add_gateway(house, name)
    use(house, "Berlin")
    yield house
    house.app.close()


def add_gateway(house: House, name: str, *, resumes: bool = True) -> None:
    form = GatewayForm(VALUES, resumes=resumes)
    house.app.accounts.setting_up.create(house.viewer, name, KIND, form, house.now)


def use(house: House, gateway: str, fallback: str = "") -> None:
    settings = AccountSettings(gateway, 1_000_000, fallback_gateway=fallback)
    house.app.accounts.managing.change(house.viewer, house.account.account_id, settings, house.now)


def put(house: House, gateway: Switchable) -> Switchable:
    house.app.accounts.gateways.get(gateway.name).gateway = gateway
    return gateway


def ticking(house: House) -> Callable[[], datetime]:
    def clock() -> datetime:
        # Time goes on with each look at it.
        house.now += timedelta(seconds=0.2)
        return house.now

    return clock


def launch(house: House) -> str:
    campaign_id = house.launch(house.upload(contacts(COUNT)).list_id).campaign_id
    house.app.campaigns.launching.freeze(campaign_id, house.clock)
    return campaign_id


def send(house: House, campaign_id: str) -> None:
    """Work on the campaign until it is no longer being sent."""
    while house.campaign(campaign_id).status is CampaignStatus.ACTIVE:
        house.app.sending.submitting.run(campaign_id, ticking(house))


def probe(house: House) -> None:
    """Let a worker look whether gateways that fail are back, once it is time to."""
    house.now += PROBE_FIRST
    house.app.sending.health.probe(house.clock)


def status_of(house: House, name: str) -> GatewayStatus:
    return house.app.accounts.setting_up.get(house.viewer, name).status


def test_an_outage_that_lasts_lets_the_campaign_wait_and_go_on_by_itself(keyed: House, kind: FakeKind):
    house, berlin = keyed, put(keyed, Switchable("Berlin", DOWN))
    berlin.after = 20
    campaign_id, began = launch(house), house.now
    send(house, campaign_id)
    campaign = house.campaign(campaign_id)
    assert campaign.status is CampaignStatus.PAUSED
    assert house.now - began >= LASTED
    assert campaign.fault == (
        f"The gateway Berlin takes no messages just now. {DOWN.message}\n"
        "Sending goes on by itself when the gateway is back."
    )
    assert status_of(house, "Berlin") is GatewayStatus.FAILING
    kind.fault = Unavailable("Still nothing.", gateway="Berlin")
    probe(house)
    assert house.campaign(campaign_id).status is CampaignStatus.PAUSED
    kind.fault, berlin.error = None, None
    probe(house)
    assert status_of(house, "Berlin") is GatewayStatus.WORKING
    send(house, campaign_id)
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED
    assert len(berlin.receivers) == len(set(berlin.receivers)) == COUNT


def test_a_short_outage_is_nobodys_business(keyed: House):
    house, berlin = keyed, put(keyed, Switchable("Berlin", DOWN))
    campaign_id, clock, began = launch(house), ticking(keyed), keyed.now

    def run_until(over: timedelta) -> None:
        while house.now - began < over:
            house.app.sending.submitting.run(campaign_id, clock)

    run_until(LASTED / 2)
    berlin.error = None
    send(house, campaign_id)
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED
    assert status_of(house, "Berlin") is GatewayStatus.WORKING


def test_a_message_without_an_answer_does_not_say_that_the_gateway_works(keyed: House):
    house = keyed

    class Trying(Switchable):
        """Gives no answers, and is asked one message now and then."""

        asked = 0

        def submit(self, messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
            self.asked += 1
            if self.asked % 3:
                raise DOWN
            rest = [SubmitResult(each.message_id, SubmitOutcome.THROTTLED, now) for each in messages[1:]]
            return [SubmitResult(messages[0].message_id, SubmitOutcome.UNKNOWN, now), *rest]

    put(house, Trying("Berlin"))
    campaign_id = launch(house)
    send(house, campaign_id)
    assert house.campaign(campaign_id).status is CampaignStatus.PAUSED
    assert DOWN.message in house.campaign(campaign_id).fault


def test_its_own_connections_tell_that_it_is_back(keyed: House, kind: FakeKind):
    house, berlin = keyed, put(keyed, Switchable("Berlin", DOWN))
    campaign_id = launch(house)
    send(house, campaign_id)
    berlin.status, kind.fault = LinkStatus.WAITING, None
    probe(house)
    # A new connection might be one more than the provider allows.
    assert kind.tested == []
    assert status_of(house, "Berlin") is GatewayStatus.FAILING
    berlin.status = LinkStatus.BOUND
    probe(house)
    assert status_of(house, "Berlin") is GatewayStatus.WORKING


def test_of_two_that_take_nothing_the_first_is_asked(house: House):
    health = house.app.sending.health
    assert health.choose("Berlin", "Oslo", house.now) == "Berlin"
    health.refused("Berlin", "Nothing listens.", house.now, needs_person=False)
    assert health.choose("Berlin", "Oslo", house.now) == "Oslo"
    health.refused("Oslo", "Nothing listens.", house.now, needs_person=False)
    assert health.choose("Berlin", "Oslo", house.now) == "Berlin"


def test_of_several_workers_one_looks_whether_it_is_back(keyed: House, kind: FakeKind, monkeypatch: pytest.MonkeyPatch):
    house, berlin = keyed, put(keyed, Switchable("Berlin", DOWN))
    send(house, launch(house))

    def look_twice() -> tuple[LinkState, ...]:
        # Another worker's turn comes while this one looks.
        monkeypatch.setattr(berlin, "links", tuple)
        house.app.sending.health.probe(house.clock)
        return ()

    kind.fault = DOWN
    monkeypatch.setattr(berlin, "links", look_twice)
    probe(house)
    assert len(kind.tested) == 1
    probe(house)
    assert len(kind.tested) == 2


def test_what_a_person_has_to_see_to_waits_for_one(keyed: House, kind: FakeKind):
    house, berlin = keyed, put(keyed, Switchable("Berlin", LOCKED))
    campaign_id = launch(house)
    send(house, campaign_id)
    assert house.campaign(campaign_id).fault == (
        "The gateway Berlin takes no messages just now. The password is wrong.\n"
        "An administrator has to see to the gateway; then resume sending."
    )
    probe(house)
    assert kind.tested == []
    assert house.campaign(campaign_id).status is CampaignStatus.PAUSED
    berlin.error = None
    # A test that succeeds is seeing to it.
    house.app.accounts.setting_up.test_connection(house.viewer, "Berlin", house.now)
    assert house.campaign(campaign_id).status is CampaignStatus.ACTIVE


def test_that_somebody_answers_is_not_seeing_to_it_where_a_test_proves_no_more(
    keyed: House, kind: FakeKind, monkeypatch: pytest.MonkeyPatch
):
    house = keyed
    put(house, Switchable("Berlin", LOCKED))
    campaign_id = launch(house)
    send(house, campaign_id)
    kind.proves_credentials = False
    kind.register(monkeypatch)
    house.app.accounts.setting_up.test_connection(house.viewer, "Berlin", house.now)
    assert house.campaign(campaign_id).status is CampaignStatus.PAUSED
    assert status_of(house, "Berlin") is GatewayStatus.FAILING
    # Who resumes the campaign tries it.
    house.app.campaigns.controlling.resume(house.viewer, campaign_id, house.now)
    assert house.campaign(campaign_id).status is CampaignStatus.ACTIVE


def test_who_chose_so_resumes_by_hand(keyed: House, kind: FakeKind):
    house = keyed
    add_gateway(house, "Rome", resumes=False)
    use(house, "Rome")
    put(house, Switchable("Rome", DOWN))
    campaign_id = launch(house)
    send(house, campaign_id)
    assert house.campaign(campaign_id).fault.endswith("Resume sending when the gateway is back.")
    probe(house)
    assert status_of(house, "Rome") is GatewayStatus.WORKING
    assert house.campaign(campaign_id).status is CampaignStatus.PAUSED
    house.app.campaigns.controlling.resume(house.viewer, campaign_id, house.now)
    assert house.campaign(campaign_id).status is CampaignStatus.ACTIVE


@pytest.mark.parametrize("act", ["cancel", "resume and pause"])
def test_a_persons_word_is_the_last_one(keyed: House, kind: FakeKind, act: str):
    house = keyed
    put(house, Switchable("Berlin", DOWN))
    campaign_id = launch(house)
    send(house, campaign_id)
    controlling = house.app.campaigns.controlling
    if act == "cancel":
        controlling.cancel(house.viewer, campaign_id, house.now)
    else:
        controlling.resume(house.viewer, campaign_id, house.now)
        controlling.pause(house.viewer, campaign_id, house.now)
    before = house.campaign(campaign_id).status
    probe(house)
    assert house.campaign(campaign_id).status is before
    if act == "cancel":
        with pytest.raises(InvalidTransition):
            controlling.resume(house.viewer, campaign_id, house.now)


@pytest.mark.parametrize("error", [DOWN, LOCKED])
def test_what_the_first_certainly_did_not_take_goes_by_the_second(keyed: House, error: GatewayError):
    house = keyed
    use(house, "Berlin", "Paris")
    berlin, paris = put(house, Switchable("Berlin", error)), put(house, Switchable("Paris"))
    berlin.after = 20
    campaign_id = launch(house)
    send(house, campaign_id)
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED
    assert (len(berlin.receivers), len(paris.receivers)) == (20, COUNT - 20)
    assert not set(berlin.receivers) & set(paris.receivers)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.sent_count, found.unknown_count, found.balances) == (COUNT, 0, True)


def test_what_is_unknown_goes_by_no_other(keyed: House):
    house = keyed
    use(house, "Berlin", "Paris")
    paris = put(house, Switchable("Paris"))

    class Silent(Switchable):
        def submit(self, messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
            return [replace(each, outcome=SubmitOutcome.UNKNOWN) for each in super().submit(messages, now, *rest)]

    put(house, Silent("Berlin"))
    campaign_id = launch(house)
    send(house, campaign_id)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.unknown_count, paris.receivers) == (COUNT, [])


def test_with_both_gone_the_campaign_waits_and_says_why(keyed: House, kind: FakeKind):
    house = keyed
    use(house, "Berlin", "Paris")
    put(house, Switchable("Berlin", DOWN))
    put(house, Switchable("Paris", DOWN))
    campaign_id = launch(house)
    send(house, campaign_id)
    assert house.campaign(campaign_id).status is CampaignStatus.PAUSED
    assert DOWN.message in house.campaign(campaign_id).fault


def test_campaigns_of_other_gateways_go_on(keyed: House):
    house = keyed
    with house.app.state.write() as session:
        gateways.set_failing(session, "Paris", "Nothing listens.", house.now, needs_person=True)
    berlin = put(house, Switchable("Berlin"))
    campaign_id = launch(house)
    house.app.sending.health.refused("Paris", "Nothing listens.", house.now, needs_person=True)
    send(house, campaign_id)
    assert len(berlin.receivers) == COUNT


class Answering(Switchable):
    """Connects to whoever asks, and answers no message unless it *answers*."""

    answers = False

    def submit(self, messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        if self.answers:
            return super().submit(messages, now, *rest)
        raise DOWN


def test_one_that_connects_and_takes_nothing_is_tried_ever_less_often(keyed: House, kind: FakeKind):
    house, berlin = keyed, Answering("Berlin")
    put(house, berlin)
    campaign_id = launch(house)
    pauses = list[timedelta]()
    for _ in range(5):
        send(house, campaign_id)
        began = house.now
        while house.campaign(campaign_id).status is CampaignStatus.PAUSED:
            probe(house)
        pauses.append(house.now - began)
    # Every time it is longer, by about as much again.
    assert all(later > earlier * 1.5 for earlier, later in pairwise(pauses))
    assert find_pause(5) == PROBE_FIRST * 32
    assert find_pause(1_000) == PROBE_MOST
    berlin.answers = True
    send(house, campaign_id)
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED
    # What has taken messages begins anew.
    house.app.sending.health.refused("Berlin", DOWN.message, house.now, needs_person=True)
    assert house.app.accounts.setting_up.get(house.viewer, "Berlin").probe_at == house.now + PROBE_FIRST


def test_a_test_that_goes_well_is_known_to_workers_that_send(keyed: House, kind: FakeKind):
    house, tried = keyed, list[str]()
    berlin = put(house, Switchable("Berlin"))
    berlin.try_now = lambda: tried.append("Berlin")
    send(house, launch(house))
    assert tried == []
    house.app.accounts.setting_up.test_connection(house.viewer, "Berlin", house.now)
    house.now += LOOK
    house.app.sending.health.choose("Berlin", "", house.now)
    house.app.sending.health.choose("Berlin", "", house.now)
    assert tried == ["Berlin"]


def test_the_time_of_the_next_look_is_put_off_while_it_fails(keyed: House, kind: FakeKind):
    house = keyed
    put(house, Switchable("Berlin", DOWN))
    send(house, launch(house))
    kind.fault = DOWN
    house.app.sending.health.probe(house.clock)
    assert kind.tested == []
    probe(house)
    assert len(kind.tested) == 1
    assert house.app.accounts.setting_up.get(house.viewer, "Berlin").probe_at == house.now + PROBE_FIRST
    # A clock that is set back does not put it off until the old time returns.
    house.now -= timedelta(days=1)
    probe(house)
    assert len(kind.tested) == 2
