"""
The command line: the same services as the pages, for people and scripts.

Whoever runs it can read the data folder, so it acts as the first active person or, with `--as`,
as any other; permissions and account scope hold as they do in the browser.
"""

import argparse
import getpass
import json
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from core import logs
from core.bootstrap import App, build_app
from core.cli_history import add_history
from core.cli_smsc import add_smsc
from core.config import Settings
from core.demo.seeding import DemoSummary
from core.domain.campaigns.campaigns import Campaign, CampaignDraft, CampaignStatus
from core.domain.imports.lists import DistributionList, HiddenRows, ListStatus
from core.domain.people.permissions import PRESETS, Viewer
from core.domain.reports.paging import PageRequest
from core.domain.words.counting import count_of
from core.errors import AppError, ConfigurationError, InvalidInput, NotFound, StorageError
from core.private_files import keep_private
from core.proving.command import add_prove
from core.services.accounts.encryption import make_key
from core.services.lists.importing_lists import Upload
from core.services.people.adding_people import NewPerson

POLL_S = 0.5
# The demo runs on this machine's own address, in a data folder of its own.
DEMO_NAME, DEMO_EMAIL, DEMO_PASSWORD = "Demo Person", "demo@example.com", "Mirror-on-the-hill-1"
# Nobody waits for these: they have ended, or go on at somebody's word or at another time.
ENDED = {
    CampaignStatus.COMPLETED,
    CampaignStatus.CANCELED,
    CampaignStatus.PAUSED,
    CampaignStatus.INACTIVE,
    CampaignStatus.SCHEDULED,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0 done, 1 refused with a reason, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        if alone := options.alone:
            code: int = alone(options)
            return code
        settings = Settings.from_environment()
        keep_private(settings.data_dir)
        app = build_app(settings)
        logs.configure("INFO" if options.verbose else "WARNING")
        try:
            app.state.migrate()
            app.clock.set()
            command: Callable[[App, argparse.Namespace], int] = options.command
            return command(app, options)
        finally:
            app.close()
    except AppError as error:
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="Heliograph from the command line.")
    parser.add_argument("--verbose", action="store_true", help="log what happens to standard error")
    # What needs no installation sets this instead of a command.
    parser.set_defaults(alone=None)
    commands = parser.add_subparsers(required=True, metavar="command")
    prepare = _add(commands, "prepare", _prepare, "bring the stores up to date and print where Heliograph will answer")
    prepare.add_argument("--demo", action="store_true", help="also create a demo company and a person who may see it")
    _add_people(commands)
    _add_lists(commands)
    _add_campaigns(commands)
    add_history(commands)
    _add_keys(commands)
    add_smsc(commands)
    add_prove(commands)
    demo = _add(commands, "seed-demo", _seed_demo, "create the demo company")
    demo.add_argument("--as", dest="email", default="", help="email of the person who may see it")
    demo.add_argument("--messages", type=int, default=300_000, help="number of messages in its history")
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    command: Callable[[App, argparse.Namespace], int],
    explanation: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=explanation, description=explanation)
    parser.set_defaults(command=command)
    return parser


def _add_keys(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    make = "print a new key for HELIOGRAPH_SECRET_KEY"
    commands.add_parser("make-key", help=make, description=make).set_defaults(alone=_make_key)
    rotate = "encrypt all gateways' secrets with the first key of HELIOGRAPH_SECRET_KEY, so that the others can go"
    _add(commands, "rotate-key", _rotate_key, rotate)


def _add_people(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    user = _add(commands, "create-user", _create_user, "add a person who can log in")
    user.add_argument("--name", required=True, help="as it will appear in the tool")
    user.add_argument("--email", required=True, help="what the person logs in with")
    user.add_argument("--preset", default="Administrator", choices=sorted(PRESETS), help="role of the person")
    user.add_argument("--account", action="append", default=[], help="name of a traffic account; may be repeated")
    user.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def _add_lists(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    upload = _add(commands, "import-list", _import_list, "import a CSV or XLSX file as a distribution list")
    upload.add_argument("file", type=Path, help="the CSV or XLSX file")
    upload.add_argument("--name", required=True, help="name of the list")
    upload.add_argument(
        "--hidden-rows",
        type=HiddenRows,
        choices=[HiddenRows.LEAVE_OUT, HiddenRows.IMPORT],
        default=HiddenRows.ASK,
        metavar="leave_out|import",
        help="whether to leave out rows hidden in a workbook; without it, a file with hidden rows is refused",
    )
    _add_common(upload, "import it in this process instead of waiting for a worker")


def _add_campaigns(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    launch = _add(commands, "launch", _launch, "launch a draft, or create and launch a campaign, and wait for its end")
    launch.add_argument("--campaign", default="", help="ID of a draft; else give --name, --list, --sender, --message")
    launch.add_argument("--name", default="", help="name of the new campaign")
    launch.add_argument("--list", dest="list_name", default="", help="name of a Ready list")
    launch.add_argument("--sender", default="", help="what recipients see as the sender")
    launch.add_argument("--message", default="", help="text, with placeholders such as {FirstName}")
    placeholder = "column of the list that fills a placeholder; may be repeated"
    launch.add_argument("--placeholder", action="append", default=[], metavar="NAME=COLUMN", help=placeholder)
    launch.add_argument("--no-wait", action="store_true", help="return immediately")
    _add_common(launch, "send it in this process instead of waiting for a worker")
    show = _add(commands, "show", _show, "show a campaign's reconciliation as JSON")
    show.add_argument("campaign", help="ID of the campaign")
    show.add_argument("--as", dest="email", default="", help="email of the person to act as")


def _add_common(parser: argparse.ArgumentParser, work_help: str) -> None:
    parser.add_argument("--as", dest="email", default="", help="email of the person to act as")
    parser.add_argument("--account", default="", help="name of the traffic account; needed when there are several")
    parser.add_argument("--work", action="store_true", help=work_help)


def _prepare(app: App, options: argparse.Namespace) -> int:
    settings = app.settings
    _check_port(settings.host, settings.port)
    try:
        app.lake.ping()
    except StorageError as error:
        if options.demo:
            raise
        # Who has lost the history can still log in, and sees the same sentence there.
        print(f"{error.message} {error.hint}", file=sys.stderr)
    if options.demo:
        print(_prepare_demo(app))
    print(f"Heliograph: http://{settings.host}:{settings.port}")
    if options.demo:
        print(f"Log in as {DEMO_EMAIL} with the password {DEMO_PASSWORD}")
    elif app.people.signing_in.needs_setup():
        print(f"Setup token for the first visit: {app.people.signing_in.new_setup_token()}")
    return 0


def _prepare_demo(app: App) -> DemoSummary:
    now = app.clock()
    if app.people.signing_in.needs_setup():
        app.people.adding.add(NewPerson(DEMO_NAME, DEMO_EMAIL, DEMO_PASSWORD), now)
    person = app.people.adding.get_viewer(DEMO_EMAIL)
    # Each of the two finds what is there, and finishes what an earlier start did not.
    found = app.demo.seed(person.user_id, now)
    return app.demo.catch_up(now) or found


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"Heliograph cannot listen on {host}:{port}: {error.strerror}.",
                hint="Stop the program that uses it, or choose another port with HELIOGRAPH_PORT.",
            ) from error


def _make_key(_options: argparse.Namespace) -> int:
    # It needs nothing of what the settings say: there is no key yet.
    print(make_key())
    return 0


def _rotate_key(app: App, _options: argparse.Namespace) -> int:
    count = app.accounts.connecting.reseal()
    print(f"Encrypted the secrets of {count_of(count, 'gateway', 'gateways')} with the first key.")
    return 0


def _create_user(app: App, options: argparse.Namespace) -> int:
    password = sys.stdin.readline().rstrip("\n") if options.password_stdin else getpass.getpass()
    person = NewPerson(options.name, options.email, password, options.preset, tuple(options.account))
    viewer = app.people.adding.add(person, app.clock())
    print(f"Created {viewer.email} ({options.preset}).")
    return 0


def _import_list(app: App, options: argparse.Namespace) -> int:
    viewer = app.people.adding.get_viewer(options.email)
    account_id = _account_id(app, viewer, options.account)
    upload = Upload(account_id, options.name, options.file.name, options.hidden_rows)
    try:
        with options.file.open("rb") as content:
            found = app.lists.upload(viewer, upload, content, app.clock())
    except OSError as error:
        raise InvalidInput(f"{options.file} cannot be read: {error.strerror}.", hint="Check the path.") from error
    found = _wait_for_list(app, viewer, found, work=options.work)
    print(
        f"{found.name}: {found.status}, {count_of(found.read_count, 'row', 'rows')} read, "
        f"{count_of(found.entry_count, 'entry', 'entries')}, "
        f"{count_of(found.duplicate_count, 'duplicate', 'duplicates')}, {found.rejected_count} rejected. "
        f"{found.fault} {found.hint}".strip()
    )
    return 0 if found.status is ListStatus.READY else 1


def _wait_for_list(app: App, viewer: Viewer, found: DistributionList, *, work: bool) -> DistributionList:
    while found.status is ListStatus.IN_PROGRESS:
        if work:
            app.lists.run(found.list_id, app.clock)
        found = app.lists.get(viewer, found.list_id)
        if found.status is ListStatus.IN_PROGRESS:
            # A worker has it, or shall take it.
            time.sleep(POLL_S)
    return found


def _launch(app: App, options: argparse.Namespace) -> int:
    viewer = app.people.adding.get_viewer(options.email)
    campaign_id = options.campaign or _write(app, viewer, options).campaign_id
    campaign = app.campaigns.launching.launch(viewer, campaign_id, app.clock())
    while not options.no_wait and campaign.status not in ENDED:
        if options.work:
            app.work.run_until_idle(app.clock)
        campaign = app.campaigns.composing.get(viewer, campaign_id)
        if campaign.status not in ENDED:
            # A worker has it, or shall take it.
            time.sleep(POLL_S)
    _print_campaign(app, viewer, campaign)
    return 1 if campaign.fault else 0


def _write(app: App, viewer: Viewer, options: argparse.Namespace) -> Campaign:
    account_id = _account_id(app, viewer, options.account)
    ready = app.lists.page_ready(viewer, account_id, PageRequest(size=1_000, search=options.list_name))
    same = [item for item in ready.items if item.name.lower() == options.list_name.lower()]
    if not same:
        raise NotFound(f"There is no Ready list called {options.list_name!r}.", hint="Import it first.")
    pairs = [pair.partition("=") for pair in options.placeholder]
    draft = CampaignDraft(
        account_id=account_id,
        name=options.name,
        sender_id=options.sender,
        list_ids=(same[0].list_id,),
        message=options.message,
        placeholders={name: column for name, _, column in pairs},
    )
    return app.campaigns.composing.save(viewer, draft, app.clock())


def _show(app: App, options: argparse.Namespace) -> int:
    viewer = app.people.adding.get_viewer(options.email)
    _print_campaign(app, viewer, app.campaigns.composing.get(viewer, options.campaign))
    return 0


def _print_campaign(app: App, viewer: Viewer, campaign: Campaign) -> None:
    found = app.reports.reporting.reconciliation(viewer, campaign.campaign_id)
    facts = {"campaign_id": campaign.campaign_id, "name": campaign.name, "status": campaign.status}
    print(json.dumps(facts | {"fault": campaign.fault} | asdict(found) | {"balances": found.balances}, indent=2))


def _seed_demo(app: App, options: argparse.Namespace) -> int:
    viewer = app.people.adding.get_viewer(options.email)
    summary = app.demo.seed(viewer.user_id, app.clock(), message_count=options.messages)
    print(summary)
    return 0


def _account_id(app: App, viewer: Viewer, name: str) -> str:
    sending = app.accounts.managing.list_sending(viewer)
    chosen = [account for account in sending if name in {"", account.name}]
    if len(chosen) == 1:
        return chosen[0].account_id
    names = ", ".join(account.name for account in sending) or "none"
    raise InvalidInput(
        f"{viewer.email} may send from: {names}.", hint="Choose one with --account." if sending else "Join an account."
    )
