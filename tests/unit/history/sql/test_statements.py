"""The SQL of the lake keeps clear of what ends DuckDB."""

import re
from pathlib import Path

import pytest

_FILES = sorted((Path(__file__).parents[4] / "core" / "history").rglob("*.sql"))
# An aggregate over all rows at once, such as count(*) OVER (): now and then it finds no thread's state where few rows
# come out of a filter, and the process ends (DuckDB 1.5.5, its issue 25713). row_number() OVER () is not affected.
_OVER_EVERYTHING = re.compile(r"^(?!.*\brow_number\(\) OVER \(\s*\))(?!\s*--).*\bOVER \(\s*\)", re.MULTILINE)


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.name)
def test_no_aggregate_runs_over_all_rows(file: Path):
    assert not _OVER_EVERYTHING.findall(file.read_text("utf-8"))


def test_the_guard_finds_one():
    assert _OVER_EVERYTHING.findall("SELECT x,\n    count(*) OVER () AS total\nFROM y")
    assert len(_FILES) > 10
