"""One campaign through every stage: import, launch, send, receipts merged, questions answered."""

import argparse
import csv
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import phonenumbers
from phonenumbers import carrier

from benchmarks.mobile_numbers import mobile_number
from benchmarks.report import Case, measured, stopwatch
from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.campaigns.campaigns import CampaignDraft
from core.domain.imports.lists import DistributionList
from core.domain.people.permissions import Viewer
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.statistics import GroupBy
from core.domain.times.periods import Period
from core.history.engine.door import Cursor
from core.services.lists.importing_lists import Upload
from core.services.people.adding_people import NewPerson
from core.services.reports.reporting import StatisticsRequest

NAME = "story"
MESSAGE = "Hello {FirstName}, your order from {City} is on its way. Reply STOP to opt out."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--recipients", type=int, default=100_000)


def run(options: argparse.Namespace) -> int:
    """Run every stage through the services, as the worker does; 1 when the counts do not agree."""
    with tempfile.TemporaryDirectory(prefix="heliograph-story-") as folder:
        # The account's rate and the receipts' delays are not what is measured here.
        settings = Settings(data_dir=Path(folder), default_rate_tps=10_000_000, simulator_speed=1_000_000.0)
        app = build_app(settings)
        app.state.migrate()
        app.lake.ping()
        try:
            return _run(app, Path(folder), options.recipients)
        finally:
            app.close()


def _run(app: App, folder: Path, recipient_count: int) -> int:
    viewer = app.people.adding.add(NewPerson("Bench", "bench@example.com", "Copper-kettle-19"), _now())
    path = _write_file(folder / "recipients.csv", recipient_count)
    found = _import(app, viewer, path, recipient_count)
    campaign_id = _launch(app, viewer, found)
    _send(app, campaign_id, recipient_count)
    _merge(app)
    return _ask(app, viewer, campaign_id)


def _import(app: App, viewer: Viewer, path: Path, recipient_count: int) -> DistributionList:
    with stopwatch() as plain:
        plain_count = _plain_import(path)
    account = app.accounts.managing.list_sending(viewer)[0]
    case = Case(NAME, "import", recipient_count, baseline=plain[0])
    with measured(case), path.open("rb") as content:
        found = app.lists.upload(viewer, Upload(account.account_id, "Recipients", path.name), content, _now())
        app.lists.run(found.list_id, _now)
    found = app.lists.get(viewer, found.list_id)
    if found.entry_count != plain_count:
        raise SystemExit(f"the list has {found.entry_count} entries, the plain loop found {plain_count}")
    return found


def _launch(app: App, viewer: Viewer, found: DistributionList) -> str:
    placeholders = {"FirstName": "FirstName", "City": "City"}
    draft = CampaignDraft(found.account_id, "Story", "HELIOGRAPH", (found.list_id,), MESSAGE, placeholders)
    campaign = app.campaigns.composing.save(viewer, draft, _now())
    with measured(Case(NAME, "launch", found.entry_count)):
        app.campaigns.launching.launch(viewer, campaign.campaign_id, _now())
        app.campaigns.launching.freeze(campaign.campaign_id, _now)
    return campaign.campaign_id


def _send(app: App, campaign_id: str, recipient_count: int) -> None:
    with measured(Case(NAME, "send", recipient_count)):
        while app.sending.submitting.list_sendable(_now()):
            app.sending.submitting.run(campaign_id, _now)


def _merge(app: App) -> None:
    case = Case(NAME, "receipts merged", 0, baseline=_plain_update(app))
    with measured(case):
        # Up to ten receipts' delays lie ahead even at this speed; the clock that asks stands there.
        while collected := app.sending.receiving.collect(_soon):
            case.rows += collected
            app.sending.receiving.merge(_soon)


class _TakenBack(Exception):
    """The plain update has been timed."""


def _plain_update(app: App) -> float:
    """
    Return the seconds in which the lake sets every message's delivery by one statement, which is then taken back.

    That is the least there is to do for a receipt: nothing is read of whom it is for, nothing kept, nothing committed.
    """
    found = 0.0

    def update(cursor: Cursor) -> None:
        nonlocal found
        with stopwatch() as taken:
            cursor.execute(
                "UPDATE lake.messages SET delivery_status = 'Delivered', delivered_at = sent_at + INTERVAL 1 SECOND"
            )
        found = taken[0]
        raise _TakenBack

    with suppress(_TakenBack):
        app.lake.write(update)
    return found


def _ask(app: App, viewer: Viewer, campaign_id: str) -> int:
    period = Period(_now() - timedelta(days=1), _now() + timedelta(minutes=1))
    found = app.reports.reporting.reconciliation(viewer, campaign_id)
    with measured(Case(NAME, "statistics by country and day", found.sent_count)):
        groups = (GroupBy.COUNTRY, GroupBy.DAY)
        table = app.reports.reporting.statistics(viewer, StatisticsRequest(period, groups, size=100_000)).table
    with measured(Case(NAME, "first page of history", found.sent_count)):
        page = app.reports.reporting.messages(viewer, MessageQuery(viewer.account_ids, period), 1, 15)
    with measured(Case(NAME, "dashboard", found.sent_count)):
        traffic = app.reports.reporting.traffic(viewer, period)
    agreeing = {found.sent_count, page.total, sum(table["sent"].to_pylist()), traffic.total}
    if not found.balances or found.pending_count or len(agreeing) > 1:
        print(f"the counts do not agree: {found}, {agreeing}", file=sys.stderr)
        return 1
    return 0


def _plain_import(path: Path) -> int:
    """Do what an import must at least: read, parse, check, find region and carrier, leave out repeats."""
    seen = set()
    with path.open(newline="", encoding="utf-8") as source:
        for row in csv.DictReader(source):
            number = phonenumbers.parse("+" + row["PhoneNumber"])
            if phonenumbers.is_valid_number(number):
                phonenumbers.region_code_for_number(number)
                carrier.name_for_number(number, "en")
                seen.add(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return len(seen)


def _write_file(path: Path, recipient_count: int) -> Path:
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(["PhoneNumber", "FirstName", "City", "Address"])
        for index in range(recipient_count):
            writer.writerow(
                [
                    mobile_number(index),
                    f"Beau {index}",
                    "Kraków" if index % 7 == 0 else "London",
                    f"{index} High Street",
                ]
            )
    return path


def _now() -> datetime:
    return datetime.now(UTC)


def _soon() -> datetime:
    return _now() + timedelta(seconds=1)
