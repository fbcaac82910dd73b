"""The same messages in ClickHouse, as it is embedded by chdb: a raw table, and a rollup by day and all groups."""

import sys
from pathlib import Path
from typing import Any

from benchmarks import traffic
from core.domain.reports.statistics import GroupBy

_RAW = {
    GroupBy.YEAR: "toYear(sent_at, '{zone}')",
    GroupBy.MONTH: "toStartOfMonth(sent_at, '{zone}')",
    GroupBy.DAY: "toDate(sent_at, '{zone}')",
}
_ROLLED_UP = {GroupBy.YEAR: "toYear(day)", GroupBy.MONTH: "toStartOfMonth(day)", GroupBy.DAY: "day"}
_NAMES = {
    GroupBy.ACCOUNT: "account",
    GroupBy.COUNTRY: "country",
    GroupBy.NETWORK: "network",
    GroupBy.NETWORK_CODE: "mccmnc",
    GroupBy.PRICE: "price_eur_cents",
}


class ClickHouse:
    """Answers the page of groups, without totals, chart and delays."""

    def __init__(self, session: Any) -> None:
        """Take a chdb session over both tables."""
        self._session = session

    def ask(self, query: str) -> object:
        """Run any question."""
        return self._session.query(query, "Arrow").bytes()

    def ask_raw(self, groups: tuple[GroupBy, ...]) -> object:
        """Count messages."""
        columns = _columns(groups, _RAW)
        return self._page(
            f"SELECT {columns}, count() AS sent, countIf(delivery_status = 'Delivered'), "
            f"countIf(delivery_status = 'Undelivered'), sum(price_eur_cents) FROM messages"
        )

    def ask_rollup(self, groups: tuple[GroupBy, ...]) -> object:
        """Add up the rollup's rows."""
        columns = _columns(groups, _ROLLED_UP)
        return self._page(
            f"SELECT {columns}, sum(sent) AS sent, sum(delivered), sum(undelivered), sum(cost) FROM traffic_days"
        )

    def _page(self, query: str) -> object:
        return self.ask(f"{query} GROUP BY ALL ORDER BY sent DESC LIMIT 15")


def prepare(folder: Path, made: traffic.Traffic) -> ClickHouse:
    """Return the tables in *folder*, filled now unless they are there. Raises: SystemExit: chdb is not installed."""
    try:
        from chdb.session import Session  # noqa: PLC0415 - only this comparison needs it
    except ImportError:
        sys.exit("ClickHouse is compared through chdb: pip install chdb")
    is_new = not (folder / "filled").exists()
    session = Session(str(folder))
    if is_new:
        for statement in _filling(made):
            session.query(statement)
        (folder / "filled").touch()
    session.query("USE bench")
    return ClickHouse(session)


def _filling(made: traffic.Traffic) -> list[str]:
    files = made.files / "**" / "*.parquet"
    low = "LowCardinality(String)"
    return [
        "DROP DATABASE IF EXISTS bench",
        "CREATE DATABASE bench",
        (
            f"CREATE TABLE bench.messages (message_id UUID, sent_at DateTime64(6, 'UTC'), account {low}, "
            f"campaign_id {low}, source {low}, receiver String, sender {low}, country {low}, network {low}, "
            f"mccmnc {low}, delivery_status {low}, error_code {low}, delivered_at Nullable(DateTime64(6, 'UTC')), "
            f"price_eur_cents Decimal(12, 4), segment_count Int32, unicode Bool, gateway {low}, "
            "gateway_message_id String) ENGINE = MergeTree ORDER BY sent_at"
        ),
        f"INSERT INTO bench.messages SELECT * FROM file('{files}', 'Parquet')",
        (
            f"CREATE TABLE bench.traffic_days (day Date, account {low}, country {low}, network {low}, mccmnc {low}, "
            "price_eur_cents Decimal(12, 4), sent UInt64, delivered UInt64, undelivered UInt64, cost Decimal(38, 4)) "
            "ENGINE = SummingMergeTree ORDER BY (day, account, country, network, mccmnc, price_eur_cents)"
        ),
        (
            f"INSERT INTO bench.traffic_days SELECT toDate(sent_at, '{traffic.TIME_ZONE}') AS day, account, country, "
            "network, mccmnc, price_eur_cents, count(), countIf(delivery_status = 'Delivered'), "
            "countIf(delivery_status = 'Undelivered'), sum(price_eur_cents) FROM bench.messages GROUP BY ALL"
        ),
        "OPTIMIZE TABLE bench.traffic_days FINAL",
    ]


def _columns(groups: tuple[GroupBy, ...], times: dict[GroupBy, str]) -> str:
    return ", ".join((_NAMES | times)[group].format(zone=traffic.TIME_ZONE) for group in groups)
