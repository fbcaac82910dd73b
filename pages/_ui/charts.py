"""Plotly figures in the colours of the theme, drawn without clutter."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import plotly.graph_objects as go
import pyarrow as pa
import streamlit as st

from pages._ui import formats

# The theme's primary colour, also for undelivered messages; the guide's gray for delivered ones, a fainter one
# for those under way.
_COLOURS = {
    "light": {
        "primary": "#6750D8",
        "fill": "rgba(103, 80, 216, 0.14)",
        "delivered": "#8A879A",
        "undelivered": "#6750D8",
        "transmitted": "#D5D2E0",
    },
    "dark": {
        "primary": "#A594FF",
        "fill": "rgba(165, 148, 255, 0.18)",
        "delivered": "#8F8BA3",
        "undelivered": "#A594FF",
        "transmitted": "#4A4659",
    },
}


class Unit(StrEnum):
    """How long a bucket of time is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


# How a bucket is named where the pointer is, and on the axis.
_MOMENTS = {
    Unit.HOUR: ("%d/%m/%Y %H:%M", "%H:%M"),
    Unit.DAY: ("%d/%m/%Y", "%d/%m"),
    Unit.MONTH: ("%m/%Y", "%m/%Y"),
    Unit.YEAR: ("%Y", "%Y"),
}
_HEIGHT = 280
_BAR_HEIGHT = 34
_MOST_COUNTRIES = 8


def palette() -> dict[str, str]:
    """Return the named colours of the theme the browser shows."""
    return _COLOURS["dark" if st.context.theme.type == "dark" else "light"]


def traffic(series: pa.Table, until: datetime, unit: Unit | None = None) -> go.Figure:
    """
    Messages sent over time; the axis shows the whole period, the line ends at *until*.

    Args:
        series: columns bucket (its start, in the viewer's zone) and sent, in the order of time.
        until: the present moment in the viewer's zone: what has not come yet is not nothing.
        unit: how long the buckets are; hours or days are told apart without.
    """
    colours = palette()
    # Plotly shifts aware times to the browser's zone; these are already where they belong.
    buckets = [bucket.replace(tzinfo=None) for bucket in series["bucket"].to_pylist()]
    past = [bucket <= until.replace(tzinfo=None) for bucket in buckets]
    sent = [value if is_past else None for value, is_past in zip(series["sent"].to_pylist(), past, strict=True)]
    if not any(sent):
        return _nothing()
    if unit is None:
        unit = Unit.HOUR if len(buckets) > 1 and buckets[1] - buckets[0] < timedelta(days=1) else Unit.DAY
    pointed, ticks = _MOMENTS[unit]
    figure = go.Figure(
        go.Scatter(
            x=buckets,
            y=sent,
            # One or two points make no line: without markers a first campaign could not be seen.
            mode="lines+markers" if sum(past) < 3 else "lines",
            fill="tozeroy",
            fillcolor=colours["fill"],
            line={"color": colours["primary"], "width": 2.5, "shape": "linear"},
            marker={"size": 9},
            hovertemplate="%{x|" + pointed + "}<br><b>%{y:,}</b> sent<extra></extra>",
        )
    )
    _finish(figure, _HEIGHT)
    figure.update_yaxes(rangemode="tozero", tickformat="~s", nticks=5, gridwidth=1, automargin=True)
    figure.update_xaxes(showgrid=False, nticks=7, automargin=True, tickformat=ticks)
    return figure


def countries(shares: pa.Table) -> go.Figure:
    """
    Messages per country as horizontal bars, the largest first; the small ones together as Others.

    Args:
        shares: columns country (its name) and sent, the largest first.
    """
    names: list[str] = shares["country"].to_pylist()
    if not names:
        return _nothing()
    sent: list[int] = shares["sent"].to_pylist()
    if len(names) > _MOST_COUNTRIES:
        rest = sum(sent[_MOST_COUNTRIES - 1 :])
        names = [*names[: _MOST_COUNTRIES - 1], "Others"]
        sent = [*sent[: _MOST_COUNTRIES - 1], rest]
    total = sum(sent)
    figure = go.Figure(
        go.Bar(
            x=sent,
            y=names,
            orientation="h",
            marker={"color": palette()["primary"], "cornerradius": 4},
            text=[f" {formats.number(value)} ({formats.percent(value / total)})" for value in sent],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: <b>%{text}</b><extra></extra>",
        )
    )
    _finish(figure, max(_BAR_HEIGHT * len(names) + 16, 90))
    # The text stands beside the bar: leave it room on the right of the longest one.
    figure.update_xaxes(visible=False, range=[0, max(sent) * 1.9])
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True, ticksuffix="  ")
    figure.update_layout(bargap=0.35)
    return figure


def delivery(delivered: int, undelivered: int, transmitted: int) -> go.Figure:
    """Share of each delivery status as a ring: undelivered in purple and delivered in gray, as the guide has it."""
    total = delivered + undelivered + transmitted
    if not total:
        return _nothing()
    figure = _ring({"Delivered": delivered, "Undelivered": undelivered, "Transmitted": transmitted}, total)
    _finish(figure, _HEIGHT)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.04, "yanchor": "top"},
    )
    middle = f"<b>{formats.percent(delivered / total)}</b><br>delivered"
    figure.add_annotation(text=middle, showarrow=False, font={"size": 18})
    return figure


def _ring(parts: Mapping[str, int], total: int) -> go.Figure:
    colours = palette()
    return go.Figure(
        go.Pie(
            labels=[f"{name}  {formats.percent(value / total)}" for name, value in parts.items()],
            values=list(parts.values()),
            customdata=[formats.number(value) for value in parts.values()],
            marker={"colors": [colours[name.lower()] for name in parts]},
            hole=0.68,
            sort=False,
            direction="clockwise",
            textinfo="none",
            hovertemplate="%{label}<br><b>%{customdata}</b> messages<extra></extra>",
        )
    )


def show(figure: go.Figure, *, key: str, alt: str) -> None:
    """Draw *figure*; *alt* says in one sentence what it shows, for those who cannot see it."""
    config = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False}
    st.plotly_chart(figure, key=key, alt=alt, config=config, width="stretch")


def _nothing() -> go.Figure:
    figure = go.Figure()
    _finish(figure, _HEIGHT)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(
        text="No messages in this period", x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"size": 15}
    )
    return figure


def _finish(figure: go.Figure, height: int) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        dragmode=False,
        hovermode="closest",
    )
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
