"""The rows behind a finding of the preflight."""

import streamlit as st

from core.domain.campaigns.preflight import RowKind, Wanted
from core.services.campaigns.preflighting import Look
from pages._ui import address, formats, session, tables, widgets
from pages._ui.components import scrolling

KEY = "preflight"
SIZES = (15, 25, 50, 100)
_KINDS = {
    RowKind.ALL: "All rows",
    RowKind.KEPT: "Everybody who gets a message",
    RowKind.EXCLUDED: "Excluded: {subject}",
    RowKind.EMPTY: "No value for {{{subject}}}",
    RowKind.NO_VALUE: "Doubtful value for {{{subject}}}",
    RowKind.WIDENED: "More segments because of Unicode",
    RowKind.LENGTH: "{subject} segments each",
    RowKind.FREQUENT: "Texted often recently",
    RowKind.DESTINATION: "To {subject}",
}
COLUMNS = (
    tables.text("Receiver", "Receiver"),
    tables.text("Country", "Country"),
    tables.text("Network", "Network"),
    tables.text("Message", "Message", width="medium"),
    tables.number("Segments", "Messages"),
    tables.money("Price [EUR c]", "Price"),
    tables.text("Excluded", "Status"),
    tables.text("List", "List"),
    tables.number("Row", "Row"),
)


def choose(kind: RowKind, subject: str = "") -> None:
    """Show these rows; the page's address keeps it."""
    address.put("rows", kind)
    address.put("about", subject)
    st.session_state[f"{KEY}_page"] = 1
    scrolling.ask(KEY)


def show(look: Look) -> None:
    """Draw a page of the chosen rows; of all of them before anything is chosen."""
    app, viewer = session.current()
    kind = address.get("rows", RowKind.ALL)
    wanted = Wanted(RowKind(kind) if kind in set(RowKind) else RowKind.ALL, address.get("about"))
    if not look.preflight.counted.audience_count:
        return
    request = tables.request(KEY, SIZES)
    with st.container(horizontal=True, vertical_alignment="center", key=f"{KEY}_rows_bar"):
        st.subheader(formats.plain(_KINDS[wanted.kind].format(subject=wanted.subject)), anchor=False, width="content")
        st.space("stretch")
        if wanted.kind is not RowKind.ALL:
            st.button("Show all rows", key=f"{KEY}_all", on_click=choose, args=(RowKind.ALL,))
    with widgets.show_errors():
        page = app.campaigns.preflighting.rows(viewer, look, wanted, request.page, request.size)
        tables.show(page.table, COLUMNS, key=f"{KEY}_rows", alt="Rows of the audience")
        tables.pager(KEY, page.total, SIZES)
    # Last: there must be something below to scroll to.
    scrolling.scroll_to(f"{KEY}_rows_bar", key=KEY)
