"""
The texts beside a table's values, given to Streamlit as it sends them.

Streamlit takes them from a pandas `Styler` only: it has every cell made into HTML, reads the texts back out of that,
and writes them one by one into a copy of the table, which was a quarter of a page's time. `Texts` is taken for a
`Styler`, and what Streamlit would do with one is done here for it.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import pandas as pd
import pyarrow as pa
from streamlit import dataframe_util
from streamlit.elements import arrow
from streamlit.elements.lib.pandas_styler_utils import marshall_styler
from streamlit.proto.ArrowData_pb2 import ArrowData

_DECIMALS = 6


class Texts:
    """A table, what its cells read, and how its last row looks."""

    def __init__(self, data: pd.DataFrame, shows: Mapping[str, Callable[[Any], str]], last_row: str = "") -> None:
        """
        Take the table, what makes the texts of a column, and CSS declarations.

        *shows* is given None where a value is missing; columns that it does not name read as they do in a `Styler`.
        """
        self.data = data
        self.last_row = last_row
        self._shows = shows

    def cells(self) -> pa.Table:
        """Return what the cells read, in the shape of the table."""
        labels = tuple(self.data)
        return pa.table(
            [pa.array(self._column(label), pa.string()) for label in labels], _schema(labels, len(self.data))
        )

    def rule(self, table: str) -> str:
        """Return the style sheet of the table that has the id *table*."""
        if not self.last_row:
            return ""
        rows, columns = self.data.shape
        cells = ", ".join(f"#T_{table}_row{rows - 1}_col{column}" for column in range(columns))
        return f"{cells} {{ {self.last_row} }}"

    def _column(self, label: Any) -> list[str]:
        show, values = self._shows.get(label), self.data[label]
        if show is None:
            return [_plain(value) for value in values.tolist()]
        missing = values.isna().tolist()
        return [show(None if is_missing else value) for value, is_missing in zip(values.tolist(), missing, strict=True)]


# Streamlit knows a Styler by the name of its type.
Texts.__module__, Texts.__qualname__, Texts.__name__ = "pandas.io.formats.style", "Styler", "Styler"


@lru_cache(maxsize=256)
def _schema(labels: tuple[str, ...], rows: int) -> pa.Schema:
    """Return the schema of so many texts by column, with what the browser needs to find the rows: they are counted."""
    empty = pd.DataFrame({label: [""] * rows for label in labels}, dtype=object)
    return pa.Schema.from_pandas(empty)


def _plain(value: Any) -> str:
    return f"{value:.{_DECIMALS}f}" if isinstance(value, float) else str(value)


def _marshall(proto: ArrowData, table: Any, default_uuid: str) -> None:
    """Do for `Texts` what Streamlit does for a `Styler`."""
    if not isinstance(table, Texts):
        marshall_styler(proto, table, default_uuid)
        return
    proto.styler.uuid = default_uuid
    proto.styler.styles = table.rule(default_uuid)
    proto.styler.display_values = dataframe_util.convert_arrow_table_to_arrow_bytes(table.cells())


arrow.marshall_styler = _marshall
