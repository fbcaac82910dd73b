"""How long a receipt takes from when the gateway has it until history shows it, while a campaign is being sent."""

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from benchmarks.processes import prepare_draft, worker
from benchmarks.report import Case, PeakWatch, percentile
from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.campaigns.campaigns import CampaignDraft, CampaignStatus
from core.domain.people.permissions import Viewer
from core.services.people.adding_people import NewPerson

NAME = "receipts"
LOOK_S = 0.2
# What is owed this long after the last message is waited for.
AFTER_S = 5.0
PERCENTILES = (50, 90, 99)

# By gateway message id and state, seconds since 1970.
Moments = dict[tuple[str, str], float]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--rate", type=int, default=1_000, help="the account's rate in segments per second")
    parser.add_argument("--speed", type=float, default=1.0, help="what the delays of networks are divided by")


def run(options: argparse.Namespace) -> int:
    """Send one campaign by one worker and one by two, each in a house of its own; compare receipt by receipt."""
    baseline: dict[int, float | None] = dict.fromkeys(PERCENTILES)
    for worker_count in (1, 2):
        with _house(options.rate, options.speed) as (app, viewer, environment):
            draft = prepare_draft(app, viewer, app.settings.data_dir, options.recipients)
            with PeakWatch() as watch:
                seen = _send(app, viewer, draft, environment, worker_count)
            due = _list_due(app)
        waits = sorted(at - due[key] for key, at in seen.items())
        last = max(seen.values(), default=0.0)
        missing = [key for key, at in due.items() if key not in seen and at < last - AFTER_S]
        if missing or not waits:
            print(f"{len(missing)} receipts are not in history", file=sys.stderr)
            return 1
        for share in PERCENTILES:
            words = f"{worker_count} worker{'s' * (worker_count > 1)}, due to visible, {share} % within"
            case = Case(NAME, words, len(waits), percentile(waits, share), watch.peak_mib, baseline[share])
            case.emit()
            baseline[share] = case.seconds
    return 0


@contextmanager
def _house(rate: int, speed: float) -> Iterator[tuple[App, Viewer, dict[str, str]]]:
    with tempfile.TemporaryDirectory(prefix="heliograph-receipts-") as folder:
        environment = {
            "HELIOGRAPH_DATA_DIR": folder,
            "HELIOGRAPH_DEFAULT_RATE_TPS": str(rate),
            "HELIOGRAPH_SIMULATOR_SPEED": str(speed),
        }
        app = build_app(Settings.from_environment(environment))
        app.state.migrate()
        app.lake.ping()
        try:
            viewer = app.people.adding.add(NewPerson("Bench", "bench@example.com", "Copper-kettle-19"), app.clock())
            yield app, viewer, environment
        finally:
            app.close()


def _send(app: App, viewer: Viewer, draft: CampaignDraft, environment: dict[str, str], worker_count: int) -> Moments:
    """Launch, and look into history again and again; return when each receipt was first seen there."""
    campaign_id = app.campaigns.composing.save(viewer, draft, app.clock()).campaign_id
    seen: Moments = {}
    with ExitStack() as workers:
        for number in range(worker_count):
            workers.enter_context(worker(environment, number))
        app.campaigns.launching.launch(viewer, campaign_id, app.clock())
        end: float | None = None
        while end is None or time.time() < end:
            with app.lake.read() as connection:
                found = connection.execute("SELECT gateway_message_id, receipt_state FROM lake.receipts").fetchall()
            # The moment after the look: what it found was visible by then.
            now = time.time()
            for key in found:
                seen.setdefault(key, now)
            if end is None and app.campaigns.composing.get(viewer, campaign_id).status is CampaignStatus.COMPLETED:
                end = now + AFTER_S
            time.sleep(LOOK_S)
    return seen


def _list_due(app: App) -> Moments:
    """
    Return when each receipt was due at the simulator; of one that it reports twice, the first time.

    A message whose answer was lost is unknown to history, and so are its receipts.
    """
    with app.lake.read() as connection:
        known = {theirs for (theirs,) in connection.execute("SELECT gateway_message_id FROM lake.messages").fetchall()}
    with closing(sqlite3.connect(app.settings.simulator_path)) as journal:
        rows = journal.execute("SELECT gateway_message_id, state, min(due_us) FROM receipts GROUP BY 1, 2")
        return {(theirs, state): due_us / 1e6 for theirs, state, due_us in rows if theirs in known}
