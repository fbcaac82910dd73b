"""Two workers against one: a campaign that no account's rate slows down, sent by real worker processes."""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.processes import PAUSE_S, prepare_draft, worker
from benchmarks.report import Case, measured
from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.campaigns.campaigns import CampaignDraft, CampaignStatus
from core.domain.people.permissions import Viewer
from core.gateways.simulator.journal import Journal
from core.services.people.adding_people import NewPerson

NAME = "workers"


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
            viewer = app.people.adding.add(NewPerson("Bench", "bench@example.com", "Copper-kettle-19"), app.clock())
            draft = prepare_draft(app, viewer, Path(folder), recipient_count)
            alone = Case(NAME, f"one worker, answers after {answer_ms} ms", recipient_count)
            sent = [_send(app, viewer, draft, environment, alone)]
            both = Case(NAME, f"two workers, answers after {answer_ms} ms", recipient_count, baseline=alone.seconds)
            sent.append(_send(app, viewer, draft, environment, both))
            return _check(app, viewer, sent, recipient_count)
        finally:
            app.close()


def _send(app: App, viewer: Viewer, draft: CampaignDraft, environment: dict[str, str], case: Case) -> str:
    """Measure from the launch until the campaign is completed, with the workers running before; return its id."""
    campaign_id = app.campaigns.composing.save(viewer, draft, app.clock()).campaign_id
    with ExitStack() as workers:
        for number in range(2 if case.baseline else 1):
            workers.enter_context(worker(environment, number))
        with measured(case):
            app.campaigns.launching.launch(viewer, campaign_id, app.clock())
            while app.campaigns.composing.get(viewer, campaign_id).status is not CampaignStatus.COMPLETED:
                time.sleep(PAUSE_S)
    return campaign_id


def _check(app: App, viewer: Viewer, campaign_ids: list[str], recipient_count: int) -> int:
    journal = Journal(app.settings.simulator_path)
    found = [app.reports.reporting.reconciliation(viewer, campaign_id) for campaign_id in campaign_ids]
    agrees = all(one.balances and one.audience_count == recipient_count and not one.pending_count for one in found)
    if not agrees or journal.list_repeated():
        print(f"not everybody was sent to once: {found}", file=sys.stderr)
        return 1
    return 0
