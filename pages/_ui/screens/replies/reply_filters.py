"""Which replies are shown; the page's address keeps it."""

import streamlit as st

from core.domain.messages.replies import Keyword
from core.domain.reports.replies import ReplyFilter
from core.domain.times.periods import Period
from pages._ui import address, session
from pages._ui.filters import choice

KEY = "replies"
_KEYWORDS = {
    "STOP": Keyword.STOP,
    "START": Keyword.START,
    "HELP": Keyword.HELP,
    "Other": Keyword.NONE,
}


def show(period: Period, search: str) -> ReplyFilter:
    """Draw the choices below the bar; return what is asked for with them."""
    app, viewer = session.current()
    choices = app.reports.replies.choices(viewer)
    names = {name: account_id for account_id, name in choices.accounts.items()}
    campaigns = dict(choices.campaigns)
    # One that was followed from elsewhere may be too old to be offered, or may not be named to this viewer.
    asked = address.get(f"{KEY}_campaign")
    if asked and asked not in campaigns:
        campaigns[asked] = "One campaign"
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{KEY}_filters"):
        keyword = choice.show(KEY, "keyword", "Asks For", {word: word for word in _KEYWORDS})
        account = choice.show(KEY, "account", "Account", {name: name for name in names}) if len(names) > 1 else None
        campaign = choice.show(KEY, "campaign", "Campaign", campaigns) if campaigns else None
    return ReplyFilter(
        period=period,
        search=search,
        keyword=_KEYWORDS[keyword] if keyword else None,
        account_id=names[account] if account else "",
        campaign_id=campaign or "",
    )
