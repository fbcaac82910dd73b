"""The command `prove`, for doubters: it needs nothing of an installation, and makes one of its own."""

import argparse
import secrets
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from core import logs
from core.errors import InvalidInput
from core.proving.faults import SIMULATOR, SMPP, Fault, Trial
from core.proving.proof import prove
from core.proving.report import write_json, write_table

_EXPLANATION = "prove that nothing is lost and nothing sent twice, whatever is done to it meanwhile"
_MORE = """\
It makes an installation of its own, sends a campaign by it, and kills, stops and
starves its processes while it does. What was sent is counted by the log of the
simulator or of an SMSC, which knows nothing of Heliograph. No message reaches
anybody, and nothing of your own installation is touched.

Exit code 0: every claim holds. docs/guide/proving.md says how to read the table.
"""
_MOST_RECIPIENTS = 10_000_000
_SEEDS = 1_000_000
# As shells have it: 128 and the number of SIGINT.
_INTERRUPTED = 130


def add_prove(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `prove`."""
    parser = commands.add_parser(
        "prove",
        help=_EXPLANATION,
        description=f"{_EXPLANATION[0].upper()}{_EXPLANATION[1:]}.",
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(alone=run_prove)
    parser.add_argument("--kills", type=int, default=10, help="SIGKILLs of worker, web and SMSC (%(default)s)")
    parser.add_argument("--recipients", type=int, default=10_000, help="recipients of the campaign (%(default)s)")
    parser.add_argument("--gateway", choices=[SIMULATOR, SMPP], default=SIMULATOR, help="how it sends (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (%(default)s)")
    parser.add_argument("--seed", type=int, help="repeats the plan of another run; without it, one is drawn")
    parser.add_argument("--faults", default="", metavar="NAMES", help=f"only these: {', '.join(Fault)}")
    parser.add_argument("--folder", type=Path, help="an empty folder to work in, and to keep")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what came of it as JSON")
    servers = parser.add_argument_group("your own servers")
    servers.add_argument("--database", default="", metavar="URL", help="an empty database, as postgresql://…")
    servers.add_argument("--queue", default="", metavar="URL", help="an empty queue, as redis://…/1")
    servers.add_argument("--restart-postgresql", default="", metavar="COMMAND", help="restarts its server")
    servers.add_argument("--restart-redis", default="", metavar="COMMAND", help="restarts its server")


def run_prove(options: argparse.Namespace) -> int:
    """Run it, print the table, and return the exit code: 0 if every claim holds. Raises: AppError: it cannot begin."""
    trial = read_trial(options)
    # What the stores say while they are tormented is in the processes' own logs.
    logs.configure("CRITICAL")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    began_s = time.monotonic()

    def say(line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - began_s), 60)
        print(f"{minutes:3}:{seconds:02}  {line}", file=sys.stderr, flush=True)

    say(f"Seed {trial.seed}")
    try:
        proof = prove(trial, options.folder, say)
    except KeyboardInterrupt:
        say("Interrupted before there was anything to judge.")
        return _INTERRUPTED
    print(write_table(proof), flush=True)
    if options.json:
        options.json.write_text(write_json(proof), "utf-8")
    return 0 if proof.holds else 1


def read_trial(options: argparse.Namespace) -> Trial:
    """Return what the options say. Raises: InvalidInput."""
    for name, least, most in (("recipients", 1, _MOST_RECIPIENTS), ("kills", 0, 10_000), ("workers", 1, 16)):
        if not least <= getattr(options, name) <= most:
            raise InvalidInput(f"--{name} has to be from {least} to {most:,}.")
    if options.restart_postgresql and not options.database:
        raise InvalidInput("--restart-postgresql needs --database.", hint="Without it there is no server to restart.")
    if options.restart_redis and not options.queue.startswith("redis"):
        raise InvalidInput("--restart-redis needs --queue redis://….", hint="Without it there is no server to restart.")
    return Trial(
        recipient_count=options.recipients,
        kill_count=options.kills,
        gateway=options.gateway,
        seed=secrets.randbelow(_SEEDS) if options.seed is None else options.seed,
        worker_count=options.workers,
        faults=_faults(options.faults),
        database_url=options.database,
        queue_url=options.queue,
        restart_postgresql=options.restart_postgresql,
        restart_redis=options.restart_redis,
    )


def _faults(text: str) -> frozenset[Fault]:
    if not text:
        return frozenset(Fault)
    try:
        return frozenset(Fault(each.strip()) for each in text.split(","))
    except ValueError:
        raise InvalidInput(f"{text!r} names no faults.", hint=f"Use: {', '.join(Fault)}.") from None


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Once is enough: what ends the processes is not to be ended itself.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
