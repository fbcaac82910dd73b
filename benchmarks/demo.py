"""How long a demo company takes: lists, campaigns and 90 days of messages, from a seed into the stores."""

import argparse
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.report import Case, measured
from core.bootstrap import build_app
from core.config import Settings
from core.domain.times.periods import Period
from core.services.people.adding_people import NewPerson


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--messages", type=int, default=300_000)


def run(options: argparse.Namespace) -> int:
    """Seed a fresh installation; 1 when its dashboard does not show what was made."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="heliograph-demo-") as folder:
        app = build_app(Settings(data_dir=Path(folder)))
        app.state.migrate()
        app.lake.ping()
        person = app.people.adding.add(NewPerson("Bench", "bench@example.com", "Copper-kettle-19"), now)
        with measured(Case("demo", "seed", options.messages)) as case:
            summary = app.demo.seed(person.user_id, now, message_count=options.messages)
            case.rows = summary.message_count
        everything = Period(now - timedelta(days=100), now + timedelta(days=1))
        with measured(Case("demo", "dashboard of 90 days", summary.message_count)):
            total = app.reports.reporting.traffic(app.people.adding.get_viewer(person.email), everything).total
        app.close()
    if total != summary.message_count:
        print(f"the dashboard shows {total} messages of {summary.message_count}", file=sys.stderr)
        return 1
    return 0
