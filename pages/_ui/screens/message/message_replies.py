"""What was sent back to a message, as it came: words of strangers, of which nothing is markup."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import streamlit as st

from core.domain.reports.replies import ShownReply
from pages._ui import formats, widgets

_CSS = Path(__file__).with_name("message_replies.css")


def show(replies: Sequence[ShownReply], time_zone: str) -> None:
    """Draw them, oldest first; times are of *time_zone*."""
    with widgets.card("Replies", key="message_replies"):
        st.html(_CSS)
        st.html(render(replies, time_zone))


def render(replies: Sequence[ShownReply], time_zone: str) -> str:
    """Return the replies as a list of HTML: each text has its own direction, and turns around nothing outside of it."""
    return f'<ol class="replies">{"".join(_item(reply, time_zone) for reply in replies)}</ol>'


def _item(reply: ShownReply, time_zone: str) -> str:
    tag = f'<span class="tag">{escape(reply.asks_for)}</span>' if reply.asks_for else ""
    when = f'<time datetime="{reply.received_at.isoformat()}">{formats.moment(reply.received_at, time_zone)}</time>'
    return f'<li><p class="text" dir="auto">{escape(reply.text)}</p><p class="when">{when}{tag}</p></li>'
