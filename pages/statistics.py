"""Statistics: messages in groups, counted by what became of them."""

import streamlit as st

from core.domain.people.permissions import Permission
from core.domain.reports.exports import ExportFormat
from core.domain.reports.statistics import GroupBy
from core.domain.times.periods import Preset
from core.services.reports.reporting import StatisticsRequest
from pages._ui import session, tables, widgets
from pages._ui.filters import drilling, name_filter, period_filter, saved_views
from pages._ui.panels import closed, downloads
from pages._ui.screens.statistics import grouping, sorting

KEY = "statistics"
SIZES = (15, 25, 50, 100)

session.require(Permission.STATISTICS)
app, viewer = session.current()
request = tables.request(KEY, SIZES)

with widgets.show_errors():
    bar = st.container(horizontal=True, horizontal_alignment="right", key=f"{KEY}_bar")
    with bar:
        period = period_filter.choose(KEY, viewer, Preset.LAST_30_DAYS)
        name_filter.button(KEY)
        groups = grouping.choose(KEY, (GroupBy.COUNTRY, GroupBy.DAY))
        order = sorting.choose(KEY, groups)
        saved_views.menu(KEY)
    name_filter.chips(KEY)
    asked = StatisticsRequest(period, groups, name_filter.active(), order, request.page, request.size)
    found = app.reports.reporting.statistics(viewer, asked)
    if found.group_count:
        with bar:
            downloads.button("Export as Excel", asked, ExportFormat.XLSX, key=f"{KEY}_export")
        grouping.totals(found)
        grouping.chart(found, asked)
        click = tables.show(
            tables.Totalled(found.table, grouping.total_row(found, groups)),
            grouping.columns(groups),
            key=f"{KEY}_table",
            alt="Messages by group",
            actions={"messages": ":material/list:"} if viewer.may(Permission.MESSAGE_HISTORY) else {},
        )
        tables.pager(KEY, found.group_count, SIZES)
        if click:
            row = found.table.slice(click.row, 1).to_pylist()[0]
            widgets.go("message_history", **drilling.lead(row, groups, period, viewer.time_zone))
    else:
        closed.no_messages(":material/bar_chart:", "Nothing was sent")
