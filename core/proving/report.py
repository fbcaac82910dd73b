"""What came of a proof, as a table for a sceptic and as JSON for a machine."""

import json
import os
import platform
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from core.domain.words.counting import agree, count_of
from core.proving.faults import WORDS, Fault, Trial, why_not
from core.proving.plan import SENDING_THREADS, most_unknown
from core.proving.proof import Proof

_HOLDS = {True: "yes", False: "NO"}
# What no run of this kind can show, however long.
_LIMITS = (
    "a power cut: killed processes lose nothing that the operating system already has",
    "a disk that lies about what it has written, or loses it",
    "other moments than those drawn: the seed repeats the plan, not the microsecond",
    "what a real provider does after it has taken a message",
    "a message that is unknown: whether it was sent, only the log says, and it is never sent again by itself",
)


def write_table(proof: Proof) -> str:
    """Return the whole table, in lines of up to about 110 characters."""
    parts = [_head(proof), _faults(proof), _claims(proof), _limits(proof), _foot(proof)]
    return "\n\n".join("\n".join(part) for part in parts)


def write_json(proof: Proof) -> str:
    """Return everything as one JSON object."""
    facts: dict[str, Any] = {
        "holds": proof.holds,
        "interrupted": proof.is_interrupted,
        "seed": proof.trial.seed,
        "repeat": command_of(proof.trial),
        "gateway": proof.trial.gateway,
        "recipients": proof.trial.recipient_count,
        "workers": proof.trial.worker_count,
        "seconds": round(proof.seconds, 1),
        "window": proof.plan.window,
        "memory_mib": proof.memory_mib,
        "ended_by_themselves": list(proof.died),
        "reconciliation": asdict(proof.tally),
        "looks": asdict(proof.looks),
        "faults": [_fault_facts(proof, fault) for fault in Fault],
        "claims": [asdict(claim) for claim in proof.claims],
        "limits": list(_LIMITS),
    }
    return json.dumps(facts, indent=2) + "\n"


def command_of(trial: Trial) -> str:
    """Return the command that repeats the trial; addresses of servers are the person's own to fill in."""
    words = ["python", "-m", "core", "prove", "--kills", trial.kill_count, "--recipients", trial.recipient_count]
    words += ["--gateway", trial.gateway, "--workers", trial.worker_count, "--seed", trial.seed]
    if trial.faults != frozenset(Fault):
        words += ["--faults", ",".join(sorted(trial.faults))]
    for name, value in (
        # They may have a password in them.
        ("--database", "postgresql://…" if trial.database_url else ""),
        ("--queue", "…" if trial.queue_url else ""),
        ("--restart-postgresql", trial.restart_postgresql),
        ("--restart-redis", trial.restart_redis),
    ):
        words += [name, value] if value else []
    return " ".join(word if "…" in word else shlex.quote(word) for word in map(str, words))


def _head(proof: Proof) -> Iterator[str]:
    trial = proof.trial
    yield (
        f"{count_of(trial.recipient_count, 'recipient', 'recipients')} by {trial.gateway}, "
        f"{count_of(trial.worker_count, 'worker', 'workers')}, seed {trial.seed}"
    )
    state = "PostgreSQL" if trial.database_url else "SQLite"
    queue = trial.queue_url.partition(":")[0] or "SQLite"
    yield f"State: {state}. Queue: {queue}. Lease: {trial.lease_s} s. Window: {_messages(proof)}."
    yield f"Took {_minutes(proof.seconds)} on {count_of(os.cpu_count() or 1, 'core', 'cores')}, {platform.platform()}."
    memory = ", ".join(f"{name} {mib:,}" for name, mib in proof.memory_mib.items())
    yield f"Peak memory, MiB: {memory or 'not known'}."


def _faults(proof: Proof) -> Iterator[str]:
    rows = [("What was done", "planned", "done", "went on after", "meant to break")]
    planned = proof.plan.counts
    for fault in Fault:
        why = why_not(fault, proof.trial)
        words = WORDS[fault]
        if why:
            rows.append((words.title, "-", "-", "", f"not tried: {why}"))
            continue
        took = proof.recoveries.get(fault)
        seconds = f"{took[0]:.1f} / {took[1]:.1f} s" if took else ""
        rows.append((words.title, str(planned[fault]), str(proof.done.get(fault, 0)), seconds, words.aim))
    yield from _aligned(rows, right={1, 2, 3})
    for fault, note in proof.notes.items():
        yield f"{WORDS[fault].title}: {note}."
    late = sum(planned.values()) - sum(proof.done.values())
    if late:
        were = agree(late, "was", "were")
        yield f"Of those planned, {late} {were} not done: the campaign had ended before, or it is said above."
    yield "Seconds: median / longest, until more messages were taken; of a killed worker, until others had all that it"
    yield "held; of the web process, until it answered that all is well."


def _claims(proof: Proof) -> Iterator[str]:
    rows = [("What is claimed", "expected", "seen", "holds")]
    rows += [(claim.words, claim.expected, claim.seen, _HOLDS[claim.holds]) for claim in proof.claims]
    yield from _aligned(rows, right={1, 2})
    for claim in proof.claims:
        if claim.examples:
            yield f"{claim.words}: {', '.join(claim.examples)}"
    if proof.tally.first_off:
        yield f"The first that did not add up: {proof.tally.first_off}"
    if proof.looks.first_off:
        yield f"The first look with a message twice or missing: {proof.looks.first_off}"
    windows = most_unknown(proof.done, proof.trial, proof.plan.window)
    yield f"Unknown may be {windows:,}: what was in flight when something was done, {_messages(proof)} to each worker's"
    yield f"broken connection, or in each of {SENDING_THREADS} sending threads of a worker that died or lost its lease."
    yield "Besides those that were taken in silence on purpose, as networks do."
    yield "The log is the simulator's own or the SMSC's own, read by plain SQL, after all processes had ended."


def _limits(proof: Proof) -> Iterator[str]:
    yield "What this cannot show"
    for limit in _LIMITS:
        yield f"- {limit}"
    if not proof.trial.is_smpp:
        yield "- a lost connection: the simulator works within the worker; --gateway smpp has an SMSC of its own"


def _foot(proof: Proof) -> Iterator[str]:
    if proof.died:
        yield f"Ended by themselves, and started again: {', '.join(proof.died)}."
    if proof.folder:
        yield f"Everything is in {proof.folder}."
    yield f"Seed: {proof.trial.seed}"
    yield f"Repeat: {command_of(proof.trial)}"
    wrong = [claim.words for claim in proof.claims if not claim.holds]
    if proof.is_interrupted:
        yield "INTERRUPTED: nothing is proved."
    elif wrong:
        yield f"DOES NOT HOLD: {'; '.join(wrong)}."
    else:
        yield f"{count_of(len(proof.claims), 'claim holds', 'claims hold')}, all of them."


def _fault_facts(proof: Proof, fault: Fault) -> dict[str, Any]:
    took = proof.recoveries.get(fault)
    return {
        "fault": fault.value,
        "title": WORDS[fault].title,
        "aim": WORDS[fault].aim,
        "planned": proof.plan.counts[fault],
        "done": proof.done.get(fault, 0),
        "not_tried": why_not(fault, proof.trial),
        "note": proof.notes.get(fault, ""),
        "median_s": round(took[0], 2) if took else None,
        "longest_s": round(took[1], 2) if took else None,
    }


def _aligned(rows: Sequence[Sequence[str]], right: Iterable[int]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
        if not number:
            yield "  ".join("-" * width for width in widths)


def _messages(proof: Proof) -> str:
    return count_of(proof.plan.window, "message", "messages")


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
