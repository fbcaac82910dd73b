"""Charts are finished specifications: what plotly's Python would have made of them, without its looking each time."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import plotly.graph_objects as go
import plotly.io
import plotly.tools
import pyarrow as pa
import pytest

from pages._ui import charts
from pages._ui.charts import Chart, Unit

NOON = datetime(2026, 3, 1, 12)


@pytest.fixture(autouse=True, params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Any:
    with patch.object(charts, "palette", new=lambda: charts._COLORS[request.param]):
        yield


def series(count: int) -> pa.Table:
    buckets = [NOON + timedelta(days=number - count // 2) for number in range(count)]
    return pa.table({"bucket": buckets, "sent": [number * number for number in range(count)]})


def shares(count: int) -> pa.Table:
    return pa.table({"country": [f"Country {n}" for n in range(count)], "sent": [100 - n for n in range(count)]})


CHARTS: dict[str, Callable[[], Chart]] = {
    "line": lambda: charts.traffic(series(30), NOON),
    "months": lambda: charts.traffic(series(30), NOON, Unit.MONTH),
    "one point": lambda: charts.traffic(series(3).slice(2), NOON + timedelta(days=9)),
    "no line": lambda: charts.traffic(series(0), NOON),
    "few bars": lambda: charts.countries(shares(2)),
    "many bars": lambda: charts.countries(shares(40)),
    "no bar": lambda: charts.countries(shares(0)),
    "ring": lambda: charts.delivery(5, 2, 1),
    "no ring": lambda: charts.delivery(0, 0, 0),
}


def as_sent(figure: Any) -> dict[str, Any]:
    return json.loads(plotly.io.to_json(figure, validate=False))


@pytest.mark.parametrize("name", CHARTS)
def test_plotly_knows_every_value_and_adds_none(name: str):
    chart = CHARTS[name]()
    # A property plotly does not have, or a value it does not take, is an error here.
    assert as_sent(go.Figure(chart.to_dict())) == as_sent(chart)


def test_what_has_not_come_yet_is_no_point():
    sent = as_sent(charts.traffic(series(30), NOON))["data"][0]["y"]
    assert (sent[15], sent[16:]) == (225, [None] * 14)


def test_a_single_hour_has_one_label_and_few_messages_are_counted_whole():
    hour = pa.table({"bucket": [NOON], "sent": [2]})
    layout = as_sent(charts.traffic(hour, NOON, Unit.HOUR))["layout"]
    assert (layout["xaxis"]["tickmode"], len(layout["xaxis"]["tickvals"])) == ("array", 1)
    assert layout["yaxis"]["dtick"] == 1
    assert "tickvals" not in as_sent(charts.traffic(series(30), NOON))["layout"]["xaxis"]


def test_one_message_is_no_messages():
    pointed = as_sent(charts.delivery(5, 1, 0))["data"][0]["customdata"]
    assert pointed == ["5\u00a0messages", "1\u00a0message", "0\u00a0messages"]


def test_small_countries_are_together_and_nothing_is_lost():
    bars = as_sent(charts.countries(shares(40)))["data"][0]
    assert (len(bars["y"]), bars["y"][-1], sum(bars["x"])) == (8, "Others", sum(100 - n for n in range(40)))


def test_streamlit_takes_a_chart_as_it_is():
    chart = CHARTS["line"]()
    with patch.object(go, "Figure", side_effect=AssertionError("checked once more")):
        taken = plotly.tools.return_figure_from_figure_or_data(chart, validate_figure=True)
    assert taken is chart.to_dict()
