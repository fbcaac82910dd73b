"""The command line's part for the message history."""

import argparse
import sys

from core.bootstrap import App


def add_history(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `history` with its own commands."""
    parser = commands.add_parser("history", help="look after the message history")
    parts = parser.add_subparsers(required=True, metavar="command")
    explanation = "compare the rollups and the index of numbers with the messages"
    verify = parts.add_parser("verify", help=explanation, description=explanation)
    verify.add_argument("--no-repair", action="store_true", help="only say what differs")
    verify.add_argument("--as", dest="email", default="", help="email of the person to act as")
    verify.set_defaults(command=_verify)


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
    searched = incomplete = 0
    for month in app.indexing.verify(viewer, repair=repair):
        searched += 1
        if month.missing_count:
            incomplete += 1
            done = "indexed anew" if repair else "left as it is"
            print(
                f"{month.month:%m/%Y}: the index of numbers lacks {month.missing_count} rows, {done}.", file=sys.stderr
            )
    print(f"{searched} months of the index of numbers compared, {incomplete} of them were incomplete.")
    return 1 if (wrong or incomplete) and not repair else 0
