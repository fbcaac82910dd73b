"""
Reading numbers as people write them, a table of them at once.

What is a number, and which, is decided by `core.domain.numbering.msisdn`. Here the same is done in DuckDB: digits are
joined by patterns that take only what cannot be read otherwise, and looked up in the ranges of all numbers. Whatever
those patterns do not take is given to `read_number`, once for each different text. Both ways say the same
(`tests/integration/history/numbers/test_reading_numbers.py`, `python -m benchmarks numbers`).
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache

import pyarrow as pa

from core.domain.numbering.faults import MsisdnFault
from core.domain.numbering.msisdn import GROUPING, UNSEEN
from core.domain.numbering.plans import MAX_DIGITS, calling_code_of
from core.domain.numbering.ranges import MOST_DIGITS
from core.domain.numbering.read_numbers import ReadNumber, read_number
from core.domain.words.control_characters import find_control
from core.history.engine.door import Cursor, Instance
from core.history.engine.results import fetch_one
from core.history.numbers.kept_ranges import KeptRanges
from core.history.numbers.steps import HOME_DIGITS, HOME_WIDTH, Steps, steps_at_home
from core.history.sql.arrow_texts import find_fault
from core.history.sql.statements import load_statements

SQL = load_statements("numbers/reading_numbers.sql")

# So few are read by Python before the ranges would be there.
FEW = 1_000
# A DuckDB that does nothing else.
_OWN = {"memory_limit": "1GiB", "threads": "2", "temp_directory": ""}
# Texts that Python is asked for at a time, and answers held.
_ASKED_AT_ONCE = 50_000
# Longer texts may hide what somebody means by them.
_LONGEST = 200
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
# Digits of other scripts, as many people use them.
_ZEROS = "\u0660\u06f0\u0966\uff10"


def _class_of(characters: str) -> str:
    """Return what stands in the brackets of one of DuckDB's patterns for those of Python's *characters*."""
    found = re.findall(f"[{characters}]", "".join(map(chr, range(0x10000))))
    # No text that comes here holds a control character.
    return "".join(rf"\x{{{ord(each):x}}}" for each in found if not find_control(each, is_prose=True))


@cache
def _patterns() -> dict[str, str]:
    unseen, group = _class_of(UNSEEN), _class_of(UNSEEN + GROUPING)
    zero = rf"[(][{unseen}]*0[{unseen}]*[)]"
    return {
        "unseen": unseen,
        "group": group,
        "plain": f"[+]?[0-9]{{1,{MOST_DIGITS}}}",
        "longest": str(_LONGEST),
        "odd": "".join(chr(ord(each) + digit) for each in _ZEROS for digit in range(10)) + "\uff0b",
        "usual": "0123456789" * len(_ZEROS) + "+",
        # Not with a minus.
        "begins": rf"(?s)[{unseen}]*[+(0-9].*",
        # No two numbers are as short together.
        "short": "(?:[+]|00)?[0-9]{1,13}",
        # Nothing before the slash is a number by itself.
        "slash": "(?s)[^0-9/]*0?[0-9]{0,3}[^0-9/]*/[^/]*",
        # Neither a fraction nor a whole number before the first point.
        "point": "(?s)[^0-9.]*(?:[0-9][^0-9.]*){1,7}[.](?:[^0-9]*[0-9]){3,}[^0-9]*",
        "brackets": "(?s)[^()]*[(][^()]*[)][^()]*[0-9][^()]*",
        "zero": zero,
        "zero_abroad": rf"^[{unseen}]*(?:(?:[+]|00)[{group}]*[1-9]|[1-9])[^(]*{zero}",
        "zero_at_home": rf"^[{unseen}]*{zero}[{group}]*[1-9]",
        "too_long": str(10**MAX_DIGITS),
        "home_digits": str(HOME_DIGITS),
        "no_country": MsisdnFault.NO_COUNTRY,
        "too_long_fault": MsisdnFault.TOO_LONG,
        "two_readings": MsisdnFault.TWO_READINGS,
    }


class NumberReader:
    """
    Reads numbers on one cursor; what it needs is there from the first `read` on until the cursor's end.

    Names of tables that begin with `number_` are its own.
    """

    def __init__(self, cursor: Cursor, ranges: KeptRanges) -> None:
        """Take the cursor and the ranges, which are not opened for a few numbers."""
        self._cursor = cursor
        self._ranges = ranges
        self._is_open = False

    def read(self, source: str, into: str, home: str | None = "") -> None:
        """
        Read the numbers of a table.

        Args:
            source: Name of a table, or a query in brackets, with row_no (BIGINT, each once) and text (VARCHAR); where
                *home* is None also home (VARCHAR), that of each row.
            into: Name of the temporary table that is made, or replaced: row_no and the fields of
                `core.domain.numbering.read_numbers.ReadNumber`, VARCHAR and never NULL; a row for each of *source*, in
                no order.
            home: The country (ISO 3166-1 alpha-2) where numbers without a country code are dialled; "": not known.
        """
        if fetch_one(self._cursor, SQL["few"].format(source=source), {"few": FEW})[0]:
            self._read_few(source, into, home)
            return
        self._open()
        homes = self._know_homes(source, home)
        names = {**_patterns(), "source": source, "into": into, "home": _home_of(home)}
        self._run("join_digits", names)
        self._run("take_signs", names)
        self._judge(names, homes)
        self._run("tell", names)
        self._answer(names)

    def read_texts(self, texts: Sequence[str]) -> list[ReadNumber]:
        """Return what each of the texts is read as, in their order."""
        found = self.read_table(pa.table({"text": pa.array(texts, pa.string())}))
        return list(map(ReadNumber._make, zip(*(column.to_pylist() for column in found.columns), strict=True)))

    def read_table(self, texts: pa.Table, home: str | None = "") -> pa.Table:
        """
        Read the numbers of a table: text (string) and, where *home* is None, home (string), each row's own.

        Returns: The fields of `ReadNumber` (string, never NULL), in the order of *texts*.
        """
        rows = pa.array(range(texts.num_rows), pa.int64())
        self._cursor.register("number_source", _without_controls(texts).append_column("row_no", rows))
        self.read("number_source", "number_result", home)
        self._cursor.unregister("number_source")
        read = self._cursor.execute("SELECT * EXCLUDE (row_no) FROM number_result ORDER BY row_no").to_arrow_table()
        self._cursor.execute("DROP TABLE number_result")
        return read

    def _open(self) -> None:
        if not self._is_open:
            with self._registered(number_places_known=self._ranges.tables().places):
                self._run("create_places", {})
            self._is_open = True

    def _know_homes(self, source: str, home: str | None) -> Sequence[str]:
        """Return the homes there are, and let DuckDB know them."""
        homes = [home]
        if home is None:
            homes = [row[0] for row in self._cursor.execute(SQL["list_homes"].format(source=source)).fetchall()]
        known = sorted(each for each in homes if each and calling_code_of(each))
        columns = {
            "home": pa.array(known, pa.string()),
            "calling_code": pa.array(map(calling_code_of, known), pa.string()),
            "first": pa.array((number * HOME_WIDTH for number in range(len(known))), pa.int64()),
        }
        with self._registered(number_homes_known=pa.table(columns)):
            self._run("create_homes", {})
        return known

    def _judge(self, names: Mapping[str, str], homes: Sequence[str]) -> None:
        """Look up all readings, and say of each row which number it is, or why none; NULL: Python is to be asked."""
        steps = self._ranges.tables().steps
        with (
            self._registered(number_found=self._look_up("list_abroad", names, steps)),
            self._registered(number_cut=self._look_up("list_cut", names, steps)),
        ):
            self._run("take_abroad", names)
        self._run("judge_abroad", names)
        if homes:
            with self._registered(number_dialled=self._look_up("list_at_home", names, steps_at_home(homes))):
                at_home = self._look_up("list_numbered", names, steps)
            with self._registered(number_at_home=at_home):
                self._run("judge_at_home", names)
        self._run("settle_zeros", names)

    def _look_up(self, question: str, names: Mapping[str, str], steps: Steps) -> pa.Table:
        return steps.beside(self._cursor.execute(SQL[question].format(**names)).to_arrow_table())

    def _read_few(self, source: str, into: str, home: str | None) -> None:
        of_row = "coalesce(home, '')" if home is None else _home_of(home)
        cells = self._cursor.execute(SQL["list_few"].format(source=source, home=of_row)).fetchall()
        read = _as_table([read_number(text, home) for _, text, home in cells])
        rows = pa.array([row_no for row_no, _, _ in cells], pa.int64())
        with self._registered(number_few=read.add_column(0, "row_no", rows)):
            self._run("tell_few", {"into": into})

    def _answer(self, names: Mapping[str, str]) -> None:
        """Ask Python about what is left."""
        self._run("list_asked", names)
        for after in itertools.count(step=_ASKED_AT_ONCE):
            bounds = {"after": after, "count": _ASKED_AT_ONCE}
            asked = self._cursor.execute(SQL["next_asked"], bounds).fetchall()
            if not asked:
                break
            texts, homes = zip(*asked, strict=True)
            answers = _as_table([read_number(text, home) for text, home in asked])
            for place, (name, cells) in enumerate((("text", texts), ("home", homes))):
                answers = answers.add_column(place, name, pa.array(cells, pa.string()))
            with self._registered(number_answers_known=answers):
                self._run("add_answers", {})
        self._run("tell_answers", names)

    def _run(self, step: str, names: Mapping[str, str]) -> None:
        self._cursor.execute(SQL[step].format(**names))

    @contextmanager
    def _registered(self, **tables: pa.Table) -> Iterator[None]:
        for name, table in tables.items():
            self._cursor.register(name, table)
        try:
            yield
        finally:
            for name in tables:
                self._cursor.unregister(name)


@contextmanager
def open_reader(ranges: KeptRanges) -> Iterator[NumberReader]:
    """Give a reader with a DuckDB of its own, for blocks of up to some hundred thousand numbers; no lake is needed."""
    with closing(Instance(_OWN)) as instance:
        instance.lock_down([])
        with instance.cursor() as cursor:
            yield NumberReader(cursor, ranges)


def _home_of(home: str | None) -> str:
    """Return the expression of a row's home."""
    if home is None:
        return "CASE WHEN home IN (SELECT home FROM number_homes) THEN home ELSE '' END"
    return f"'{home}'" if calling_code_of(home) else "''"


def _seen_alike(control: re.Match[str]) -> str:
    return " " if control[0].isspace() else "\N{REPLACEMENT CHARACTER}"


def _without_controls(texts: pa.Table) -> pa.Table:
    """Return *texts* with what stands for no character as another one that is read alike."""
    if find_fault(texts) is None:
        return texts
    cells = [_CONTROL.sub(_seen_alike, cell or "") for cell in texts["text"].to_pylist()]
    return texts.set_column(texts.column_names.index("text"), "text", pa.array(cells, pa.string()))


def _as_table(numbers: Sequence[ReadNumber]) -> pa.Table:
    columns = zip(*numbers, strict=True) if numbers else [()] * len(ReadNumber._fields)
    return pa.table(
        {
            name: pa.array(list(map(str, cells)), pa.string())
            for name, cells in zip(ReadNumber._fields, columns, strict=True)
        }
    )
