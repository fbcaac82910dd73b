"""Group By on Statistics: which groups, their columns, their totals and their picture."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from core.domain.periods import Period
from core.history.queries import GroupBy
from pages._ui import charts, formats, session, tables, widgets
from pages._ui.widgets import Tile

PARAMETER = "group"
_MOMENT = timedelta(microseconds=1)
# Of a longer period only the part that holds messages is drawn.
_LONGEST_AXIS = timedelta(days=400)


def choose(key: str, default: Sequence[GroupBy]) -> tuple[GroupBy, ...]:
    """Draw the button and its panel; return the groups in the guide's order. They live in the address."""
    asked = set(st.query_params.get(PARAMETER, "").split(",")) & set(GroupBy) or set(default)
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
            st.query_params[PARAMETER] = ",".join(chosen)
            st.session_state[f"{key}_page"] = 1
        widgets.close_panel()
        st.rerun()


def columns(groups: Sequence[GroupBy]) -> tuple[tables.Column, ...]:
    """Return the columns that name a row's group."""
    return tuple(_column(group) for group in groups)


def totals(found: pa.Table) -> None:
    """Draw the sums over all groups."""
    sums = {name: pc.sum(found[name]).as_py() for name in ("sent", "delivered", "undelivered", "transmitted")}
    cost = formats.euros(pc.sum(found["cost_eur_cents"]).as_py())
    rate = formats.percent(sums["delivered"] / sums["sent"])
    widgets.tiles(
        (
            Tile("Sent", formats.number(sums["sent"]), cost),
            Tile("Delivered", formats.number(sums["delivered"]), f"{rate} of sent"),
            Tile("Undelivered", formats.number(sums["undelivered"])),
            Tile("Transmitted", formats.number(sums["transmitted"]), help="Sent, with no final receipt yet."),
        )
    )


def chart(found: pa.Table, groups: Sequence[GroupBy], period: Period) -> None:
    """Draw what was sent: over time when days are among the groups, else by the first group."""
    if GroupBy.DAY in groups:
        _, viewer = session.current()
        sums = found.group_by(GroupBy.DAY.value).aggregate([("sent", "sum")])
        sent = dict(zip(sums[GroupBy.DAY.value].to_pylist(), sums["sent_sum"].to_pylist(), strict=True))
        series = _by_day(sent, period, viewer.time_zone)
        figure = charts.traffic(series, formats.in_zone(session.now(), viewer.time_zone))
    else:
        first = groups[0]
        sums = found.group_by(first.value).aggregate([("sent", "sum")]).sort_by([("sent_sum", "descending")])
        names = [_word(first, value) for value in sums[first.value].to_pylist()]
        figure = charts.countries(pa.table({"country": names, "sent": sums["sent_sum"]}))
    with widgets.card("Sent", key="statistics_chart"):
        charts.show(figure, key="statistics_sent", alt=f"Messages sent by {', '.join(groups)}")


def _by_day(sent: Mapping[date, int], period: Period, time_zone: str) -> pa.Table:
    """Return bucket and sent for every day of the period: one without messages is no gap but a zero."""
    first, last = (formats.in_zone(end, time_zone).date() for end in (period.start, period.end - _MOMENT))
    if last - first > _LONGEST_AXIS:
        first, last = min(sent), max(sent)
    days = [first + timedelta(days=count) for count in range((last - first).days + 1)]
    buckets = pa.array([datetime.combine(day, time()) for day in days], pa.timestamp("us"))
    return pa.table({"bucket": buckets, "sent": [sent.get(day, 0) for day in days]})


def _column(group: GroupBy) -> tables.Column:
    return tables.made(str(group), str(group), lambda value: _word(group, value))


def _word(group: GroupBy, value: Any) -> str:
    """Return how a group's value reads; what is not known is said to be so."""
    match group:
        case GroupBy.DAY:
            return f"{value:%d/%m/%Y}"
        case GroupBy.MONTH:
            return f"{value:%m/%Y}"
        case GroupBy.PRICE:
            return formats.cents(value)
        case _:
            return str(value) or "Unknown"
