"""The command line's part for the message history."""

import argparse
import sys
from collections.abc import Callable

from core.bootstrap import App
from core.cli_traffic import add_import
from core.domain.people.permissions import Permission
from core.domain.words.counting import count_of
from core.history.catalog.attaching import attach_statements

_MIB = 1 << 20


def add_history(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `history` with its own commands."""
    parser = commands.add_parser("history", help="check, maintain, share and recover the message history")
    parts = parser.add_subparsers(required=True, metavar="command")
    verify = _add(parts, _verify, "compare the rollups and the index of numbers with the messages")
    verify.add_argument("--no-repair", action="store_true", help="only report what differs")
    _add(parts, _attach, "print the SQL that attaches the history, to read it in a notebook or a BI tool")
    maintain = _add(parts, _maintain, "merge small files, and delete those no longer needed")
    maintain.add_argument("--all", action="store_true", help="also do what is not worthwhile yet")
    moved = "move files the catalog does not know into history/set-aside; nothing else touches them"
    maintain.add_argument("--set-aside", action="store_true", help=moved)
    recovered = "rebuild a lost catalog from its files, as far as possible; stop web and worker first"
    recover = _add(parts, _recover, recovered)
    recover.add_argument("--replace", action="store_true", help="even if there is a usable catalog")
    adopted = "accept the existing catalog as this installation's, after restoring state and history separately"
    _add(parts, _adopt, adopted)
    add_import(parts)


def _add(
    parts: "argparse._SubParsersAction[argparse.ArgumentParser]",
    command: Callable[[App, argparse.Namespace], int],
    explanation: str,
) -> argparse.ArgumentParser:
    """Add a command that is called as its function is."""
    parser = parts.add_parser(command.__name__.removeprefix("_"), help=explanation, description=explanation)
    parser.add_argument("--as", dest="email", default="", help="email of the person to act as")
    parser.set_defaults(command=command)
    return parser


def _verify(app: App, options: argparse.Namespace) -> int:
    viewer = app.people.adding.get_viewer(options.email)
    repair = not options.no_repair
    compared = wrong = 0
    for found in app.upkeep.rolling_up.verify(viewer, repair=repair):
        compared += 1
        if found.difference_count:
            wrong += 1
            done = "rebuilt" if repair else "left as it is"
            name = f"{found.month:%m/%Y} in {found.calendar}"
            differ = count_of(found.difference_count, "row differs", "rows differ")
            print(f"{name}: {differ}, {done}.", file=sys.stderr)
    print(f"{count_of(compared, 'month', 'months')} compared with the messages, {wrong} differed.")
    searched = incomplete = 0
    for month in app.upkeep.indexing.verify(viewer, repair=repair):
        searched += 1
        if month.missing_count:
            incomplete += 1
            done = "reindexed" if repair else "left as it is"
            lacks = count_of(month.missing_count, "row", "rows")
            print(f"{month.month:%m/%Y}: the index of numbers lacks {lacks}, {done}.", file=sys.stderr)
    print(f"{count_of(searched, 'month', 'months')} of the index of numbers compared, {incomplete} incomplete.")
    return 1 if (wrong or incomplete) and not repair else 0


def _attach(app: App, options: argparse.Namespace) -> int:
    app.people.adding.get_viewer(options.email).require(Permission.AUDIT)
    for statement in attach_statements(app.lake.location):
        print(f"{statement};")
    if app.lake.location.catalog:
        print("No password is printed: libpq reads PGPASSWORD or the password file (~/.pgpass).", file=sys.stderr)
    if app.lake.location.on_object_storage:
        print("Replace <AWS_…> with the storage's keys; docs/guide/notebooks.md says how.", file=sys.stderr)
    return 0


def _adopt(app: App, options: argparse.Namespace) -> int:
    app.people.adding.get_viewer(options.email).require(Permission.AUDIT)
    app.lake.adopt()
    app.lake.ping()
    print("From now on, the message history belongs to this installation.")
    return 0


def _recover(app: App, options: argparse.Namespace) -> int:
    viewer = app.people.adding.get_viewer(options.email)
    rebuilt, shortfalls = app.upkeep.rebuilding.rebuild(viewer, app.clock(), replace=options.replace)
    print(f"{'table':<24}{'rows':>14}")
    for name, count in rebuilt.rows.items():
        print(f"{name:<24}{count:>14,}")
    print(f"Read from {count_of(rebuilt.files, 'file, which is unchanged', 'files, which are unchanged')}.")
    if rebuilt.kept:
        print(f"The previous catalog is now {rebuilt.kept}.")
    for short in shortfalls:
        print(
            f"{short.list_name}: {short.found} of {count_of(short.expected, 'entry', 'entries')}: import it again.",
            file=sys.stderr,
        )
    print("Rows that were only in the catalog are lost: docs/operations.md says which these can be.", file=sys.stderr)
    return 0


def _maintain(app: App, options: argparse.Namespace) -> int:
    viewer = app.people.adding.get_viewer(options.email)
    did = app.upkeep.maintaining.maintain(viewer, app.clock(), everything=options.all, set_aside=options.set_aside)
    print(f"{'table':<24}{'files':>8}{'after':>8}{'MiB':>10}{'after':>10}")
    for name, before in did.before.items():
        after = did.after.get(name, before)
        sizes = f"{before.bytes / _MIB:>10.1f}{after.bytes / _MIB:>10.1f}"
        print(f"{name:<24}{before.files:>8}{after.files:>8}{sizes}")
    print(
        f"{count_of(did.steps, 'step', 'steps')}, the longest {did.longest_s:.2f} s. "
        f"{count_of(did.snapshots, 'snapshot', 'snapshots')} expired, "
        f"{count_of(did.deleted, 'unneeded file', 'unneeded files')} deleted ({did.freed_bytes / _MIB:.1f} MiB)."
    )
    if did.orphans:
        print(
            f"{count_of(did.orphans, 'file is', 'files are')} not known to the catalog, {did.set_aside} set aside; "
            "none was deleted. docs/operations.md says what they may be.",
            file=sys.stderr,
        )
    if did.readers_inside:
        print(
            "The catalog's own file is as it was, because somebody was reading: run it again later.",
            file=sys.stderr,
        )
    return 0
