"""The command line's part for the message history."""

import argparse
import sys

from core.bootstrap import App
from core.cli_traffic import add_import


def add_history(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `history` with its own commands."""
    parser = commands.add_parser("history", help="look after the message history")
    parts = parser.add_subparsers(required=True, metavar="command")
    explanation = "compare the rollups with the messages they count"
    verify = parts.add_parser("verify", help=explanation, description=explanation)
    verify.add_argument("--no-repair", action="store_true", help="only say what differs")
    verify.add_argument("--as", dest="email", default="", help="email of the person to act as")
    verify.set_defaults(command=_verify)
    add_import(parts)


def _verify(app: App, options: argparse.Namespace) -> int:
    viewer = app.people.get_viewer(options.email)
    repair = not options.no_repair
    compared = wrong = 0
    for found in app.rolling_up.verify(viewer, repair=repair):
        compared += 1
        if found.difference_count:
            wrong += 1
            done = "built anew" if repair else "left as it is"
            name = f"{found.month:%m/%Y} in {found.calendar}"
            print(f"{name}: {found.difference_count} rows differ, {done}.", file=sys.stderr)
    print(f"{compared} months compared with their messages, {wrong} of them differed.")
    return 1 if wrong and not repair else 0
