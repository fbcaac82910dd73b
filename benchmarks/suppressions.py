"""What ten million suppressed numbers cost: importing them, a preflight, a sub-window that is sent, and their page."""

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import numpy as np

from benchmarks.mobile_numbers import mobile_number
from benchmarks.report import Case, PeakWatch, measured, percentile, repeated, stopwatch
from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.accounts.suppressions import Origin, SuppressionFilter, SuppressionSource
from core.domain.campaigns.campaigns import CampaignDraft
from core.domain.people.permissions import Viewer
from core.identifiers import new_id
from core.services.lists.importing_lists import Upload
from core.services.people.adding_people import NewPerson
from core.services.suppressions.importing import PORTION, SuppressionUpload
from core.state.accounts import accounts
from core.state.people import users
from core.state.suppressions.suppressions import add_numbers, add_origin, find_suppressed

NAME = "suppressions"
_RUNS = 7
_SUB_WINDOW, _SIZE = 500, 25
# One of so many recipients is suppressed; the other suppressed numbers are strangers'.
_EVERY = 20
# Mobile numbers of Germany, of which no recipient has one, some way apart as those of real people are.
_STRANGER, _APART = "49151{:08}", 7
_MESSAGE = "The shop is open on Sunday, come and see us. Reply STOP to opt out."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--suppressed", type=int, default=10_000_000)
    parser.add_argument("--in-file", type=int, default=500_000, help="how many of them come in a file")
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=None, help="where the installation is made; /tmp by default")


def run(options: argparse.Namespace) -> int:
    """Look at campaigns with and without them; 1 when a preflight excludes another number than are suppressed."""
    with tempfile.TemporaryDirectory(prefix="heliograph-suppressions-", dir=options.folder) as name:
        folder = Path(name)
        # HELIOGRAPH_DATABASE_URL chooses another state store, an empty one.
        url = os.environ.get("HELIOGRAPH_DATABASE_URL", "")
        settings = Settings(data_dir=folder / "data", upload_max_mib=1_024, database_url=url)
        plain, suppressed = _prepare(settings, folder, options.recipients)
        _import(settings, folder, options)
        size = sum(path.stat().st_size for path in (folder / "data").glob("state.sqlite*"))
        each = Case(NAME, "bytes of the state store for each (rate)", options.suppressed)
        each.rate_per_s = size / options.suppressed
        each.emit()
        _forget_copies(settings, options)
        found = _look(settings, plain, suppressed, options)
        _ask(settings, options)
    expected = len(range(0, options.recipients, _EVERY))
    if found != (0, expected):
        print(f"the preflights exclude {found} recipients, {expected} are suppressed for the second")
    return 0 if found == (0, expected) else 1


def _prepare(settings: Settings, folder: Path, recipients: int) -> tuple[str, str]:
    """Save a draft for each of two accounts, of the same recipients; return their ids."""
    app = build_app(settings)
    try:
        app.state.migrate()
        viewer = app.people.adding.add(NewPerson("Benchmark", "benchmark@example.com", "Copper-kettle-19"), _now())
        (account,) = app.accounts.managing.list_sending(viewer)
        with app.state.write() as session:
            other = replace(account, account_id=new_id(), name="other", display_name="Other")
            accounts.add_account(session, other, _now())
            users.add_membership(session, viewer.user_id, other.account_id)
        path = _write(folder / "list.csv", map(mobile_number, range(recipients)))
        viewer = app.people.adding.get_viewer()
        return _draft(app, viewer, other.account_id, path), _draft(app, viewer, account.account_id, path)
    finally:
        app.close()


def _draft(app: App, viewer: Viewer, account_id: str, path: Path) -> str:
    with path.open("rb") as content:
        found = app.lists.upload(viewer, Upload(account_id, "Everybody", path.name), content, _now())
    app.lists.run(found.list_id, _now)
    draft = CampaignDraft(account_id, "Sunday", "HELIOGRAPH", (found.list_id,), _MESSAGE, {})
    return app.campaigns.composing.save(viewer, draft, _now()).campaign_id


def _import(settings: Settings, folder: Path, options: argparse.Namespace) -> None:
    """Import a file of some, and store the others as the import does: what is left out is reading them."""
    mine = range(0, options.recipients, _EVERY)
    in_file = min(options.in_file, options.suppressed)
    strangers = (_STRANGER.format(_APART * index) for index in range(in_file - len(mine)))
    path = _write(folder / "optouts.csv", chain(strangers, map(mobile_number, mine)))
    app, viewer = _open(settings)
    account_id = _account(app, viewer)
    try:
        with path.open("rb") as content:
            upload = SuppressionUpload(account_id, "Opt-outs of the shop", path.name)
            new = app.suppressions.importing.upload(viewer, upload, content, _now())
        with measured(Case(NAME, "import of a file", in_file)):
            app.suppressions.importing.run(new.import_id, _now)
        ended = app.suppressions.importing.get(viewer, new.import_id)
        if ended.counts.added != in_file:
            raise SystemExit(f"the import says {ended}")
        others = np.arange(in_file, options.suppressed, dtype=np.int64) * _APART + int(_STRANGER.format(0))
        with measured(Case(NAME, "storing sorted numbers, as an import does", len(others))):
            for start in range(0, len(others), PORTION):
                with app.state.write() as session:
                    if not start:
                        origin = Origin(SuppressionSource.IMPORT, "The rest", viewer.name, _now())
                        origin_no = add_origin(session, account_id, origin)
                    part = others[start : start + PORTION]
                    add_numbers(session, account_id, part, SuppressionSource.IMPORT, origin_no, _now())
        with measured(Case(NAME, "bringing the sorted copy up to date", len(others))):
            app.suppressions.numbers.refresh()
    finally:
        app.close()


def _forget_copies(settings: Settings, options: argparse.Namespace) -> None:
    """Lose the sorted copies, and let them be made anew from the store."""
    for path in settings.suppressions_dir.glob("*"):
        path.unlink()
    app, _ = _open(settings)
    try:
        with measured(Case(NAME, "a lost copy made anew", options.suppressed)):
            app.suppressions.numbers.refresh()
    finally:
        app.close()


def _look(settings: Settings, plain: str, suppressed: str, options: argparse.Namespace) -> tuple[int, int]:
    """Look at both drafts in turn, each time after an edit; return how many of each are excluded."""
    app, viewer = _open(settings)
    look = app.campaigns.preflighting.look
    drafts = {"without suppressions": plain, "with all of them": suppressed}
    taken: dict[str, list[float]] = {what: [] for what in drafts}
    excluded = dict[str, int]()
    try:
        for what, campaign_id in drafts.items():
            with measured(Case(NAME, f"first preflight, {what}", options.recipients)):
                look(viewer, campaign_id, _now())
        with PeakWatch() as watch:
            for number in range(_RUNS):
                for what, campaign_id in drafts.items():
                    _edit(app, viewer, campaign_id, f"Sunday {number}")
                    with stopwatch() as seconds:
                        found = look(viewer, campaign_id, _now())
                    taken[what] += seconds
                    excluded[what] = sum(found.preflight.counted.excluded.values())
        baseline = taken["without suppressions"]
        for what in drafts:
            Case(
                NAME,
                f"median preflight, {what}",
                options.recipients,
                statistics.median(taken[what]),
                watch.peak_mib,
                statistics.median(baseline),
            ).emit()
            Case(
                NAME, f"least preflight, {what}", options.recipients, min(taken[what]), watch.peak_mib, min(baseline)
            ).emit()
        again, peak = repeated(lambda: look(viewer, suppressed, _now()), _RUNS)
        Case(NAME, "the same page again, with all of them", options.recipients, statistics.median(again), peak).emit()
        return excluded["without suppressions"], excluded["with all of them"]
    finally:
        app.close()


def _account(app: App, viewer: Viewer) -> str:
    """Return the account that has the suppressions."""
    return next(each.account_id for each in app.accounts.managing.list_sending(viewer) if each.name != "other")


def _ask(settings: Settings, options: argparse.Namespace) -> None:
    app, viewer = _open(settings)
    try:
        account_id = _account(app, viewer)
        spread = max(1, options.recipients // _SUB_WINDOW)
        window = [f"+{mobile_number(index * spread)}" for index in range(_SUB_WINDOW)]

        def send() -> object:
            with app.state.read() as session:
                return find_suppressed(session, account_id, window)

        managing = app.suppressions.managing

        def page(number: int = 1, digits: str = "") -> Callable[[], object]:
            return lambda: managing.page(viewer, SuppressionFilter(digits), number, _SIZE)

        middle = options.suppressed // _SIZE // 2
        for what, ask in (
            (f"which of {_SUB_WINDOW} to be sent are suppressed", send),
            ("the page, first view", page()),
            ("the page in the middle", page(middle)),
            ("search of a whole number", page(digits=f"+{mobile_number(0)}")),
            ("search of a beginning", page(digits="+4915")),
            ("search of the last digits", page(digits="778899")),
            ("search of a beginning as dialed at home", page(digits="01517788")),
        ):
            _report(what, ask, options.suppressed)
    finally:
        app.close()


def _report(what: str, ask: Callable[[], object], rows: int) -> None:
    with measured(Case(NAME, f"{what}: first", rows)):
        ask()
    found, peak = repeated(ask, _RUNS)
    Case(NAME, f"{what}: median", rows, statistics.median(found), peak).emit()
    Case(NAME, f"{what}: 95 of 100", rows, percentile(found, 95), peak).emit()


def _edit(app: App, viewer: Viewer, campaign_id: str, name: str) -> None:
    """Save the draft under another name: another version, which was not looked at."""
    campaign = app.campaigns.composing.get(viewer, campaign_id)
    draft = CampaignDraft(campaign.account_id, name, campaign.sender_id, campaign.list_ids, _MESSAGE, {})
    app.campaigns.composing.save(viewer, draft, _now(), campaign_id, campaign.version)


def _open(settings: Settings) -> tuple[App, Viewer]:
    app = build_app(settings)
    return app, app.people.adding.get_viewer()


def _write(path: Path, numbers: Iterable[str]) -> Path:
    with path.open("w", encoding="utf-8") as target:
        target.write("PhoneNumber\n")
        target.writelines(f"{number}\n" for number in numbers)
    return path


def _now() -> datetime:
    return datetime.now(UTC)
