"""The table of replies, and the way to what each answers."""

from collections.abc import Sequence

from core.domain.reports.replies import ShownReply
from pages._ui import session, tables, widgets
from pages._ui.panels import closed
from pages._ui.screens.replies.reply_filters import KEY

_NOTHING = (
    "What people send back appears here within seconds, as far as your providers pass it on. To see earlier replies, "
    "choose another period or remove filters."
)
# A cell has one line.
_BREAK = " ↵ "


def one_line(reply: ShownReply) -> str:
    """Return its text as a cell shows it: lines after each other."""
    return _BREAK.join(reply.text.splitlines())


_COLUMNS = (
    tables.moment("Received Date", "received_at"),
    tables.text("From", "sender", width=124),
    tables.text("Text", one_line, width=210),
    tables.text("Asks For", "asks_for", width=126),
    tables.text("To", "receiver", width=88),
    tables.text("Campaign", "campaign", width=118),
)
_ACCOUNT = tables.text("Account", "account", width=134)


def show(replies: Sequence[ShownReply]) -> None:
    """Draw the replies of one page; the eye of a row leads to the message it answers."""
    _, viewer = session.current()
    columns = (*_COLUMNS, _ACCOUNT) if len(viewer.open_ids) > 1 else _COLUMNS
    key = f"{KEY}_table"
    click = tables.show(
        replies,
        columns,
        key=key,
        alt="Replies",
        time_zone=viewer.time_zone,
        actions={"view": [":material/visibility:" if reply.message_id else None for reply in replies]},
    )
    message_id = tables.find_clicked(key, click, [reply.message_id for reply in replies])
    if message_id:
        widgets.go("message", id=message_id, origin=KEY, **{widgets.BACK: widgets.way_back()})


def none() -> None:
    """Say that there are none, and why there may be none."""
    closed.no_messages(":material/forum:", "No replies", _NOTHING)
