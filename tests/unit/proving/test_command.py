import argparse

import pytest

from core.errors import InvalidInput
from core.proving.command import add_prove, read_trial
from core.proving.faults import SIMULATOR, SMPP, Fault, Trial


def trial(*arguments: str) -> Trial:
    parser = argparse.ArgumentParser()
    add_prove(parser.add_subparsers())
    return read_trial(parser.parse_args(["prove", *arguments]))


def test_without_options_a_seed_is_drawn():
    found = trial()
    assert (found.gateway, found.recipient_count, found.kill_count) == (SIMULATOR, 10_000, 10)
    assert found.faults == frozenset(Fault)
    assert len({trial().seed for _ in range(5)}) > 1


def test_the_options_say_what_is_tried():
    found = trial(
        *("--kills", "50", "--recipients", "100000", "--gateway", "smpp", "--workers", "3", "--seed", "9"),
        *("--faults", "drop, kill-worker", "--database", "postgresql://db/x", "--queue", "redis://q/1"),
        *("--restart-postgresql", "a b", "--restart-redis", "c d"),
    )
    assert found == Trial(
        100_000,
        50,
        SMPP,
        9,
        worker_count=3,
        faults=frozenset({Fault.DROP, Fault.KILL_WORKER}),
        database_url="postgresql://db/x",
        queue_url="redis://q/1",
        restart_postgresql="a b",
        restart_redis="c d",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--recipients", "0"),
        ("--kills", "-1"),
        ("--workers", "0"),
        ("--faults", "fire"),
        ("--restart-postgresql", "x"),
        ("--restart-redis", "x"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[str, ...]):
    with pytest.raises(InvalidInput):
        trial(*arguments)
