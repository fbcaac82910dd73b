"""Replies: what people sent back, and to which message."""

from core.domain.people.permissions import Permission
from core.domain.times.periods import Preset
from core.services.reports.export_requests import RepliesRequest
from pages._ui import session, tables, widgets
from pages._ui.filters import period_filter, saved_views
from pages._ui.panels import downloads
from pages._ui.screens.replies import reply_filters, reply_table
from pages._ui.screens.replies.reply_filters import KEY

SIZES = (15, 25, 50, 100)

session.require(Permission.MESSAGE_HISTORY)
app, viewer = session.current()
request = tables.request(KEY, SIZES)

with widgets.show_errors() as shown:
    with tables.bar() as bar:
        tables.search(KEY, "Search number or text")
        period = period_filter.choose(KEY, viewer, Preset.LAST_30_DAYS)
        saved_views.menu(KEY)
    wanted = reply_filters.show(period, request.search)
    page = app.reports.replies.page(viewer, wanted, request.page, request.size)
    if page.total:
        with bar:
            downloads.menu(RepliesRequest(wanted), key=KEY)
        reply_table.show(page.items)
        tables.pager(KEY, page.total, SIZES)
    else:
        reply_table.none()
