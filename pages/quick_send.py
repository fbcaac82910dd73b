"""Quick Send: a message to a few numbers, at once."""

from core.domain.people.permissions import Permission
from pages._ui import closed, session, widgets
from pages._ui.quick_send import quick_form

session.require(Permission.QUICK_SEND)
app, viewer = session.current()
with widgets.show_errors():
    closed.stop_if_closed()
    accounts = app.accounts.managing.list_sending(viewer)
    order = quick_form.fill_in(accounts)
    quick_form.show_counts(order)
    quick_form.buttons(order)
