"""Cells read as they would in a pandas Styler, which Streamlit would take the same from."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.elements import arrow
from streamlit.elements.lib.pandas_styler_utils import marshall_styler
from streamlit.proto.ArrowData_pb2 import ArrowData

from pages._ui import tables
from pages._ui.table_texts import Texts

WHEN = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)
DATA = pd.DataFrame(
    {
        "word": ["one", None, "<b>three & more</b>"],
        "whole": [1, 22_000, 3],
        "whole or none": pd.Series([1, None, 3], dtype=object).infer_objects(),
        "rate": [0.5, None, 1.0],
        "cents": [0.123456789, 2.0, None],
        "moment": [WHEN, None, WHEN],
        "status": [["Ready"], ["Faulted"], None],
        "nothing": pd.Series([None] * 3, dtype=object),
    }
)
LAST = "background-color: #123456; font-weight: 600"


def show(value: Any) -> str:
    return "–" if value is None else f"{value:,.1f}"


def as_streamlit_does() -> ArrowData:
    def formatted(value: Any) -> str:
        return show(None if pd.isna(value) else value)

    def mark(data: pd.DataFrame) -> pd.DataFrame:
        styles = pd.DataFrame("", index=data.index, columns=data.columns)
        styles.iloc[-1] = LAST
        return styles

    proto = ArrowData()
    marshall_styler(
        proto, Styler(DATA, uuid="uuid").format({"rate": formatted, "cents": formatted}).apply(mark, axis=None), "uuid"
    )
    return proto


def as_we_do(**options: str) -> ArrowData:
    proto = ArrowData()
    arrow.marshall_styler(proto, Texts(DATA, {"rate": show, "cents": show}, **options), "uuid")
    return proto


def test_cells_read_as_in_a_styler():
    theirs, ours = as_streamlit_does(), as_we_do(last_row=LAST)
    expected, found = (convert_arrow_bytes_to_pandas_df(each.styler.display_values) for each in (theirs, ours))
    assert found.to_dict("list") == expected.to_dict("list")
    assert found.index.equals(expected.index)
    assert isinstance(found.index, pd.RangeIndex)
    assert found["rate"].tolist() == ["0.5", "–", "1.0"]
    assert ours.styler.styles == theirs.styler.styles
    assert ours.styler.uuid == theirs.styler.uuid


def test_without_a_last_row_nothing_is_styled():
    assert as_we_do().styler.styles == ""


def test_a_real_styler_is_left_to_streamlit():
    proto = ArrowData()
    arrow.marshall_styler(proto, DATA.style, "uuid")
    assert convert_arrow_bytes_to_pandas_df(proto.styler.display_values)["rate"].tolist() == [
        "0.500000",
        "nan",
        "1.000000",
    ]


def test_a_table_of_words_alone_keeps_what_is_missing_in_it():
    # Given an array of objects pandas would make words of all of it, and a number that is none of what is missing.
    rows = [SimpleNamespace(name="one", note=None), SimpleNamespace(name=None, note="two")]
    data = tables._frame(rows, (tables.text("Name", "name"), tables.text("Note", "note")), None)
    alone = pd.DataFrame({label: pd.Series(data[label].tolist(), dtype=object) for label in data}).infer_objects()
    assert list(data.dtypes) == list(alone.dtypes)
    assert Texts(data, {}).cells().to_pydict() == {"Name": ["one", "None"], "Note": ["None", "two"]}
