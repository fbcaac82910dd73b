import json
from dataclasses import replace
from pathlib import Path

from core.proving.faults import SIMULATOR, SMPP, WORDS, Fault, Trial
from core.proving.observing import Looks, Tally
from core.proving.plan import make_plan
from core.proving.proof import Proof
from core.proving.report import command_of, write_json, write_table
from core.proving.verdict import Claim

TRIAL = Trial(recipient_count=1_000, kill_count=5, gateway=SMPP, seed=42)
HELD = Claim("receivers with two messages or more", "0", "0", holds=True)
BROKEN = Claim("recipients in no book: lost", "0", "2", holds=False, examples=("+49151", "+49152"))
PROOF = Proof(
    trial=TRIAL,
    plan=make_plan(TRIAL),
    claims=(HELD,),
    done=dict(make_plan(TRIAL).counts),
    notes={},
    recoveries={Fault.KILL_WORKER: (3.25, 8.0)},
    tally=Tally(asked=100),
    looks=Looks(count=90),
    died=(),
    memory_mib={"worker-1": 340},
    seconds=75.2,
    folder=None,
    is_interrupted=False,
)


def test_the_table_says_everything_a_doubter_asks():
    table = write_table(PROOF)
    assert all(WORDS[fault].title in table and WORDS[fault].aim in table for fault in make_plan(TRIAL).counts)
    assert "not tried: needs --restart-redis" in table
    assert "3.2 / 8.0 s" in table
    assert "1 min 15 s" in table
    assert "Seed: 42" in table
    assert "What this cannot show" in table
    assert table.endswith("1 claim holds, all of them.")
    assert "not done" not in table


def test_a_claim_that_does_not_hold_ends_the_table_and_names_whom():
    proof = replace(PROOF, claims=(HELD, BROKEN), folder=Path("/tmp/proof"))
    table = write_table(proof)
    assert not proof.holds
    assert table.endswith("DOES NOT HOLD: recipients in no book: lost.")
    assert "recipients in no book: lost: +49151, +49152" in table
    assert "Everything is in /tmp/proof." in table


def test_a_look_with_a_message_twice_is_said():
    proof = replace(PROOF, looks=Looks(90, 1, 1_500, "1,957 rows with 1,500 messages"))
    assert "The first look with a message twice or missing: 1,957 rows with 1,500 messages" in write_table(proof)
    assert json.loads(write_json(proof))["looks"]["off"] == 1
    assert "first look" not in write_table(PROOF)


def test_an_interrupted_run_proves_nothing():
    proof = replace(PROOF, is_interrupted=True)
    assert not proof.holds
    assert write_table(proof).endswith("INTERRUPTED: nothing is proved.")


def test_what_was_planned_and_not_done_is_said():
    done = dict(PROOF.done) | {Fault.DROP: 0}
    notes = {Fault.FULL_DISK: "the disk could not be filled"}
    table = write_table(replace(PROOF, done=done, notes=notes))
    assert "Of those planned, 1 was not done" in table
    assert "disk full: the disk could not be filled." in table


def test_every_line_fits_into_a_terminal():
    for gateway in (SIMULATOR, SMPP):
        trial = replace(TRIAL, gateway=gateway)
        lines = write_table(replace(PROOF, trial=trial, plan=make_plan(trial))).splitlines()
        assert max(len(line) for line in lines if not line.startswith("Repeat")) <= 120


def test_the_command_repeats_the_trial_and_tells_no_password():
    trial = replace(
        TRIAL,
        faults=frozenset({Fault.DROP, Fault.CLOCK}),
        database_url="postgresql://me:secret@db/x",
        restart_postgresql="systemctl restart postgresql",
    )
    assert command_of(TRIAL) == (
        "python -m core prove --kills 5 --recipients 1000 --gateway smpp --workers 2 --seed 42"
    )
    command = command_of(trial)
    assert "--faults clock,drop" in command
    assert "--restart-postgresql 'systemctl restart postgresql'" in command
    assert "secret" not in command


def test_the_json_has_the_same():
    found = json.loads(write_json(replace(PROOF, claims=(HELD, BROKEN))))
    assert (found["holds"], found["seed"], found["recipients"]) == (False, 42, 1_000)
    assert [claim["holds"] for claim in found["claims"]] == [True, False]
    killed = next(fault for fault in found["faults"] if fault["fault"] == "kill-worker")
    assert (killed["median_s"], killed["longest_s"], killed["not_tried"]) == (3.25, 8.0, "")
    assert {fault["fault"] for fault in found["faults"]} == set(Fault)
