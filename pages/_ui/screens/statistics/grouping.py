"""Group By on Statistics, and what its groups look like: rows, totals and chart."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import streamlit as st

from core.answers import StatisticsPage
from core.domain.reports.statistics import TIMES, GroupBy
from core.domain.times.periods import Period
from core.services.reports.reporting import StatisticsRequest
from pages._ui import address, charts, formats, session, tables, widgets
from pages._ui.widgets import Tile

PARAMETER = "group"
_MOMENT = timedelta(microseconds=1)
# Of a longer period only the part that holds messages is drawn.
_LONGEST_AXIS = timedelta(days=400)
_COUNTRY_WIDTH_PX = 112
_DELAY_HELP = (
    "From sending to the delivery receipt: half of the delivered messages took no longer. Accurate to within 10 %."
)

MEASURES = (
    tables.number("Sent", "sent"),
    tables.number("Delivered", "delivered"),
    tables.number("Undelivered", "undelivered"),
    tables.number("Transmitted", "transmitted"),
    tables.share("Delivery Rate", "delivery_rate"),
    tables.euros("Cost", "cost_eur_cents"),
    tables.duration("DLR Time", "median_dlr_s"),
    tables.duration("DLR Time 95 %", "p95_dlr_s"),
)


def choose(key: str, default: Sequence[GroupBy]) -> tuple[GroupBy, ...]:
    """Draw the button and its panel; return the groups in the guide's order. They live in the address."""
    asked = set(address.get(PARAMETER).split(",")) & set(GroupBy) or set(default)
    groups = tuple(group for group in GroupBy if group in asked)
    if st.button("Group By", icon=":material/stacks:", key=f"{key}_group_by", help=", ".join(groups)):
        widgets.open_panel(f"{key}_groups", key)
    if widgets.is_open(f"{key}_groups"):
        _panel(key, groups)
    return groups


@st.dialog("Group By", position="right", icon=":material/stacks:", on_dismiss=widgets.close_panel)
def _panel(key: str, groups: Sequence[GroupBy]) -> None:
    with st.form(f"{key}_groups_form", border=False):
        chosen = [group for group in GroupBy if st.checkbox(group, group in groups, key=f"{key}_group_{group}")]
        with st.container(horizontal=True, horizontal_alignment="right"):
            cancel = st.form_submit_button("Cancel", key=f"{key}_groups_cancel")
            apply = st.form_submit_button("Apply", type="primary", key=f"{key}_groups_apply")
    if apply and not chosen:
        st.error("Choose at least one.", icon=":material/error:")
    elif apply or cancel:
        if apply:
            address.put(PARAMETER, ",".join(chosen))
            st.session_state[f"{key}_page"] = 1
        widgets.close_panel()
        st.rerun()


def columns(groups: Sequence[GroupBy]) -> tuple[tables.Column, ...]:
    """Return the table's columns: what names a row's group, and its measures."""
    return (*(_column(group) for group in groups), *MEASURES)


def total_row(found: StatisticsPage, groups: Sequence[GroupBy]) -> dict[str, Any]:
    """Return the row of everything, by source; its first group says what it is, the others nothing."""
    names: dict[str, Any] = dict.fromkeys(map(str, groups))
    return names | {str(groups[0]): tables.TOTAL} | found.totals.to_pylist()[0]


def totals(found: StatisticsPage) -> None:
    """Draw the sums over all groups."""
    (row,) = found.totals.to_pylist()
    slow = f"95 % within {formats.duration(row['p95_dlr_s'])}" if row["p95_dlr_s"] is not None else ""
    widgets.tiles(
        (
            Tile("Sent", formats.number(row["sent"]), formats.euros(row["cost_eur_cents"])),
            Tile("Delivered", formats.number(row["delivered"]), f"{formats.percent(row['delivery_rate'])} of sent"),
            Tile("Undelivered", formats.number(row["undelivered"])),
            Tile("Transmitted", formats.number(row["transmitted"]), help="Sent, with no final receipt yet."),
            Tile("DLR Time", formats.duration(row["median_dlr_s"]), slow, help=_DELAY_HELP),
        )
    )


def chart(found: StatisticsPage, asked: StatisticsRequest) -> None:
    """Draw what was sent: over time when a group is one of time, a single day by its hours; else by the first group."""
    app, viewer = session.current()
    by = GroupBy(found.chart.column_names[0])
    title = str(by)
    if by in TIMES and _is_one_day(asked.period, viewer.time_zone):
        # A point for the day would say nothing that the numbers above do not.
        title, series = "Hour", app.reports.reporting.hours(viewer, asked)
        figure = charts.traffic(series, formats.in_zone(session.now(), viewer.time_zone), charts.Unit.HOUR)
    elif by in TIMES:
        sent = dict(zip(found.chart[by].to_pylist(), found.chart["sent"].to_pylist(), strict=True))
        series = _over_time(by, sent, asked.period, viewer.time_zone)
        figure = charts.traffic(series, formats.in_zone(session.now(), viewer.time_zone), charts.Unit(by.lower()))
    else:
        sums = found.chart.sort_by([("sent", "descending")])
        names = [_word(by, value) for value in sums[by].to_pylist()]
        figure = charts.countries(pa.table({"country": names, "sent": sums["sent"]}))
    with widgets.card(f"Sent by {title}", key="statistics_chart"):
        charts.show(figure, key="statistics_sent", alt=f"Messages sent by {', '.join(asked.group_by)}")


def _is_one_day(period: Period, time_zone: str) -> bool:
    first, last = (formats.in_zone(end, time_zone).date() for end in (period.start, period.end - _MOMENT))
    return first == last


def _over_time(by: GroupBy, sent: Mapping[Any, int], period: Period, time_zone: str) -> pa.Table:
    """Return bucket and sent for all of the period: a day or month without messages is no gap but a zero."""
    first, last = (formats.in_zone(end, time_zone).date() for end in (period.start, period.end - _MOMENT))
    counts = {_as_day(key): count for key, count in sent.items()}
    if last - first > _LONGEST_AXIS:
        first, last = min(counts), max(counts)
    buckets = _starts(by, first, last)
    moments = pa.array([datetime.combine(day, time()) for day in buckets], pa.timestamp("us"))
    return pa.table({"bucket": moments, "sent": [counts.get(day, 0) for day in buckets]})


def _as_day(key: date | int) -> date:
    return key if isinstance(key, date) else date(key, 1, 1)


def _starts(by: GroupBy, first: date, last: date) -> Sequence[date]:
    """Return the first days of the days, months or years from *first* to *last*."""
    if by is GroupBy.DAY:
        return [first + timedelta(days=count) for count in range((last - first).days + 1)]
    if by is GroupBy.YEAR:
        return [date(year, 1, 1) for year in range(first.year, last.year + 1)]
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(month // 12, month % 12 + 1, 1) for month in months]


def _column(group: GroupBy) -> tables.Column:
    # The grid measures the first rows only, and countries differ much in length.
    width = _COUNTRY_WIDTH_PX if group is GroupBy.COUNTRY else None
    return tables.made(str(group), str(group), lambda value: _word(group, value), width=width)


def _word(group: GroupBy, value: Any) -> str:
    """Return how a group's value reads; what is not known is said to be so."""
    if value == tables.TOTAL:
        return str(value)
    match group:
        case GroupBy.DAY:
            return f"{value:%d/%m/%Y}"
        case GroupBy.MONTH:
            return f"{value:%m/%Y}"
        case GroupBy.PRICE:
            return formats.cents(value)
        case _:
            return str(value) or "Unknown"
