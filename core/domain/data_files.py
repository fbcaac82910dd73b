"""Reading the data files that lie beside our modules."""

import csv
from collections.abc import Iterator
from pathlib import Path


def read_table(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file by column name; lines that begin with `#` are comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    yield from csv.DictReader(line for line in lines if not line.startswith("#"))
