"""Dashboard: the traffic of a period at a glance."""

import streamlit as st

from core.answers import TrafficSummary
from core.domain.times.periods import Preset, resolve_period
from pages._ui import address, charts, formats, session, widgets
from pages._ui.panels import add_list, closed, first_steps
from pages._ui.widgets import Tile

# The guide's six choices.
PERIODS = (
    Preset.TODAY,
    Preset.YESTERDAY,
    Preset.LAST_7_DAYS,
    Preset.LAST_30_DAYS,
    Preset.THIS_MONTH,
    Preset.LAST_MONTH,
)
REFRESH_S = 10


@st.fragment(run_every=REFRESH_S)
def overview() -> None:
    """Draw everything about the chosen period, again and again."""
    app, viewer = session.current()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header("SMS Traffic", anchor=False, width="content")
        key, bind = "dashboard_period", address.bound("dashboard_period")
        preset = st.selectbox("Period", PERIODS, key=key, bind=bind, label_visibility="collapsed", width=180)
    with widgets.show_errors():
        closed.warn_without_account("Only the messages of your traffic accounts are counted.")
        now = session.now()
        summary = app.reports.reporting.traffic(viewer, resolve_period(preset, now, viewer.time_zone))
        with widgets.place():
            first_steps.show()
        figures(summary)
        with widgets.card(f"Messages sent, {preset.lower()}", key="dashboard_graph"):
            sent = formats.count(summary.total, "message", "messages")
            drawn = charts.traffic(summary.series, formats.in_zone(now, viewer.time_zone))
            charts.show(drawn, key="dashboard_traffic", alt=f"{sent} sent {preset.lower()}")
        breakdowns(summary)


def figures(summary: TrafficSummary) -> None:
    """Draw the three numbers."""
    rate = formats.percent(summary.delivery_rate if summary.total else None)
    widgets.tiles(
        (
            Tile("SMS Traffic Quantity", formats.number(summary.total), help="Messages sent."),
            Tile("SMS Traffic Cost", formats.euros(summary.cost_eur_cents), help="What they cost in total."),
            Tile("SMS Traffic Delivery Rate", rate, help="The share of them that was delivered."),
        ),
        min_width=210,
    )


def breakdowns(summary: TrafficSummary) -> None:
    """Draw delivery status and countries, and the shortcuts beside them."""
    counts = {"delivered": summary.delivered, "undelivered": summary.undelivered, "transmitted": summary.transmitted}
    status, country, shortcuts = st.columns([1.05, 1.35, 0.95])
    with status, widgets.card("Delivery status breakdown", key="dashboard_status"):
        said = ", ".join(f"{count} {name}" for name, count in counts.items())
        charts.show(charts.delivery(**counts), key="dashboard_delivery", alt=said)
    with country, widgets.card("Country breakdown", key="dashboard_country"):
        charts.show(charts.countries(summary.countries), key="dashboard_countries", alt="Messages sent by country")
    with shortcuts, widgets.card("Shortcuts", key="dashboard_shortcuts"):
        add_list.link(key="dashboard_add_list", width="stretch")
        widgets.link(
            "Create Campaign", "create_campaign", key="dashboard_create", icon=":material/edit_square:", width="stretch"
        )


overview()
