"""Text tables in columns hold what the reader of rows finds, to the last cell and to the last complaint."""

import codecs
import random
from pathlib import Path

import pyarrow as pa
import pytest

from core.domain.imports.reading_plans import TextEncoding
from core.errors import InvalidFile
from core.files.tables import blocks
from core.files.tables.blocks import Block, TextTable, open_blocks
from core.files.tables.delimited import DELIMITERS, open_delimited

Rows = list[tuple[int, list[str]]]
NAMES = ["PhoneNumber", "City", "Street"]
LINE_ENDS = ("\n", "\r\n", "\r")


def read_by_rows(path: Path, header_row: int) -> tuple[Rows, str]:
    """Return the rows below the header that are not blank, and what is wrong with the file."""
    found: Rows = []
    try:
        with open_delimited(path) as sheet:
            for row in sheet.rows:
                if row.row_no > header_row and any(map(str.strip, row.cells)):
                    found.append((row.row_no, list(row.cells)))
    except InvalidFile as error:
        return found, error.message
    return found, ""


def read_by_blocks(path: Path, table: TextTable, block_bytes: int = blocks.BLOCK_BYTES) -> tuple[Rows, str]:
    found: Rows = []
    try:
        with open_blocks(path, table, block_bytes) as reader:
            for block in reader.blocks():
                found += rows_of(block)
    except InvalidFile as error:
        return found, error.message
    return found, ""


def rows_of(block: Block) -> Rows:
    cells = zip(*(column.to_pylist() for column in block.columns), strict=True)
    even = [(row_no, list(row)) for row_no, row in zip(block.row_nos.to_pylist(), cells, strict=True)]
    return sorted([*even, *((row.row_no, row.cells) for row in block.odd)])


def make_body(rng: random.Random, delimiter: str, width: int) -> str:
    """Return rows of a table as programs write them, or whatever comes."""
    if rng.random() < 0.4:
        pieces = [
            "a",
            " ",
            '"',
            '""',
            "'",
            '="1"',
            "é",
            "日",
            "\u2028",
            "\0" * (rng.random() < 0.1),
            delimiter,
            *LINE_ENDS,
        ]
        return "".join(rng.choices(pieces, k=rng.randrange(40)))

    def make_cell() -> str:
        if rng.random() < 0.4:
            return '"' + "".join(rng.choices(["a", '""', delimiter, *LINE_ENDS], k=rng.randrange(4))) + '"'
        return "".join(rng.choices(["a", "b", " ", "é", "1"], k=rng.randrange(4)))

    rows = []
    for _ in range(rng.randrange(1, 30)):
        count = width if rng.random() < 0.9 else rng.randrange(1, 5)
        rows.append(delimiter.join(make_cell() for _ in range(count)) + rng.choice(LINE_ENDS))
    return "".join(rows) if rng.random() < 0.7 else "".join(rows).rstrip("\r\n")


@pytest.mark.parametrize("seed", range(4))
def test_both_readers_find_the_same(tmp_path: Path, seed: int):
    rng = random.Random(seed)
    path = tmp_path / "list.csv"
    sound = broken = 0
    for _ in range(150):
        width = rng.choice([1, 2, 3])
        delimiter = rng.choice(DELIMITERS) if width > 1 else ","
        header_row = rng.choice([1, 1, 2])
        text = "\n" * (header_row - 1) + delimiter.join(NAMES[:width]) + "\n" + make_body(rng, delimiter, width)
        encoding = rng.choice(["utf-8", "utf-8-sig", "utf-16"])
        path.write_text(text, encoding=encoding, newline="")
        table = TextTable(
            TextEncoding.UTF16 if encoding == "utf-16" else TextEncoding.UTF8, delimiter, width, header_row
        )
        expected, complaint = read_by_rows(path, header_row)
        found, said = read_by_blocks(path, table, rng.choice([1, 3, 16, 64, 256, blocks.BLOCK_BYTES]))
        # A file that is refused is refused whole: how far either came before does not matter.
        assert said == complaint, repr(text)
        assert found == expected or (said and found == expected[: len(found)]), repr(text)
        sound, broken = sound + (not said), broken + bool(said)
    assert min(sound, broken) > 10


def test_a_row_by_the_rules_is_not_read_slowly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "list.csv"
    path.write_text('PhoneNumber,Name\n+491,"Harrison, ""Beau""\nHouse"\n+492,5" pipe\n' * 100, newline="")
    monkeypatch.setattr(blocks.BlockReader, "_slowly", None)
    rows, complaint = read_by_blocks(path, TextTable(TextEncoding.UTF8, ",", 2, 1), 256)
    assert complaint == ""
    assert rows[:2] == [(2, ["+491", 'Harrison, "Beau"\nHouse']), (3, ["+492", '5" pipe'])]
    assert len(rows) == 299


def test_a_line_end_is_not_cut_in_two(tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_text("PhoneNumber\r\n" + "12\r\n" * 50, newline="")
    for size in range(1, 20):
        rows, _ = read_by_blocks(path, TextTable(TextEncoding.UTF8, ",", 1, 1), size)
        assert rows == [(row_no, ["12"]) for row_no in range(2, 52)]


def test_rows_that_do_not_match_the_header_are_odd(tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_text("PhoneNumber,Name\n1,a\n2\n3,b,c\n\n4,d\n")
    with open_blocks(path, TextTable(TextEncoding.UTF8, ",", 2, 1)) as reader:
        (block,) = reader.blocks()
    assert block.row_nos.to_pylist() == [2, 6]
    assert [(row.row_no, row.cells) for row in block.odd] == [(3, ["2"]), (4, ["3", "b", "c"])]


def test_windows_letters_are_read_as_such(tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_bytes("PhoneNumber;Name\n1;Jürgen €\n".encode("cp1252"))
    assert read_by_blocks(path, TextTable(TextEncoding.WINDOWS, ";", 2, 1)) == ([(2, ["1", "Jürgen €"])], "")
    _, complaint = read_by_blocks(path, TextTable(TextEncoding.UTF8, ";", 2, 1))
    assert complaint == "Line 2 holds the byte 0xFC, which is not UTF-8."


def test_text_that_is_not_even_windows_says_where(tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_bytes(b"PhoneNumber\n1\n\x81\n")
    _, complaint = read_by_blocks(path, TextTable(TextEncoding.WINDOWS, ",", 1, 1))
    assert complaint == "Line 3 holds the byte 0x81, which is not Windows-1252."


@pytest.mark.parametrize(("content", "line_no"), [(b"a\n\0\n", 3), (b"a\r\n" * 30 + b"\0", 32)])
def test_a_nul_byte_is_refused_with_its_line(tmp_path: Path, content: bytes, line_no: int):
    path = tmp_path / "list.csv"
    path.write_bytes(b"PhoneNumber\n" + content)
    for size in (1, 7, 64):
        _, complaint = read_by_blocks(path, TextTable(TextEncoding.UTF8, ",", 1, 1), size)
        assert complaint == f"Line {line_no} holds a NUL byte, so the file is not text."


def test_nothing_but_line_ends_comes_to_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(blocks, "MAX_BLANK_ROWS", 100)
    path = tmp_path / "list.csv"
    path.write_text("PhoneNumber\n1\n" + "\n" * 200)
    _, complaint = read_by_blocks(path, TextTable(TextEncoding.UTF8, ",", 1, 1), 32)
    assert complaint == "The file has more than 100 blank rows."


def test_a_block_knows_what_its_cells_lack(tmp_path: Path):
    path = tmp_path / "list.csv"

    def traits_of(text: str) -> tuple[bool, bool, bool]:
        path.write_bytes(codecs.BOM_UTF8 + f"PhoneNumber\n{text}\n".encode())
        with open_blocks(path, TextTable(TextEncoding.UTF8, ",", 1, 1)) as reader:
            (block,) = reader.blocks()
        assert pa.types.is_string(block.columns[0].type)
        return block.traits.is_ascii, block.traits.has_controls, block.traits.has_wrapped

    assert traits_of("a\tb") == (True, False, False)
    assert traits_of("é") == (False, False, False)
    assert traits_of("a\x07") == (True, True, False)
    assert traits_of("a\x7f") == (True, True, False)
    assert traits_of("é\x85") == (False, True, False)
    assert traits_of('="1"') == (True, False, True)


def test_a_mark_within_the_file_stays_where_a_block_begins_with_it(tmp_path: Path):
    path = tmp_path / "list.csv"
    # Two files, one behind the other.
    path.write_text("PhoneNumber\n" + "\ufeff12\n" * 20)
    for size in (1, 12, 30, 100):
        rows, _ = read_by_blocks(path, TextTable(TextEncoding.UTF8, ",", 1, 1), size)
        assert rows == [(row_no, ["\ufeff12"]) for row_no in range(2, 22)]


def test_a_delimiter_beyond_ascii_is_understood(tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_text("sep=¦\nPhoneNumber¦Name\n12¦Beau, Lee\n")
    assert read_by_blocks(path, TextTable(TextEncoding.UTF8, "¦", 2, 2)) == ([(3, ["12", "Beau, Lee"])], "")
