"""A year of messages of a made-up company in a lake of its own: generated once, the same for the same seed, reused."""

import json
import math
import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path

import phonenumbers
import pyarrow as pa

from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.numbering import Network, list_networks
from core.domain.people.permissions import Permission, Viewer
from core.domain.times.periods import Period, day_start
from core.history.engine.door import Cursor
from core.history.lake.connection import Lake
from core.history.numbers.number_index import NumberIndex
from core.history.rollups.rollups import Rollups
from core.history.sql.statements import parse_statements
from core.state.accounts import accounts

SEED = 20260101
ACCOUNT_COUNT, COUNTRY_COUNT, NETWORK_COUNT = 12, 60, 250
DAYS = 365
# After the last day.
END_DAY = date(2026, 11, 1)
TIME_ZONE = "Europe/Berlin"
MEMORY_MIB = 6144
# The share of messages whose receipt never comes.
LOST = 0.03
_SLOTS = 65_536
# About how many messages are written at once: of so many small commits maintenance makes one file.
_FILE_ROWS = 300_000
_SQL = parse_statements(Path(__file__).with_suffix(".sql").read_text("utf-8"))

# Messages by local hour of the day and by weekday (Monday first), in no unit: only the proportions count.
_HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 18, 17, 15, 15, 16, 17, 18, 17, 14, 10, 7, 5, 3, 2)
_WEEKDAYS = (11, 12, 12, 13, 12, 6, 4)
_ERRORS = ("absent subscriber", "unknown subscriber", "call barred", "memory full", "0x00000045", "expired")


@dataclass(frozen=True)
class Traffic:
    """The generated lake, rolled up: whose accounts, which days (first, and after the last), how many rows."""

    settings: Settings
    account_ids: frozenset[str]
    first_day: date
    end_day: date
    rows: int

    @property
    def period(self) -> Period:
        """All of it, in whole days of `TIME_ZONE`."""
        return Period(day_start(self.first_day, TIME_ZONE), day_start(self.end_day + timedelta(days=1), TIME_ZONE))

    @property
    def name(self) -> str:
        """What tells it from other traffic."""
        return self.settings.data_dir.name.removeprefix("traffic-")

    @property
    def files(self) -> Path:
        """The folder of the messages' Parquet files."""
        return self.settings.data_dir.resolve() / "history" / "files" / "main" / "messages"

    @staticmethod
    def ask_lake(lake: Lake, sql: str, values: Mapping[str, object]) -> pa.Table:
        """Run a question whose table is written {messages} in the lake."""
        with lake.read() as cursor:
            return cursor.execute(sql.format(messages="lake.messages"), dict(values)).to_arrow_table()

    def open(self) -> tuple[App, Viewer]:
        """Return an application over the lake, and a person who may see everything in it."""
        app = build_app(self.settings)
        app.state.migrate()
        now = datetime.now(UTC)
        with app.state.write() as session:
            known = {account.account_id for account in accounts.list_accounts(session, self.account_ids)}
            for account_id in sorted(self.account_ids - known):
                name = account_id.replace("-", " ").title()
                facts = (account_id, account_id, name, AccountType.SMPP, AccountStatus.ACTIVE, "", 1)
                accounts.add_account(session, Account(*facts), now)
        everything = frozenset(Permission)
        return app, Viewer("bench", "Bench", "bench@example.com", everything, self.account_ids, TIME_ZONE)


def prepare(
    folder: Path,
    rows: int,
    days: int = DAYS,
    *,
    is_searched: bool = False,
    end_day: date = END_DAY,
    catalog: str = "",
) -> Traffic:
    """
    Return the lake of *rows* messages over *days* below *folder*, generated now unless it is there.

    *is_searched* has its numbers indexed too, which takes longer than generating them. One that has another *end_day*
    than the last time is generated anew. *catalog* is the libpq string of an empty PostgreSQL database, or of that of
    the last time; SQLite without one.
    """
    recent, postgres = ["recent"] if end_day != END_DAY else [], ["postgres"] if catalog else []
    place = folder / "-".join(["traffic", str(rows), *([str(days)] if days != DAYS else []), *recent, *postgres])
    # What is measured is finding an answer, not giving it again.
    settings = Settings(data_dir=place, lake_catalog=catalog, duckdb_memory_mib=MEMORY_MIB, answer_memory_mib=0)
    first_day = end_day - timedelta(days=days)
    series = _series()
    traffic = Traffic(settings, frozenset(str(row["account"]) for row in series), first_day, end_day, rows)
    done = place / "generated.json"
    made = json.dumps({"rows": rows, "seed": SEED, "file_rows": _FILE_ROWS, **_named(end_day)})
    if not done.exists() or done.read_text() != made:
        # What a run that was cut off has left is no whole year.
        shutil.rmtree(place, ignore_errors=True)
        _generate(traffic, series)
        _maintain(traffic)
        done.write_text(made)
    if is_searched and _index(traffic):
        _maintain(traffic)
    return traffic


def _named(end_day: date) -> dict[str, str]:
    """Return what tells an end that is not the usual one; lakes that have that were made before there was another."""
    return {} if end_day == END_DAY else {"end_day": end_day.isoformat()}


def _maintain(traffic: Traffic) -> None:
    """Leave the files as nightly maintenance would have left them after a year."""
    app, viewer = traffic.open()
    try:
        app.upkeep.maintaining.maintain(viewer, datetime.now(UTC) + timedelta(days=DAYS), everything=True)
    finally:
        app.close()


def _index(traffic: Traffic) -> bool:
    """Index the numbers, of a lake too that was generated before there was an index; return whether any were left."""
    app, _ = traffic.open()
    index = NumberIndex(app.lake)
    # A month later everything is over.
    later = datetime.combine(traffic.end_day + timedelta(days=40), time(), UTC)
    try:
        unindexed = index.list_unindexed(later)
        for day in unindexed:
            index.index_day(day)
        for month in index.list_unsorted(later):
            for _ in index.sort_month(month):
                pass
    finally:
        app.close()
    return bool(unindexed)


def _generate(traffic: Traffic, series: list[dict[str, object]]) -> None:
    # The installation's own lake: one that was made beside it would be refused as another's.
    app, _ = traffic.open()
    lake = app.lake
    hours = _hours(traffic)
    slots = pa.array(range(_SLOTS), pa.uint64())
    choices = pa.table({"slot": slots, "series_no": pa.array(_choices(series), pa.int32())})
    try:
        for _, of_file in groupby(hours, key=lambda row: (row[0].date().replace(day=1), row[1] // _FILE_ROWS)):
            starts, firsts, counts = zip(*of_file, strict=True)
            rows = pa.table({"start": pa.array(starts, pa.timestamp("us")), "first": firsts, "messages": counts})

            def insert(cursor: Cursor, rows: pa.Table = rows) -> None:
                cursor.register("rows_of_hours", rows)
                cursor.register("choices", choices)
                cursor.register("series", pa.Table.from_pylist(series, schema=_SERIES))
                first_month = traffic.first_day.replace(day=1)
                values = {"seed": SEED, "lost": LOST, "first_month": first_month}
                cursor.execute(_SQL["insert_hours"].format(target="lake.messages"), values)
                cursor.execute(_SQL["insert_months"])

            lake.write(insert)
        rollups = Rollups(lake)
        for unbuilt in rollups.list_unbuilt([TIME_ZONE]):
            rollups.build(unbuilt)
    finally:
        app.close()


_SERIES = pa.schema(
    [
        ("series_no", pa.int32()),
        ("account", pa.string()),
        ("country", pa.string()),
        ("network", pa.string()),
        ("mccmnc", pa.string()),
        ("prefix", pa.string()),
        ("digits", pa.int32()),
        ("receivers", pa.uint64()),
        ("senders", pa.list_(pa.string())),
        ("errors", pa.list_(pa.string())),
        ("failing", pa.float64()),
        ("delay_mu", pa.float64()),
        ("prices", pa.list_(pa.decimal128(12, 4))),
        ("weight", pa.float64()),
    ]
)


def _series() -> list[dict[str, object]]:
    """Return one row per account and network: what its messages cost, how they fare, how many there are."""
    draw = random.Random(SEED)  # noqa: S311 - made-up data, nothing is guarded by it
    networks = _networks()
    countries = list(dict.fromkeys(network.country for network in networks))
    rows: list[dict[str, object]] = []
    facts = {network.mccmnc: _network_facts(network.country, draw) for network in networks}
    for account_no in range(ACCOUNT_COUNT):
        # Each account has its own home markets.
        ranks = {country: (place * (2 * account_no + 1)) % COUNTRY_COUNT + 1 for place, country in enumerate(countries)}
        for network_no, network in enumerate(networks):
            share = 1 / (1 + network_no % 5)
            weight = share / ranks[network.country] ** 1.1 / (account_no + 1) ** 0.7
            rows.append(
                {
                    "series_no": len(rows),
                    "account": f"account-{account_no + 1:02}",
                    "country": network.country,
                    "network": network.name,
                    "mccmnc": network.mccmnc,
                    "senders": [f"BRAND{account_no + 1:02}", "BOOKING", "VERIFY", f"ACCT{account_no + 1:02}"],
                    "errors": list(_ERRORS),
                    "weight": weight,
                    **facts[network.mccmnc],
                }
            )
    return rows


def _network_facts(country: str, draw: random.Random) -> dict[str, object]:
    base = draw.uniform(0.8, 9.5)
    steps = [draw.uniform(0.95, 1.06) for _ in range(14)]
    prices = [round(base * math.prod(steps[:count]), 2) for count in range(1, 15)]
    return {
        "prefix": f"+{phonenumbers.country_code_for_region(country)}6",
        "digits": 8,
        "receivers": draw.randint(20_000, 60_000),
        "failing": draw.uniform(0.01, 0.09),
        "delay_mu": draw.uniform(0.2, 2.2),
        "prices": [pa.scalar(f"{price:.4f}").cast(pa.decimal128(12, 4)).as_py() for price in prices],
    }


def _networks() -> list[Network]:
    by_country: dict[str, list[Network]] = {}
    # Some codes are shared by the networks of several small countries: the first one keeps it.
    unique = {network.mccmnc: network for network in reversed(list_networks())}
    for network in unique.values():
        if network.country and phonenumbers.country_code_for_region(network.country):
            by_country.setdefault(network.country, []).append(network)
    largest = sorted(by_country, key=lambda country: (-len(by_country[country]), country))[:COUNTRY_COUNT]
    # Round after round one network of every country, until there are enough.
    ordered = [by_country[c][turn] for turn in range(20) for c in largest if turn < len(by_country[c])]
    chosen = ordered[:NETWORK_COUNT]
    return sorted(chosen, key=lambda network: largest.index(network.country))


def _choices(series: list[dict[str, object]]) -> list[int]:
    """Return 65,536 series numbers, each as often as its weight says but at least once."""
    total = sum(float(str(row["weight"])) for row in series)
    counts = [max(1, round(float(str(row["weight"])) / total * _SLOTS)) for row in series]
    counts[counts.index(max(counts))] += _SLOTS - sum(counts)
    return [number for number, count in enumerate(counts) for _ in range(count)]


def _hours(traffic: Traffic) -> list[tuple[datetime, int, int]]:
    """Return each hour's start, the number of its first message and how many there are; their sum is exact."""
    days = [traffic.first_day + timedelta(days=day) for day in range((traffic.end_day - traffic.first_day).days)]
    weights = [
        (datetime.combine(day, time(hour)), _WEEKDAYS[day.weekday()] * share)
        for day in days
        for hour, share in enumerate(_HOURS)
    ]
    total = sum(weight for _, weight in weights)
    hours, before, so_far = [], 0, 0
    for start, weight in weights:
        so_far += weight
        upto = traffic.rows * so_far // total
        hours.append((start, before, upto - before))
        before = upto
    return hours
