"""Reading this package's own data files."""

import csv
from collections.abc import Iterator
from importlib import resources


def read_table(file_name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file beside this module by column name; lines that begin with `#` are comments."""
    text = resources.files(__package__).joinpath(file_name).read_text(encoding="utf-8")
    yield from csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
