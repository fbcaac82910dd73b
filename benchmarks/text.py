"""Encoding and segments of many texts, in DuckDB against a loop in Python."""

import argparse
import random

import duckdb
import pyarrow as pa

from benchmarks.report import Case, measured, stopwatch
from core.domain.texts.segments import measure
from core.history.sql import text_measure

ALPHABETS = ("abcdefghij klmnopqr stuvwxyz", "ABC 0123 €[]{}", "Łódź Kraków żółć", "привет мир", "hello 😀 there")
WEIGHTS = (80, 8, 6, 3, 3)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--rows", type=int, default=1_000_000)


def run(options: argparse.Namespace) -> int:
    """Measure the same texts both ways; 1 when they disagree anywhere."""
    texts = _texts(options.rows)
    with stopwatch() as plain:
        expected = [(found.encoding.value, found.segment_count) for found in map(measure, texts)]
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    connection.register("incoming", pa.table({"position": range(len(texts)), "text": texts}))
    text_measure.install(connection)
    with measured(Case("text", "encoding and segments in DuckDB", len(texts), baseline=plain[0])):
        found = connection.execute(
            "SELECT position, sms_encoding(text) AS encoding, sms_segment_count(text) AS segments FROM incoming"
        ).to_arrow_table()
    rows = found.sort_by("position")
    return 0 if list(zip(rows["encoding"].to_pylist(), rows["segments"].to_pylist(), strict=True)) == expected else 1


def _texts(count: int) -> list[str]:
    generator = random.Random(7)  # noqa: S311 - texts, not secrets
    texts = []
    for alphabet in generator.choices(ALPHABETS, WEIGHTS, k=count):
        length = generator.randint(20, 200)
        texts.append("".join(generator.choices(alphabet, k=length)))
    return texts
