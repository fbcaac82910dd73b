"""How fast outside traffic is imported: CSV, Parquet and the same again, against csv and phonenumbers row by row."""

import argparse
import csv
import random
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import phonenumbers
import pyarrow as pa
from phonenumbers import carrier
from pyarrow import parquet
from pyarrow.csv import write_csv

from benchmarks.report import Case, measured, stopwatch
from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.imports.cdr import TrafficCounts
from core.domain.people.permissions import Viewer
from core.services.people.adding_people import NewPerson
from core.services.traffic.importing_traffic import TrafficUpload

# The plain way's rate does not depend on how many rows there are.
_BASELINE_ROWS = 20_000
_STATES = ("DELIVRD", "DELIVRD", "DELIVRD", "UNDELIV", "ENROUTE")
# Beginnings of mobile numbers, and how many digits follow.
_RANGES = (("491512", 7), ("49172", 7), ("49179", 7), ("447400", 6), ("447500", 6), ("33612", 6), ("33660", 6))
_START = datetime(2026, 1, 5, tzinfo=UTC)
_SECONDS = 28 * 24 * 3600


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--rows", type=int, default=1_000_000)


def run(options: argparse.Namespace) -> int:
    """Import each kind of file once, and the CSV again; 1 when a message is missing or there twice."""
    rows: int = options.rows
    with tempfile.TemporaryDirectory(prefix="heliograph-cdr-") as name:
        folder = Path(name)
        records = _records(rows)
        write_csv(records, folder / "cdr.csv")
        parquet.write_table(records, folder / "cdr.parquet")
        baseline_s = _read_plainly(folder / "cdr.csv", rows)
        app = build_app(Settings(data_dir=folder / "data"))
        try:
            app.state.migrate()
            return _measure(app, folder, rows, baseline_s)
        finally:
            app.close()


def _measure(app: App, folder: Path, rows: int, baseline_s: float) -> int:
    app.people.adding.add(NewPerson("Benchmark", "benchmark@example.com", "Copper-kettle-19"), _START)
    wrong = 0
    for kind in ("csv", "parquet"):
        account_id = _open_account(app, kind)
        viewer = app.people.adding.get_viewer("benchmark@example.com")
        for again in (False, True):
            label = f"{rows:,} records from {kind}" + (" again, unchanged" if again else "")
            case = Case("cdr", label, rows, baseline=None if again else baseline_s)
            with measured(case):
                counts = _import(app, viewer, account_id, folder / f"cdr.{kind}")
            expected = TrafficCounts(rows, unchanged=rows) if again else TrafficCounts(rows, added=rows)
            if counts != expected:
                print(f"{label}: {counts} instead of {expected}", file=sys.stderr)
                wrong = 1
    return wrong or _check(app, rows)


def _check(app: App, rows: int) -> int:
    """Return 1 when the history does not hold each message of both accounts exactly once."""
    with app.lake.read() as cursor:
        found = cursor.execute("SELECT count(*), count(DISTINCT message_id) FROM lake.messages").fetchone()
    if found == (2 * rows, 2 * rows):
        return 0
    print(f"the history holds {found} messages and ids of {2 * rows}", file=sys.stderr)
    return 1


def _open_account(app: App, kind: str) -> str:
    account = Account("", f"from-{kind}", f"From {kind}", AccountType.SMPP, AccountStatus.ACTIVE, "", 1)
    opened = app.accounts.managing.open_account(account, [], _START)
    app.accounts.managing.join(app.people.adding.get_viewer("benchmark@example.com").user_id, opened.account_id)
    return opened.account_id


def _import(app: App, viewer: Viewer, account_id: str, path: Path) -> TrafficCounts:
    traffic = app.traffic
    with path.open("rb") as content:
        found = traffic.upload(viewer, TrafficUpload(account_id, path.name), content, datetime.now(UTC))
    traffic.begin(viewer, found.import_id, traffic.propose(viewer, found.import_id).mapping)
    traffic.run(found.import_id, lambda: datetime.now(UTC))
    return traffic.get(viewer, found.import_id).counts


def _records(rows: int) -> pa.Table:
    """Return four weeks of records, in order, nearly every receiver another one."""
    source = random.Random(1)  # noqa: S311 - draws examples
    sent = [_START + timedelta(seconds=number * _SECONDS // rows) for number in range(rows)]
    ranges = source.choices(_RANGES, k=rows)
    states = source.choices(_STATES, k=rows)
    return pa.table(
        {
            "message_id": [f"bench-{number:09d}" for number in range(rows)],
            "submit_date": [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in sent],
            "msisdn": [f"{prefix}{source.randrange(10**digits):0{digits}d}" for prefix, digits in ranges],
            "sender": source.choices(("ACME", "Bookings", "VERIFY"), k=rows),
            "dlr_status": states,
            "done_date": [
                "" if state == "ENROUTE" else f"{moment + timedelta(seconds=9):%Y-%m-%d %H:%M:%S}"
                for moment, state in zip(sent, states, strict=True)
            ],
            "price_eurc": source.choices(("7.1", "3.25", "4.5"), k=rows),
        }
    )


def _read_plainly(path: Path, rows: int) -> float:
    """Return the seconds csv and phonenumbers take to read all rows, without storing any."""
    read = 0
    with path.open(newline="") as file, stopwatch() as taken:
        for row in csv.DictReader(file):
            number = phonenumbers.parse(f"+{row['msisdn']}")
            phonenumbers.is_valid_number(number)
            phonenumbers.region_code_for_number(number)
            carrier.name_for_number(number, "en")
            datetime.strptime(row["submit_date"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            if row["done_date"]:
                datetime.strptime(row["done_date"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            read += 1
            if read == _BASELINE_ROWS:
                break
    return taken[0] * rows / read
