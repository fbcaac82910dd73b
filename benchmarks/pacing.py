"""
Pacing: how much of a limit is used while work waits, and what the fullest second of an SMSC's log saw.

The SMSC dates a message when it gets to read it: where its process waits for a core, a second of its log may have a
little more in it than left in one.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.dispatch import company, use_smpp
from benchmarks.processes import PAUSE_S, TEXT, prepare_draft, worker
from benchmarks.report import Case, measured
from benchmarks.smsc import answered_numbers, smsc_process
from core.bootstrap import App
from core.domain.people.permissions import Viewer
from core.domain.words.counting import count_of
from core.gateways.smsc.journal import SmscJournal
from core.services.accounts.managing_accounts import AccountSettings

NAME = "pacing"
# Of a limit, at least.
PROMISED = 0.98
SECOND = timedelta(seconds=1)
# Longer than a message waits in the SMSC's process to be read.
HELD_UP_S = 0.03
WINDOW = 50
_SETTLED_S = 1.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--rates", type=int, nargs="+", default=[50, 500])
    parser.add_argument("--seconds", type=int, default=20, help="for how long each rate is kept")
    parser.add_argument("--workers", type=int, default=2)


def run(options: argparse.Namespace) -> int:
    """Send over SMPP at one rate after the other, each set while sending; 1 when one was exceeded, or left unused."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="heliograph-pacing-")))
        log = folder / "smsc.sqlite"
        port = stack.enter_context(smsc_process(log, "--speed", "0.001"))
        app, viewer = stack.enter_context(company(folder))
        use_smpp(app, viewer, port, WINDOW)
        _begin(app, viewer, folder, sum(options.rates) * (options.seconds + 2), options.rates[0])
        environment = {"HELIOGRAPH_DATA_DIR": str(folder), "HELIOGRAPH_SECRET_KEY": app.settings.secret_key}
        pids = [stack.enter_context(worker(environment, number)) for number in range(options.workers)]
        journal = SmscJournal(log)
        while not journal.count_accepted():
            time.sleep(PAUSE_S)
        return max([_keep(app, viewer, journal, rate_tps, options.seconds, pids) for rate_tps in options.rates])


def _begin(app: App, viewer: Viewer, folder: Path, recipient_count: int, rate_tps: int) -> None:
    _set_rate(app, viewer, rate_tps)
    draft = prepare_draft(app, viewer, folder, recipient_count, answered_numbers(TEXT.encode(), are_taken=True))
    campaign_id = app.campaigns.composing.save(viewer, draft, app.clock()).campaign_id
    app.campaigns.launching.launch(viewer, campaign_id, app.clock())
    app.campaigns.launching.freeze(campaign_id, app.clock)


def _keep(app: App, viewer: Viewer, journal: SmscJournal, rate_tps: int, seconds: int, pids: Sequence[int]) -> int:
    _set_rate(app, viewer, rate_tps)
    # What was booked by the rate before is on its way.
    time.sleep(_SETTLED_S)
    case = Case(NAME, f"{rate_tps} segments a second, {count_of(len(pids), 'worker', 'workers')}", 0)
    begin = datetime.now(UTC)
    # Nobody asks the log meanwhile: that would keep the SMSC from its own.
    with measured(case, pids[0]):
        time.sleep(seconds)
        end = begin + timedelta(seconds=seconds)
        moments = sorted(each.accepted_at for each in journal.list_accepted() if begin <= each.accepted_at < end)
        case.rows, case.rate_per_s = len(moments), len(moments) / seconds
        case.baseline = len(moments) / rate_tps
    most = _most_in_a_second(moments)
    Case(NAME, f"{rate_tps} segments a second, the fullest second", most, 1.0).emit()
    if most > rate_tps * (1 + HELD_UP_S) or len(moments) < PROMISED * rate_tps * seconds:
        print(f"{rate_tps} a second: {most} in one second, {len(moments)} in {seconds} s", file=sys.stderr)
        return 1
    return 0


def _set_rate(app: App, viewer: Viewer, rate_tps: int) -> None:
    account = app.accounts.managing.list_sending(viewer)[0]
    app.accounts.managing.change(viewer, account.account_id, AccountSettings("SMSC", rate_tps), app.clock())


def _most_in_a_second(moments: Sequence[datetime]) -> int:
    most = first = 0
    for place, moment in enumerate(moments):
        while moment - moments[first] >= SECOND:
            first += 1
        most = max(most, place - first + 1)
    return most
