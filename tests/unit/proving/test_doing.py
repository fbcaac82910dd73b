"""Each fault is done to whom it is meant for, and undone whatever happens."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from core.errors import StorageError
from core.proving.doing import HOUR_S, Doing
from core.proving.faults import SMPP, Fault, Trial
from core.proving.plan import Moment, Plan

TRIAL = Trial(recipient_count=100, kill_count=1, gateway=SMPP, seed=1, lease_s=-2, full_s=0, refuse_s=0, away_s=0)
PIDS = {"worker-1": 11, "worker-2": 12, "web": 13}


@dataclass
class Scene:
    """An installation and its observer, of which every call is noted; nothing takes any time."""

    trial: Trial = TRIAL
    calls: list[tuple[object, ...]] = field(default_factory=list)
    holding: set[int] = field(default_factory=lambda: {11, 12})
    # What the observer sees at each look; the campaign has ended after the last.
    shares: list[int] = field(default_factory=lambda: [100])
    interrupted_at: str = ""
    is_small: bool = True

    def note(self, name: str, answer: object = None):
        def call(*values: object, **named: object) -> object:
            self.calls.append((name, *values, *named.items()))
            if name == self.interrupted_at:
                raise KeyboardInterrupt
            return answer

        return call

    def doing(self, *moments: Moment) -> Doing:
        processes = SimpleNamespace(
            pid=PIDS.__getitem__,
            names=lambda role: [name for name in PIDS if name.startswith(role)],
            kill=self.note("kill"),
            stop=self.note("stop"),
            go_on=self.note("go on"),
        )
        smsc = SimpleNamespace(
            kill=self.note("kill smsc"),
            set_faults=self.note("faults"),
            set_rate=self.note("rate"),
            tell=self.note("tell"),
        )
        installation = SimpleNamespace(
            trial=self.trial,
            plan=Plan(moments, window=10, rate_tps=40.0),
            processes=processes,
            smsc=smsc,
            disk=SimpleNamespace(is_small=self.is_small, fill=self.note("fill", answer=True), free=self.note("free")),
            set_clock=self.note("clock"),
        )
        return Doing(installation, Watching(self), lambda _: None)


class Watching:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.is_stuck = self.is_over = False
        self.taken_count = 0

    def holders(self) -> set[int]:
        return self.scene.holding

    def time_recovery(self, fault: Fault, is_over: object = None) -> None:
        self.scene.calls.append(("recovers", fault))

    def time_web(self) -> None:
        self.scene.calls.append(("recovers", Fault.KILL_WEB))

    def watch(self, *_: object) -> None:
        if self.scene.shares:
            self.taken_count = self.scene.shares.pop(0)
        else:
            self.is_over = True


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.proving.doing.time", SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _: None))


def at(begins: float, fault: Fault, *, lasts: float = 0.0, chance: float = 0.0) -> Moment:
    return Moment(begins, fault, begins + lasts, chance)


def run(*moments: Moment, scene: Scene | None = None) -> tuple[Doing, list[tuple[object, ...]]]:
    scene = scene or Scene()
    doing = scene.doing(*moments)
    doing.run()
    return doing, scene.calls


def test_a_worker_that_sends_is_killed_and_no_other():
    doing, calls = run(at(0.5, Fault.KILL_WORKER, chance=0.0), scene=Scene(holding={12}))
    assert calls == [("kill", "worker-2"), ("recovers", Fault.KILL_WORKER)]
    assert doing.done == {Fault.KILL_WORKER: 1}


def test_chance_chooses_the_worker():
    _, calls = run(at(0.5, Fault.KILL_WORKER, chance=0.9))
    assert calls[0] == ("kill", "worker-2")


def test_nobody_is_killed_when_nobody_sends_any_more():
    doing, calls = run(at(0.5, Fault.KILL_WORKER), scene=Scene(holding=set()))
    assert calls == []
    assert not doing.done


def test_before_the_first_message_any_worker_is_killed():
    _, calls = run(at(0.0, Fault.KILL_WORKER), scene=Scene(holding=set()))
    assert calls[0] == ("kill", "worker-1")


@pytest.mark.parametrize(("chance", "seconds"), [(0.1, HOUR_S), (0.9, -HOUR_S)])
def test_the_clock_is_set_and_set_back(chance: float, seconds: int):
    _, calls = run(at(0.5, Fault.CLOCK, chance=chance))
    assert calls == [("clock", seconds), ("clock", 0), ("recovers", Fault.CLOCK)]


def test_a_stopped_worker_goes_on():
    _, calls = run(at(0.5, Fault.STOP_WORKER))
    assert calls == [("stop", "worker-1"), ("go on", "worker-1"), ("recovers", Fault.STOP_WORKER)]


def test_a_full_disk_is_freed():
    _, calls = run(at(0.5, Fault.FULL_DISK))
    assert calls == [("fill", [11, 12, 13]), ("free", [11, 12, 13]), ("recovers", Fault.FULL_DISK)]


def test_how_a_disk_is_filled_without_root_is_said():
    moment = at(0.5, Fault.FULL_DISK)
    assert run(moment)[0].notes == {}
    doing, _ = run(moment, scene=Scene(is_small=False))
    assert doing.done == {Fault.FULL_DISK: 1}
    assert "RLIMIT_FSIZE" in doing.notes[Fault.FULL_DISK]


def test_binds_are_refused_and_taken_again():
    _, calls = run(at(0.5, Fault.REFUSE_BINDS))
    assert calls == [
        ("faults", ("bind_status", 0x0D)),
        ("tell", {"do": "disconnect"}),
        ("faults", ("bind_status", 0)),
        ("recovers", Fault.REFUSE_BINDS),
    ]


def test_what_lasts_ends_at_its_end():
    scene = Scene(shares=[50, 52, 60])
    _, calls = run(at(0.5, Fault.SLOW, lasts=0.04), at(0.51, Fault.KILL_WEB), scene=scene)
    assert calls == [
        ("faults", ("answer_s", 1.0)),
        ("kill", "web"),
        ("recovers", Fault.KILL_WEB),
        ("faults", ("answer_s", 0.25)),
    ]


def test_of_two_that_overlap_the_last_one_ends_it():
    scene = Scene(shares=[50, 52, 55, 60])
    _, calls = run(at(0.5, Fault.THROTTLE, lasts=0.04), at(0.51, Fault.THROTTLE, lasts=0.04), scene=scene)
    assert calls == [("rate", 10.0), ("rate", 10.0), ("rate", None)]


def test_what_lasts_ends_with_the_campaign():
    doing, calls = run(at(0.5, Fault.RECEIPTS_TWICE, lasts=0.04), at(0.9, Fault.DROP), scene=Scene(shares=[50]))
    assert calls == [("faults", ("receipts_twice", 0.5)), ("faults", ("receipts_twice", 0.0))]
    # What comes after the end of the campaign was not done.
    assert doing.done == {Fault.RECEIPTS_TWICE: 1}


@pytest.mark.parametrize(
    ("fault", "interrupted_at", "undone"),
    [
        (Fault.FULL_DISK, "fill", ("free", [11, 12, 13])),
        (Fault.REFUSE_BINDS, "tell", ("faults", ("bind_status", 0))),
        (Fault.CLOCK, "", ("clock", 0)),
        (Fault.STOP_WORKER, "", ("go on", "worker-1")),
    ],
)
def test_interrupted_it_undoes_what_it_did(fault: Fault, interrupted_at: str, undone: tuple[object, ...]):
    scene = Scene(replace(TRIAL, lease_s=5, away_s=5), interrupted_at=interrupted_at)
    doing = scene.doing(at(0.5, fault))
    watch = doing.observer.watch

    def interrupt(say: object, what: str) -> None:
        if what == "until it is over":
            raise KeyboardInterrupt
        watch(say, what)

    doing.observer.watch = interrupt
    with pytest.raises(KeyboardInterrupt):
        doing.run()
    assert scene.calls[-1] == undone
    assert not doing.done


def test_a_command_that_fails_is_said():
    scene = Scene(replace(TRIAL, restart_redis="false"))
    doing, _ = run(at(0.5, Fault.RESTART_REDIS), scene=scene)
    assert doing.notes == {Fault.RESTART_REDIS: "the command failed with 1"}
    assert not doing.done
    doing, calls = run(at(0.5, Fault.RESTART_REDIS), scene=Scene(replace(TRIAL, restart_redis="true")))
    assert doing.done == {Fault.RESTART_REDIS: 1}
    assert calls == [("recovers", Fault.RESTART_REDIS)]


def test_a_store_that_is_away_is_asked_again_for_who_sends():
    scene = Scene(shares=[50, 50])
    doing = scene.doing(at(0.5, Fault.KILL_WORKER))
    answers = [StorageError("away"), {12}]

    def holders() -> set[int]:
        answer = answers.pop(0)
        if isinstance(answer, StorageError):
            raise answer
        return answer

    doing.observer.holders = holders
    doing.run()
    assert scene.calls[0] == ("kill", "worker-2")
