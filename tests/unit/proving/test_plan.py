from dataclasses import replace

import pytest

from core.proving.faults import KILLS, LASTING, SIMULATOR, SMPP, Fault, Trial, why_not
from core.proving.plan import make_plan, most_unanswered_s, most_unknown, windows_of

TRIAL = Trial(recipient_count=100_000, kill_count=50, gateway=SMPP, seed=7)


def test_the_same_seed_has_the_same_plan_and_another_one_another():
    assert make_plan(TRIAL) == make_plan(TRIAL)
    assert make_plan(TRIAL).moments != make_plan(replace(TRIAL, seed=8)).moments


def test_there_are_as_many_kills_as_were_asked_for_and_everybody_is_killed():
    counts = make_plan(TRIAL).counts
    assert sum(counts[fault] for fault in KILLS) == 50
    assert all(counts[fault] for fault in KILLS)


@pytest.mark.parametrize("kill_count", [0, 1, 2])
def test_few_kills_are_no_more_than_that(kill_count: int):
    counts = make_plan(replace(TRIAL, kill_count=kill_count)).counts
    assert sum(counts[fault] for fault in KILLS) == kill_count


def test_everything_that_can_be_tried_is_and_nothing_else():
    for trial in (TRIAL, replace(TRIAL, gateway=SIMULATOR), replace(TRIAL, database_url="postgresql://db/x")):
        planned = set(make_plan(trial).counts)
        assert planned == {fault for fault in Fault if not why_not(fault, trial)}


def test_moments_are_in_order_and_within_the_campaign():
    moments = make_plan(TRIAL).moments
    assert [moment.begins for moment in moments] == sorted(moment.begins for moment in moments)
    assert all(0 <= moment.begins <= moment.ends < 1 for moment in moments)
    assert all((moment.ends > moment.begins) == (moment.fault in LASTING) for moment in moments)


def test_a_worker_dies_before_anything_is_sent():
    assert (make_plan(TRIAL).moments[0].fault, make_plan(TRIAL).moments[0].begins) == (Fault.KILL_WORKER, 0.0)


def test_moments_do_not_depend_on_how_many_recipients_there_are():
    assert make_plan(replace(TRIAL, recipient_count=600)).moments == make_plan(TRIAL).moments


def test_it_sends_slowly_enough_for_all_of_it():
    for trial in (TRIAL, replace(TRIAL, gateway=SIMULATOR)):
        plan = make_plan(trial)
        assert trial.recipient_count / plan.rate_tps >= 2 * trial.kill_count


def test_a_fault_costs_the_windows_of_whom_it_meets():
    two, three = replace(TRIAL, worker_count=2), replace(TRIAL, worker_count=3)
    assert windows_of(Fault.KILL_WORKER, two) == windows_of(Fault.KILL_WORKER, three) == 2
    assert (windows_of(Fault.KILL_SMSC, two), windows_of(Fault.KILL_SMSC, three)) == (2, 3)
    assert (windows_of(Fault.LOCK, two), windows_of(Fault.LOCK, three)) == (4, 6)
    assert windows_of(Fault.KILL_WEB, two) == windows_of(Fault.RECEIPTS_TWICE, two) == 0
    assert most_unknown({Fault.KILL_WORKER: 3, Fault.DROP: 2, Fault.KILL_WEB: 9}, two, 10) == 80


def test_there_may_be_no_answer_while_a_store_is_away():
    trial = replace(TRIAL, lock_s=20.0, full_s=10.0)
    assert most_unanswered_s({Fault.KILL_WORKER: 9, Fault.CLOCK: 1}, trial) == 5
    assert most_unanswered_s({Fault.LOCK: 2, Fault.FULL_DISK: 1}, trial) == 5 + 2 * 25 + 15
    assert most_unanswered_s({Fault.RESTART_POSTGRESQL: 1}, trial) == 5 + 35


@pytest.mark.parametrize(
    ("fault", "trial", "why"),
    [
        (Fault.DROP, replace(TRIAL, gateway=SIMULATOR), "needs --gateway smpp"),
        (Fault.LOCK, replace(TRIAL, database_url="postgresql://db/x"), "the state store is PostgreSQL"),
        (Fault.RESTART_POSTGRESQL, TRIAL, "needs --restart-postgresql"),
        (Fault.RESTART_REDIS, TRIAL, "needs --restart-redis"),
        (Fault.CLOCK, replace(TRIAL, faults=frozenset({Fault.DROP})), "left out by --faults"),
        (Fault.RESTART_REDIS, replace(TRIAL, restart_redis="service redis restart"), ""),
        (Fault.CLOCK, TRIAL, ""),
    ],
)
def test_what_is_not_tried_says_why(fault: Fault, trial: Trial, why: str):
    assert why_not(fault, trial) == why
