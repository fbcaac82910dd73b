"""Quick Send: a message to a few numbers, at once."""

from core.domain.people.permissions import Permission
from pages._ui import session, widgets
from pages._ui.panels import closed
from pages._ui.screens.quick_send import quick_form

session.require(Permission.QUICK_SEND)
app, viewer = session.current()
with widgets.show_errors():
    closed.stop_if_closed()
    accounts = app.accounts.managing.list_sending(viewer)
    order = quick_form.fill_in(accounts)
    quick_form.buttons(order, quick_form.show_counts(order))
