"""Worker processes for a benchmark, and a draft for them to send."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from benchmarks.mobile_numbers import mobile_number
from core.bootstrap import App
from core.domain.campaigns.campaigns import CampaignDraft
from core.domain.people.permissions import Viewer
from core.services.lists.importing_lists import Upload

PAUSE_S = 0.02


TEXT = "Hello"


def prepare_draft(
    app: App, viewer: Viewer, folder: Path, recipient_count: int, numbers: Iterable[str] | None = None
) -> CampaignDraft:
    """Import a list of so many people, of *numbers* if given, and return a draft of `TEXT` to them, not saved yet."""
    path = folder / "recipients.csv"
    chosen = islice(numbers, recipient_count) if numbers else map(mobile_number, range(recipient_count))
    with path.open("w", newline="", encoding="utf-8") as target:
        csv.writer(target).writerows([["PhoneNumber"], *([number] for number in chosen)])
    account = app.accounts.managing.list_sending(viewer)[0]
    with path.open("rb") as content:
        found = app.lists.upload(viewer, Upload(account.account_id, "Recipients", path.name), content, app.clock())
    app.lists.run(found.list_id, app.clock)
    return CampaignDraft(account.account_id, "Workers", "HELIOGRAPH", (found.list_id,), TEXT, {})


@contextmanager
def worker(environment: dict[str, str], number: int) -> Iterator[int]:
    """
    Run a worker process from when it is ready until the block ends, and give its id.

    Raises: SystemExit: it did not start.
    """
    log = Path(environment["HELIOGRAPH_DATA_DIR"]) / f"worker-{number}.log"
    with log.open("wb") as errors:
        command = [sys.executable, "-m", "jobs.worker"]
        process = subprocess.Popen(command, env={**os.environ, **environment}, stderr=errors)  # noqa: S603 - our own
    try:
        while "worker_started" not in log.read_text("utf-8"):
            if process.poll() is not None:
                raise SystemExit(f"the worker did not start: {log.read_text('utf-8')}")
            time.sleep(PAUSE_S)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
