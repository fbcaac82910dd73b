"""What the history answers to pages and files: figures, and Arrow tables whose columns are told here."""

from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa


@dataclass(frozen=True)
class TrafficSummary:
    """
    The dashboard's figures; total = delivered + undelivered + transmitted.

    *delivery_rate* is delivered / total, 0..1, and 0 without messages. *series* has every hour or day of the
    period in order: bucket (timestamp[us] in the viewer's zone, its start), sent (int64, 0 in gaps).
    *countries* has country (ISO 3166-1 alpha-2, "" when unknown) and sent, most first.
    """

    total: int
    cost_eur_cents: Decimal
    delivered: int
    undelivered: int
    transmitted: int
    delivery_rate: float
    series: pa.Table
    countries: pa.Table


@dataclass(frozen=True)
class StatisticsPage:
    """
    A page of groups of *group_count*, and all of them in sum.

    *table* and *totals* (always one row) have: a column per group, named and ordered as `GroupBy` (Year int32;
    Month date32, its first day; Day date32; Price decimal128(12, 4), EUR cents of a message; else text, "" when
    unknown; totals have none of these), then sent, delivered, undelivered, transmitted (int64), cost_eur_cents
    (decimal128(38, 4)), delivery_rate (double, 0..1), median_dlr_s and p95_dlr_s (double, seconds within
    `core.domain.reports.delays.MOST_ERROR`, null without a delivered message). *chart* has the first group of time that
    is finest, or else the first group, and the same measures without the delays.
    """

    table: pa.Table
    group_count: int
    totals: pa.Table
    chart: pa.Table
