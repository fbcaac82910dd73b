"""What workers see of their gateways reaches who looks at the page, and is gone when they are."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.gateways.sights import NEWS, InUse, LinkState, LinkStatus, Standing
from core.domain.messages.messages import SubmitOutcome
from core.domain.people.permissions import Permission, Viewer
from core.errors import Forbidden
from core.services.accounts import telling_sights
from core.services.accounts.encryption import make_key
from core.services.accounts.managing_accounts import AccountSettings
from core.services.accounts.setting_up_gateways import GatewayForm
from core.services.accounts.telling_sights import BELIEVED, LOOK_S, RATE_S, REPEAT_S, TellingSights
from core.services.accounts.watching_gateways import LiveGateway, Stuck
from core.services.sending.hearing import Hearing
from core.services.sending.replying import keep_replies
from core.state.accounts import sights
from core.state.campaigns import campaigns
from core.state.engine.store import State
from tests.contract.gateways.gateway_contract import make_outbound
from tests.support.application.factories import make_campaign, make_receipt
from tests.support.application.house import House, make_house
from tests.support.fakes.fake_gateway import KIND, VALUES, FakeGateway, FakeKind


class Steady:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> FakeKind:
    kind = FakeKind()
    kind.register(monkeypatch)
    return kind


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, tmp_path: Path, kind: FakeKind) -> Iterator[House]:
    url = request.getfixturevalue("new_state_database")() if request.param == "postgres" else ""
    house = make_house(tmp_path, database_url=url, secret_key=make_key())
    house.app.accounts.setting_up.create(house.viewer, "Berlin", KIND, GatewayForm(VALUES), house.now)
    yield house
    house.app.close()


@pytest.fixture
def steady() -> Steady:
    return Steady()


def worker(house: House, steady: Steady) -> TellingSights:
    """Return what another process with the same gateways would tell by."""
    accounts = house.app.accounts
    return TellingSights(house.app.state, accounts.gateways, accounts.gateway_health, house.clock, steady)


def inner(house: House) -> FakeGateway:
    found = house.app.accounts.gateways.get("Berlin").gateway
    assert isinstance(found, FakeGateway)
    return found


def tell(house: House, steady: Steady, telling: TellingSights, seconds: float = LOOK_S) -> None:
    steady.now_s += seconds
    house.now += timedelta(seconds=seconds)
    telling.tell_as_worker()


def look(house: House) -> LiveGateway:
    return house.app.accounts.watching.look(house.viewer, "Berlin", house.now)


def bind(monkeypatch: pytest.MonkeyPatch, house: House, *links: LinkState) -> None:
    monkeypatch.setattr(inner(house), "links", lambda: links)


def test_nobody_says_that_it_works_before_it_was_tried(house: House, steady: Steady, monkeypatch: pytest.MonkeyPatch):
    assert (look(house).standing, look(house).worker_count) == (Standing.NEW, 0)
    telling = worker(house, steady)
    bind(monkeypatch, house, LinkState(1, LinkStatus.WAITING, house.now, fault="Nothing listens."))
    tell(house, steady, telling)
    found = look(house)
    assert (found.standing, found.worker_count) == (Standing.UNCONNECTED, 1)
    assert [(each.worker, each.link.fault) for each in found.links] == [(1, "Nothing listens.")]
    bind(monkeypatch, house, LinkState(1, LinkStatus.BOUND, house.now, in_flight=3, window=10))
    tell(house, steady, telling)
    assert look(house).standing is Standing.WORKING
    assert house.app.accounts.watching.list_standings(house.viewer, house.now)["Berlin"] is Standing.WORKING
    # Set up otherwise it has not been tried.
    changed = GatewayForm({**VALUES, "port": 9})
    house.app.accounts.setting_up.change(house.viewer, "Berlin", changed, house.now)
    telling.end()
    assert look(house).standing is Standing.NEW


def test_a_message_that_it_took_proves_it(house: House):
    house.app.accounts.gateways.get("Berlin")
    house.app.accounts.gateway_health.took("Berlin", house.now)
    assert look(house).standing is Standing.WORKING


def test_what_several_workers_see_is_added_up(house: House, steady: Steady, monkeypatch: pytest.MonkeyPatch):
    first, second = worker(house, steady), worker(house, steady)
    link = LinkState(1, LinkStatus.BOUND, house.now, in_flight=3, window=10)
    bind(monkeypatch, house, link)
    monkeypatch.setattr(inner(house), "in_use", lambda: InUse(3, 10))
    house.app.accounts.gateways.tally.note_fault("Berlin", "It said no.", house.now)
    tell(house, steady, first)
    second.tell_as_worker()
    found = look(house)
    assert (found.worker_count, found.in_use) == (2, InUse(6, 20))
    assert [(each.worker, each.link) for each in found.links] == [(1, link), (2, link)]
    assert [fault.text for fault in found.faults] == ["It said no."]


def test_messages_and_receipts_a_second_are_those_of_the_last_seconds(house: House, steady: Steady):
    telling, gateway = worker(house, steady), house.app.accounts.gateways.get("Berlin")
    tally = house.app.accounts.gateways.tally
    tell(house, steady, telling)
    hearing = Hearing(house.app.state, house.clock, keep_replies, tally)
    for _ in range(5):
        results = gateway.submit([replace(make_outbound(), message_id=str(number)) for number in range(40)], house.now)
        assert {result.outcome for result in results} == {SubmitOutcome.ACCEPTED}
        hearing.store([make_receipt(gateway="Berlin")], [])
        tell(house, steady, telling)
    assert (look(house).submitted_per_s, look(house).receipts_per_s) == (20.0, 0.5)
    for _ in range(int(RATE_S / LOOK_S) + 1):
        tell(house, steady, telling)
    assert (look(house).submitted_per_s, look(house).receipts_per_s) == (0.0, 0.0)


def test_what_does_not_change_is_told_seldom(house: House, steady: Steady, monkeypatch: pytest.MonkeyPatch):
    told = list[str]()
    write = sights.write_sight
    monkeypatch.setattr(
        telling_sights.sights, "write_sight", lambda session, sight: (told.append(sight.process), write(session, sight))
    )
    telling = worker(house, steady)
    inner(house)
    for _ in range(int(2 * REPEAT_S / LOOK_S)):
        tell(house, steady, telling)
        telling.tell_as_worker()
    assert len(told) == 2


def test_a_worker_that_is_gone_is_forgotten(house: House, steady: Steady):
    ends, killed = worker(house, steady), worker(house, steady)
    tell(house, steady, ends)
    killed.tell_as_worker()
    assert look(house).worker_count == 2
    ends.end()
    assert look(house).worker_count == 1
    house.now += BELIEVED + timedelta(seconds=1)
    assert look(house).worker_count == 0
    house.now += BELIEVED
    assert house.app.accounts.telling.forget_gone(house.now) == 1
    assert house.app.accounts.telling.forget_gone(house.now) == 0


def test_a_web_process_tells_only_what_comes_to_it(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling_sights, "LOOK_S", 0.001)

    house.now = house.app.clock()

    def rows(state: State) -> int:
        with state.read() as session:
            return len(sights.list_sights(session, house.now - BELIEVED, house.now + BELIEVED))

    telling, times = house.app.accounts.telling, iter(range(0, 100, 2))
    monkeypatch.setattr(telling, "_steady_s", lambda: float(next(times)))
    telling._tell(is_worker=False)
    assert rows(house.app.state) == 0
    house.app.accounts.gateways.tally.count_receipts({"Berlin": 40})
    stop = threading.Event()
    monkeypatch.setattr(telling, "_steady_s", lambda: stop.set() or float(next(times)))
    telling.keep_telling(stop)
    assert rows(house.app.state) == 1
    assert (look(house).worker_count, look(house).receipts_per_s > 0) == (0, True)


def test_a_campaign_whose_gateways_take_nothing_is_known_at_once(house: House, steady: Steady):
    watching, account = house.app.accounts.watching, house.account

    def stuck(viewer: Viewer = house.viewer, *, gateway: str = "", status: CampaignStatus = CampaignStatus.ACTIVE):
        made = make_campaign(campaign_id="c1", account_id=account.account_id, gateway=gateway)
        return watching.list_stuck(viewer, [replace(made, status=status)], house.now)

    use(house, "Berlin")
    inner(house)
    assert stuck() == {}
    house.app.accounts.gateways.tally.note_fault("Berlin", "It said no.", house.now)
    tell(house, steady, worker(house, steady))
    assert stuck() == {"c1": Stuck("Berlin", "It said no.")}
    assert stuck(status=CampaignStatus.PAUSED) == {}
    assert stuck(gateway="simulator") == {}
    # Others' campaigns are not told of.
    assert stuck(replace(house.viewer, account_ids=frozenset())) == {}
    with pytest.raises(Forbidden):
        stuck(replace(house.viewer, permissions=frozenset({Permission.STATISTICS})))
    use(house, "Berlin", "simulator")
    assert stuck() == {}
    # Nothing refuses any more.
    use(house, "Berlin")
    house.now += NEWS
    assert stuck() == {}


def test_the_limit_that_is_told_is_that_of_the_gateway_by_which_messages_go(house: House, steady: Steady):
    telling, health, account = worker(house, steady), house.app.accounts.gateway_health, house.account
    with house.app.state.write() as session:
        campaigns.add_campaign(session, make_campaign(campaign_id="c1", account_id=account.account_id, lists=()))
        to = make_campaign(campaign_id="c2", account_id=account.account_id, lists=(), gateway="Berlin")
        campaigns.add_campaign(session, to)

    def told() -> list[int | None]:
        find = house.app.campaigns.limiting.find
        return [find(house.viewer, each, house.now).rates.gateway_tps for each in ("c1", "c2")]

    house.app.accounts.setting_up.change(house.viewer, "Berlin", GatewayForm(VALUES, rate_tps=70), house.now)
    house.app.accounts.setting_up.change(house.viewer, "simulator", GatewayForm({}, rate_tps=30), house.now)
    use(house, "Berlin")
    inner(house)
    health.refused("Berlin", "It said no.", house.now, needs_person=False)
    tell(house, steady, telling)
    # There is no other.
    assert told() == [70, 70]
    use(house, "Berlin", "simulator")
    # A test of a gateway goes by that one, whatever it takes.
    assert told() == [30, 70]
    house.now += timedelta(seconds=1)
    health.took("Berlin", house.now)
    tell(house, steady, telling)
    assert told() == [70, 70]
    health.refused("Berlin", "It said no.", house.now, needs_person=True)
    assert told() == [30, 70]
    health.refused("simulator", "Nor it.", house.now, needs_person=True)
    assert told() == [70, 70]


def test_one_that_took_nothing_last_is_said_to_whichever_gateway_the_messages_go(house: House, steady: Steady):
    telling, health = worker(house, steady), house.app.accounts.gateway_health
    use(house, "Berlin", "simulator")
    inner(house)
    health.took("Berlin", house.now)
    tell(house, steady, telling)
    assert (look(house).standing, look(house).refused_at, look(house).detours) == (Standing.WORKING, None, ())
    house.now += timedelta(seconds=1)
    refused_at = house.now
    health.refused("Berlin", "It said no.", house.now, needs_person=False)
    tell(house, steady, telling)
    name = house.account.display_name
    found = look(house)
    assert (found.standing, found.refused_at, found.detours) == (Standing.REFUSING, refused_at, ((name, "simulator"),))
    assert house.app.accounts.watching.list_standings(house.viewer, house.now)["Berlin"] is Standing.REFUSING
    # Where the other one takes nothing either, nothing goes by it.
    health.refused("simulator", "Nor it.", house.now, needs_person=True)
    assert look(house).detours == ()
    health.recover("simulator", house.now)
    # A minute later nothing else was tried.
    for _ in range(30):
        tell(house, steady, telling)
    assert look(house).standing is Standing.REFUSING
    health.tested("Berlin", house.now)
    assert (look(house).standing, look(house).detours) == (Standing.WORKING, ())
    house.now += timedelta(seconds=1)
    health.refused("Berlin", "It said no.", house.now, needs_person=False)
    house.now += timedelta(seconds=1)
    health.recover("Berlin", house.now, is_guess=True)
    tell(house, steady, telling)
    assert look(house).standing is Standing.WORKING


def test_campaigns_that_wait_are_named_to_those_in_their_account(house: House):
    with house.app.state.write() as session:
        for number in range(2):
            held = make_campaign(campaign_id=f"c{number}", account_id=house.account.account_id, name=f"Spring {number}")
            campaigns.add_campaign(session, replace(held, status=CampaignStatus.ACTIVE))
            found = campaigns.get_campaign(session, f"c{number}")
            campaigns.move_from(session, found, CampaignStatus.PAUSED, held_by="Berlin")
    assert (look(house).held, look(house).others_held_count) == (("Spring 0", "Spring 1"), 0)
    outside = replace(house.viewer, account_ids=frozenset())
    found = house.app.accounts.watching.look(outside, "Berlin", house.now)
    assert (found.held, found.others_held_count) == ((), 2)


def use(house: House, gateway: str, fallback: str = "") -> None:
    settings = AccountSettings(gateway, 100, fallback_gateway=fallback)
    house.app.accounts.managing.change(house.viewer, house.account.account_id, settings, house.now)
