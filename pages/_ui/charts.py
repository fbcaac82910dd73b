"""
Charts in the colors of the theme, drawn without clutter.

Each is the specification that plotly's script draws. Plotly's Python would check every value of it again, which took
half of the time of a Dashboard; a test does so instead.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import plotly.graph_objects as go
import pyarrow as pa
import streamlit as st
from plotly.basedatatypes import BaseFigure

from core.domain.words.counting import THIN
from pages._ui import formats

# The theme's primary color, also for undelivered messages; the guide's gray for delivered ones, a fainter one
# for those under way.
_COLORS = {
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
_CLEAR = "rgba(0,0,0,0)"
_BAR_HEIGHT = 34
_MOST_COUNTRIES = 8
_COUNT_TICKS, _MOMENT_TICKS = 5, 7


class Chart(BaseFigure):
    """A figure as Streamlit takes it, and as it is sent to the browser."""

    def __init__(self, trace: dict[str, Any] | None = None, **layout: Any) -> None:
        """Take what is drawn, if anything is, and how; *layout* adds to what all charts have."""
        axes = {name: {"fixedrange": True, **layout.pop(name, {})} for name in ("xaxis", "yaxis")}
        self._specification = {
            "data": [trace] if trace else [],
            "layout": {"template": _template(), **_LAYOUT, **layout, **axes},
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the whole specification."""
        return self._specification


_LAYOUT = {
    "height": _HEIGHT,
    "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
    "paper_bgcolor": _CLEAR,
    "plot_bgcolor": _CLEAR,
    "showlegend": False,
    "dragmode": False,
    "hovermode": "closest",
    # Thousands as everywhere else.
    "separators": f".{THIN}",
}


@cache
def _template() -> dict[str, Any]:
    # Streamlit's own, to which it adapts the colors of the theme in the browser.
    template: dict[str, Any] = go.Figure().to_dict()["layout"]["template"]
    return template


def palette() -> dict[str, str]:
    """Return the named colors of the theme the browser shows."""
    return _COLORS["dark" if st.context.theme.type == "dark" else "light"]


def traffic(series: pa.Table, until: datetime, unit: Unit | None = None) -> Chart:
    """
    Messages sent over time; the axis shows the whole period, the line ends at *until*.

    Args:
        series: columns bucket (its start, in the viewer's zone) and sent, in the order of time.
        until: the present moment in the viewer's zone: what has not come yet is not nothing.
        unit: how long the buckets are; hours or days are told apart without.
    """
    colors = palette()
    # Plotly shifts aware times to the browser's zone; these are already where they belong.
    buckets = [bucket.replace(tzinfo=None) for bucket in series["bucket"].to_pylist()]
    past = [bucket <= until.replace(tzinfo=None) for bucket in buckets]
    sent = [value if is_past else None for value, is_past in zip(series["sent"].to_pylist(), past, strict=True)]
    if not any(sent):
        return _nothing()
    if unit is None:
        unit = Unit.HOUR if len(buckets) > 1 and buckets[1] - buckets[0] < timedelta(days=1) else Unit.DAY
    pointed, ticks = _MOMENTS[unit]
    line = {
        "type": "scatter",
        "x": buckets,
        "y": sent,
        # One or two points make no line: without markers a first campaign could not be seen.
        "mode": "lines+markers" if sum(past) < 3 else "lines",
        "fill": "tozeroy",
        "fillcolor": colors["fill"],
        "line": {"color": colors["primary"], "width": 2.5, "shape": "linear"},
        "marker": {"size": 9},
        "hovertemplate": "%{x|" + pointed + "}<br><b>%{y:,}</b> sent<extra></extra>",
    }
    counts = {"rangemode": "tozero", "tickformat": "~s", "nticks": _COUNT_TICKS, "gridwidth": 1, "automargin": True}
    if max(value or 0 for value in sent) < _COUNT_TICKS:
        # There is no half of a message, and "~s" would call it 500m.
        counts["dtick"] = 1
    moments = {"showgrid": False, "nticks": _MOMENT_TICKS, "automargin": True, "tickformat": ticks}
    if len(buckets) <= _MOMENT_TICKS:
        # Between few buckets plotly puts ticks of its own, which would repeat the label of the one before.
        moments |= {"tickmode": "array", "tickvals": buckets}
    return Chart(line, xaxis=moments, yaxis=counts)


def countries(shares: pa.Table) -> Chart:
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
    bars = {
        "type": "bar",
        "x": sent,
        "y": names,
        "orientation": "h",
        "marker": {"color": palette()["primary"], "cornerradius": 4},
        "text": [f" {formats.number(value)} ({formats.percent(value / total)})" for value in sent],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y}: <b>%{text}</b><extra></extra>",
    }
    return Chart(
        bars,
        height=max(_BAR_HEIGHT * len(names) + 16, 90),
        bargap=0.35,
        # The text stands beside the bar: leave it room on the right of the longest one.
        xaxis={"visible": False, "range": [0, max(sent) * 1.9]},
        yaxis={"autorange": "reversed", "showgrid": False, "automargin": True, "ticksuffix": "  "},
    )


def delivery(delivered: int, undelivered: int, transmitted: int) -> Chart:
    """Share of each delivery status as a ring: undelivered in purple and delivered in gray, as the guide has it."""
    total = delivered + undelivered + transmitted
    if not total:
        return _nothing()
    parts = {"Delivered": delivered, "Undelivered": undelivered, "Transmitted": transmitted}
    middle = f"<b>{formats.percent(delivered / total)}</b><br>delivered"
    return Chart(
        _ring(parts, total),
        showlegend=True,
        legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.04, "yanchor": "top"},
        annotations=[{"text": middle, "showarrow": False, "font": {"size": 18}}],
    )


def _ring(parts: Mapping[str, int], total: int) -> dict[str, Any]:
    colors = palette()
    return {
        "type": "pie",
        "labels": [f"{name}  {formats.percent(value / total)}" for name, value in parts.items()],
        "values": list(parts.values()),
        "customdata": [formats.count(value, "message", "messages") for value in parts.values()],
        "marker": {"colors": [colors[name.lower()] for name in parts]},
        "hole": 0.68,
        "sort": False,
        "direction": "clockwise",
        "textinfo": "none",
        "hovertemplate": "%{label}<br><b>%{customdata}</b><extra></extra>",
    }


def show(chart: Chart, *, key: str, alt: str) -> None:
    """Draw *chart*; *alt* says in one sentence what it shows, for those who cannot see it."""
    config = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False}
    st.plotly_chart(chart, key=key, alt=alt, config=config, width="stretch")


def _nothing() -> Chart:
    words = {"text": "No messages in this period", "showarrow": False, "font": {"size": 15}}
    middle = {"x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper"}
    hidden = {"visible": False}
    return Chart(annotations=[words | middle], xaxis=hidden, yaxis=hidden)
