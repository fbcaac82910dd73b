"""Two workers against one: a campaign that no account's rate slows down, sent by real worker processes."""

import argparse
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.numbers import mobile_number
from benchmarks.report import Case, measured
from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.campaigns import CampaignDraft, CampaignStatus
from core.domain.permissions import Viewer
from core.gateways.simulator.journal import Journal
from core.services.adding_people import NewPerson
from core.services.importing import Upload

NAME = "workers"
PAUSE_S = 0.02


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--answer-ms", type=int, default=500, help="how long a slow gateway takes to answer")


def run(options: argparse.Namespace) -> int:
    """Send one campaign by one worker and one by two, to a gateway that answers at once and to a slow one."""
    return max(_compare(options.recipients, answer_ms) for answer_ms in (0, options.answer_ms))


def _compare(recipient_count: int, answer_ms: int) -> int:
    with tempfile.TemporaryDirectory(prefix="heliograph-workers-") as folder:
        environment = {
            "HELIOGRAPH_DATA_DIR": folder,
            "HELIOGRAPH_DEFAULT_RATE_TPS": "10000000",
            "HELIOGRAPH_SIMULATOR_ANSWER_MS": str(answer_ms),
            # No receipts while it is sent: they are not what is measured here.
            "HELIOGRAPH_SIMULATOR_SPEED": "0.0001",
        }
        app = build_app(Settings.from_environment(environment))
        app.state.migrate()
        app.lake.ping()
        try:
            viewer = app.people.add(NewPerson("Bench", "bench@example.com", "Copper-kettle-19"), app.clock())
            draft = _prepare(app, viewer, Path(folder), recipient_count)
            alone = Case(NAME, f"one worker, answers after {answer_ms} ms", recipient_count)
            sent = [_send(app, viewer, draft, environment, alone)]
            both = Case(NAME, f"two workers, answers after {answer_ms} ms", recipient_count, baseline=alone.seconds)
            sent.append(_send(app, viewer, draft, environment, both))
            return _check(app, viewer, sent, recipient_count)
        finally:
            app.close()


def _prepare(app: App, viewer: Viewer, folder: Path, recipient_count: int) -> CampaignDraft:
    path = folder / "recipients.csv"
    with path.open("w", newline="", encoding="utf-8") as target:
        csv.writer(target).writerows([["PhoneNumber"], *([mobile_number(index)] for index in range(recipient_count))])
    account = app.accounts.list_sending(viewer)[0]
    with path.open("rb") as content:
        found = app.importing.upload(viewer, Upload(account.account_id, "Recipients", path.name), content, app.clock())
    app.importing.run(found.list_id, app.clock)
    return CampaignDraft(account.account_id, "Workers", "HELIOGRAPH", (found.list_id,), "Hello", {})


def _send(app: App, viewer: Viewer, draft: CampaignDraft, environment: dict[str, str], case: Case) -> str:
    """Measure from the launch until the campaign is completed, with the workers running before; return its id."""
    campaign_id = app.composing.save(viewer, draft, app.clock()).campaign_id
    with ExitStack() as workers:
        for number in range(2 if case.baseline else 1):
            workers.enter_context(_worker(environment, number))
        with measured(case):
            app.launching.launch(viewer, campaign_id, app.clock())
            while app.composing.get(viewer, campaign_id).status is not CampaignStatus.COMPLETED:
                time.sleep(PAUSE_S)
    return campaign_id


@contextmanager
def _worker(environment: dict[str, str], number: int) -> Iterator[None]:
    log = Path(environment["HELIOGRAPH_DATA_DIR"]) / f"worker-{number}.log"
    with log.open("wb") as errors:
        command = [sys.executable, "-m", "jobs.worker"]
        process = subprocess.Popen(command, env={**os.environ, **environment}, stderr=errors)  # noqa: S603 - our own
    try:
        while "worker_started" not in log.read_text("utf-8"):
            if process.poll() is not None:
                raise SystemExit(f"the worker did not start: {log.read_text('utf-8')}")
            time.sleep(PAUSE_S)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _check(app: App, viewer: Viewer, campaign_ids: list[str], recipient_count: int) -> int:
    journal = Journal(app.settings.simulator_path)
    found = [app.reporting.reconciliation(viewer, campaign_id) for campaign_id in campaign_ids]
    agrees = all(one.balances and one.audience_count == recipient_count and not one.pending_count for one in found)
    if not agrees or journal.list_repeated():
        print(f"not everybody was sent to once: {found}", file=sys.stderr)
        return 1
    return 0
