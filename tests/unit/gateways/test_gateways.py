"""The gateways of a process follow how they are set up."""

import threading
from collections.abc import Mapping

import pytest

from core.config import Settings
from core.domain.gateways.gateways import Connection
from core.domain.gateways.sights import InUse, LinkState, LinkStatus
from core.errors import ConfigurationError, NotFound, StorageError, Unavailable
from core.gateways.gateways import LOOK_S, Gateways
from core.gateways.kinds import GatewayTools
from tests.contract.gateways.gateway_contract import NOW, make_outbound
from tests.support.fakes.fake_gateway import KIND, FakeGateway, FakeKind

# Longer than anything here takes, shorter than anybody waits for a test that hangs.
PATIENCE_S = 30


class SetUp:
    """How gateways are set up, and how often somebody looked."""

    def __init__(self, **versions: int) -> None:
        self.versions: dict[str, int] = versions
        self.look_count = 0
        self.is_away = False
        self.kind = KIND

    def list_versions(self) -> Mapping[str, int]:
        self.look_count += 1
        if self.is_away:
            raise StorageError("The state store does not answer.")
        return dict(self.versions)

    def open_connection(self, name: str) -> Connection:
        if name not in self.versions:
            raise NotFound(f"There is no gateway called {name!r}.")
        return Connection(name, {}, kind=self.kind, version=self.versions[name])


class Steady:
    """A clock in seconds that goes on when it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> FakeKind:
    made = FakeKind()
    made.register(monkeypatch)
    return made


@pytest.fixture
def set_up() -> SetUp:
    return SetUp(berlin=1, munich=1)


@pytest.fixture
def steady() -> Steady:
    return Steady()


@pytest.fixture
def gateways(set_up: SetUp, steady: Steady, kind: FakeKind) -> Gateways:
    assert kind.built == []
    return Gateways(set_up, GatewayTools(Settings(), None, lambda: NOW), steady)


def inner(gateways: Gateways, name: str = "berlin") -> FakeGateway:
    return gateways.get(name).gateway


def change(set_up: SetUp, steady: Steady, name: str = "berlin") -> None:
    """Set it up otherwise, and let the time go by after which that is noticed."""
    set_up.versions[name] += 1
    steady.now_s += LOOK_S


def test_a_gateway_is_built_once(gateways: Gateways, kind: FakeKind):
    assert gateways.get("berlin") is gateways.get("berlin")
    assert gateways.get("munich").name == "munich"
    assert [each.name for each in kind.built] == ["berlin", "munich"]


def test_the_store_is_looked_into_once_a_second_at_most(gateways: Gateways, set_up: SetUp, steady: Steady):
    for _ in range(10):
        gateways.get("berlin")
        gateways.get("munich")
    assert set_up.look_count == 1
    steady.now_s += LOOK_S
    gateways.get("berlin")
    assert set_up.look_count == 2


def test_nobody_looks_where_the_pulse_has_just_looked(gateways: Gateways, set_up: SetUp, steady: Steady):
    for _ in range(3):
        gateways.note(set_up.versions)
        steady.now_s += LOOK_S / 2
        gateways.get("berlin")
    assert set_up.look_count == 0


def test_one_that_is_set_up_otherwise_is_closed_and_built_anew(gateways: Gateways, set_up: SetUp, steady: Steady):
    before, other = inner(gateways), inner(gateways, "munich")
    change(set_up, steady)
    after = inner(gateways)
    assert (before.is_closed, after.is_closed, after.connection.version) == (True, False, 2)
    assert inner(gateways, "munich") is other
    with pytest.raises(Unavailable):
        before.submit([make_outbound()], NOW)


def test_a_new_one_takes_messages_when_the_old_one_has_its_answers(
    gateways: Gateways, set_up: SetUp, steady: Steady, kind: FakeKind
):
    before = inner(gateways)
    before.answered.clear()
    change(set_up, steady)
    found: list[FakeGateway] = []
    threads = [threading.Thread(target=lambda: found.append(inner(gateways))) for _ in range(3)]
    for thread in threads:
        thread.start()
    # Others are not held up.
    assert inner(gateways, "munich").name == "munich"
    assert found == []
    before.answered.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(found) == 3
    assert len({id(each) for each in found}) == 1
    assert [each.name for each in kind.built].count("berlin") == 2


def test_one_that_is_newer_than_the_last_look_is_found_and_stays(gateways: Gateways, set_up: SetUp, kind: FakeKind):
    gateways.get("berlin")
    set_up.versions["rome"] = 1
    assert inner(gateways, "rome") is inner(gateways, "rome")
    assert [each.name for each in kind.built] == ["berlin", "rome"]


def test_an_old_look_does_not_bring_back_what_was_before(gateways: Gateways, set_up: SetUp, kind: FakeKind):
    old = dict(set_up.versions)
    set_up.versions["berlin"] = 2
    newest = inner(gateways)
    gateways.note(old)
    assert inner(gateways) is newest
    assert len(kind.built) == 1


def test_one_that_is_not_there_is_said_and_one_that_was_deleted_is_closed(
    gateways: Gateways, set_up: SetUp, steady: Steady
):
    with pytest.raises(ConfigurationError, match="rome"):
        gateways.get("rome")
    before = inner(gateways)
    del set_up.versions["berlin"]
    steady.now_s += LOOK_S
    with pytest.raises(ConfigurationError, match="berlin"):
        gateways.get("berlin")
    assert before.is_closed


def test_a_kind_that_is_not_known_is_said(gateways: Gateways, set_up: SetUp):
    set_up.kind = "pigeon"
    with pytest.raises(ConfigurationError, match="pigeon"):
        gateways.get("berlin")


def test_a_store_that_is_away_is_said_and_asked_again(gateways: Gateways, set_up: SetUp):
    set_up.is_away = True
    for _ in range(2):
        with pytest.raises(StorageError):
            gateways.get("berlin")
    set_up.is_away = False
    assert gateways.get("berlin").name == "berlin"


def test_who_cannot_wait_finds_what_was_last_built(gateways: Gateways, set_up: SetUp, steady: Steady):
    assert gateways.find("berlin") is None
    before = gateways.get("berlin")
    change(set_up, steady)
    assert gateways.find("berlin") is before
    assert not before.gateway.is_closed
    assert gateways.find("berlin") is not gateways.get("berlin")


def test_all_there_are_are_kept_open_and_those_that_are_no_more_closed(
    gateways: Gateways, set_up: SetUp, kind: FakeKind, caplog: pytest.LogCaptureFixture
):
    gateways.keep_open()
    assert kind.built == []
    gateways.note(set_up.versions)
    gateways.keep_open()
    gateways.keep_open()
    assert {each.name: each.opened for each in kind.built} == {"berlin": 2, "munich": 2}
    # One that cannot be opened does not keep the others from it, and is said once.
    gateways.note({"away": 1, "munich": 1})
    gateways.keep_open()
    gateways.keep_open()
    assert {each.name: each.is_closed for each in kind.built} == {"berlin": True, "munich": False}
    assert kind.built[1].opened == 4
    assert [record.getMessage() for record in caplog.records].count("gateway_not_open") == 1


def test_what_is_in_use_is_the_sum_of_the_connections_beside_it(gateways: Gateways, monkeypatch: pytest.MonkeyPatch):
    links = [LinkState(number, LinkStatus.BOUND, NOW, in_flight=number, window=10) for number in (1, 2)]
    berlin = inner(gateways, "berlin")
    monkeypatch.setattr(berlin, "links", lambda: links)
    # Asked a moment later, when all answers had come.
    monkeypatch.setattr(berlin, "in_use", lambda: InUse(0, 20))
    inner(gateways, "munich")
    found = gateways.look()
    assert found["berlin"][:2] == (links, InUse(3, 20))
    assert found["munich"][:2] == ((), InUse(0, 1_000))


def test_at_the_end_all_are_closed_and_none_is_built(gateways: Gateways, kind: FakeKind):
    gateways.get("berlin")
    gateways.get("munich")
    gateways.close_all()
    assert [each.is_closed for each in kind.built] == [True, True]
    with pytest.raises(Unavailable):
        gateways.get("berlin")
    assert len(kind.built) == 2


def test_one_that_does_not_end_holds_up_nobody_for_ever(
    gateways: Gateways, kind: FakeKind, caplog: pytest.LogCaptureFixture
):
    inner(gateways).answered.clear()
    gateways.get("munich")
    gateways.close_all(within_s=0.0)
    assert "gateway_not_closed" in {record.getMessage() for record in caplog.records}
    kind.built[0].answered.set()


def test_a_defect_while_closing_is_logged_and_the_new_one_is_there(
    gateways: Gateways, set_up: SetUp, steady: Steady, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(inner(gateways), "close", lambda: 1 / 0)
    change(set_up, steady)
    assert inner(gateways).connection.version == 2
    assert "gateway_close_failed" in {record.getMessage() for record in caplog.records}
