"""Statistics: messages in groups, counted by what became of them."""

import pyarrow.compute as pc
import streamlit as st

from core.domain.periods import Preset
from core.domain.permissions import Permission
from core.history.queries import GroupBy
from pages._ui import grouping, period_filter, session, tables, widgets

KEY = "statistics"
SIZES = (15, 25, 50, 100)
COUNTS = (
    tables.number("Sent", "sent"),
    tables.number("Delivered", "delivered"),
    tables.number("Undelivered", "undelivered"),
    tables.number("Transmitted", "transmitted"),
    tables.share("Delivery Rate", "delivery_rate"),
    tables.euros("Cost", "cost_eur_cents"),
)

session.require(Permission.STATISTICS)
app, viewer = session.current()
request = tables.request(KEY, SIZES)

with widgets.show_errors():
    with st.container(horizontal=True, horizontal_alignment="right", key=f"{KEY}_bar"):
        period = period_filter.choose(KEY, viewer, Preset.LAST_30_DAYS)
        groups = grouping.choose(KEY, (GroupBy.COUNTRY, GroupBy.DAY))
    found = app.reporting.statistics(viewer, period, groups)
    if found.num_rows and pc.sum(found["sent"]).as_py():
        grouping.totals(found)
        grouping.chart(found, groups, period)
        rows = found.append_column("delivery_rate", pc.divide(found["delivered"].cast("double"), found["sent"]))
        tables.show(
            rows.slice(request.offset, request.size),
            (*grouping.columns(groups), *COUNTS),
            key=f"{KEY}_table",
            alt="Messages by group",
            time_zone=viewer.time_zone,
        )
        tables.pager(KEY, found.num_rows, SIZES)
    else:
        with widgets.empty_state(":material/bar_chart:", "Nothing was sent", "Choose another time."):
            pass
