"""How fast numbers are read, and whether their validity, region, type and carrier are those of phonenumbers."""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import phonenumbers
import pyarrow as pa
from phonenumbers import carrier

from benchmarks.mobile_numbers import mobile_number
from benchmarks.report import Case, measured, stopwatch
from benchmarks.written_numbers import Written, ask_phonenumbers, write_numbers
from core.domain.numbering.read_numbers import read_number
from core.history.engine.door import Instance
from core.history.numbers.kept_ranges import KeptRanges
from core.history.numbers.reading_numbers import NumberReader

# phonenumbers' rate does not depend on how many numbers there are.
_BASELINE_ROWS = 20_000
_BLOCK_ROWS = 100_000
_SHOWN = 20


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=20_261_130)


def run(options: argparse.Namespace) -> int:
    """Read numbers of all kinds; 1 when anything is not as phonenumbers has it."""
    rows: int = options.rows
    with tempfile.TemporaryDirectory(prefix="heliograph-numbers-") as name:
        ranges = KeptRanges(Path(name))
        case = Case("numbers", "the ranges of all numbers, compiled and kept", 0)
        with measured(case):
            case.rows = len(ranges.tables().steps.starts)
        _read_lists(ranges, rows)
        return _prove(ranges, rows, options.seed)


def _read_lists(ranges: KeptRanges, rows: int) -> None:
    """Measure the numbers of a list as most are: mobile ones of several countries."""
    digits = [mobile_number(index) for index in range(rows)]
    baseline_s = _baseline([f"+{each}" for each in digits[:_BASELINE_ROWS]]) * rows
    _read(ranges, Case("numbers", f"{rows:,} mobile numbers, digits only", rows, baseline=baseline_s), digits)
    grouped = [f"+{each[:2]} {each[2:5]} {each[5:8]}-{each[8:]}" for each in digits]
    _read(ranges, Case("numbers", f"{rows:,} mobile numbers, in groups", rows, baseline=baseline_s), grouped)
    few = digits[:_BASELINE_ROWS]
    one_by_one = Case("numbers", f"{len(few):,} mobile numbers, one by one", len(few))
    one_by_one.baseline = baseline_s / rows * len(few)
    with measured(one_by_one):
        for each in few:
            read_number(each)


def _read(ranges: KeptRanges, case: Case, texts: Sequence[str]) -> None:
    table = pa.table({"text": texts})
    with Instance({"threads": "2"}).cursor() as cursor:
        reader = NumberReader(cursor, ranges)
        with measured(case):
            for start in range(0, table.num_rows, _BLOCK_ROWS):
                reader.read_table(table.slice(start, _BLOCK_ROWS))


def _baseline(texts: Sequence[str]) -> float:
    """Return the seconds phonenumbers takes for a number."""
    with stopwatch() as taken:
        for text in texts:
            number = phonenumbers.parse(text)
            phonenumbers.is_valid_number(number)
            phonenumbers.region_code_for_number(number)
            phonenumbers.number_type(number)
            carrier.name_for_number(number, "en")
    return taken[0] / len(texts)


def _prove(ranges: KeptRanges, rows: int, seed: int) -> int:
    """Read numbers of all regions in many ways of writing, and compare each with what phonenumbers says."""
    case = Case("numbers", f"{rows:,} of all regions in all ways of writing, right and wrong", rows)
    seconds = asked_s = 0.0
    found: Counter[str] = Counter()
    with Instance({"threads": "2"}).cursor() as cursor:
        reader = NumberReader(cursor, ranges)
        numbers = write_numbers(rows, seed)
        while block := list(islice(numbers, _BLOCK_ROWS)):
            with stopwatch() as taken:
                table = pa.table({"text": [each.text for each in block], "home": [each.home for each in block]})
                read = reader.read_table(table, home=None)
            seconds += taken[0]
            with stopwatch() as taken:
                found += _compare(block, read)
            asked_s += taken[0]
    case.seconds, case.baseline = seconds, asked_s
    case.emit()
    print(f"{dict(found)}", file=sys.stderr)
    return 1 if found["wrong"] or sum(found.values()) != rows else 0


def _compare(block: Sequence[Written], read: pa.Table) -> Counter[str]:
    found: Counter[str] = Counter()
    for written, row in zip(block, read.to_pylist(), strict=True):
        expected = ask_phonenumbers(written)
        ours = (row["msisdn"].removeprefix("+"), row["country"], row["line_type"], row["carrier"])
        if (ours if not row["fault"] else None) == expected:
            found["valid" if expected else "refused"] += 1
            continue
        found["wrong"] += 1
        if found["wrong"] <= _SHOWN:
            print(f"{written}: {row} instead of {expected}", file=sys.stderr)
    return found
