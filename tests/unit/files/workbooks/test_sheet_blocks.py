"""A sheet in columns holds what the reader of cells finds in it, whatever a program has written there."""

import io
import random
import zipfile
from pathlib import Path

import openpyxl
import pytest

from core.domain.imports.lists import HiddenRows
from core.domain.imports.reading_plans import ReadingPlan
from core.errors import InvalidFile
from core.files.imports.contacts import open_contacts
from core.files.imports.reading import open_sheet
from core.files.tables.blocks import Block
from core.files.workbooks import sheet_blocks
from core.files.workbooks.workbook import open_workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
FORMATS = ("0", "00000", "0.00", "dd/mm/yyyy", "#,##0", '"+"0', "@")
TEXTS = ("Beau", "Zoë", "a &amp; b", "&lt;x&gt;", "_x000D_", "_x0041_", " ", "+49", "=1", "N/A", "\u2028", "")
NUMBERS = ("1", "491796548754", "0", "-1", "1.5", "4.91796548754E11", "44197", "1234567890123456", " 7 ", "")


def make_book(path: Path, rows: str, head: str = "") -> None:
    """Write a workbook with a sheet of these *rows*, shared texts, and cell styles 1 to 7 in these formats."""
    book = openpyxl.Workbook()
    for index, code in enumerate(FORMATS, start=1):
        book.active.cell(index, 26).number_format = code
    saved = io.BytesIO()
    book.save(saved)
    shared = ("PhoneNumber", "Name", "City", "a &amp; b", "_x0041_", "Zoë")
    texts = "".join(f"<si><t>{text}</t></si>" for text in shared)
    names = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row>'
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(path, "w") as target:
        for member in source.namelist():
            text = source.read(member).decode()
            if member.endswith("sheet1.xml"):
                begin, end = text.index("<sheetData>"), text.index("</sheetData>")
                text = f"{text[:begin]}{head}<sheetData>{names}{rows}{text[end:]}"
            target.writestr(member, text)
        target.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{texts}</sst>')


def make_cell(rng: random.Random, letter: str, row_no: int) -> str:
    style = rng.choice(["", "", f' s="{rng.randrange(9)}"'])
    text = rng.choice(TEXTS)
    rest = rng.choice(
        [
            "/>",
            f' t="s"><v>{rng.randrange(6)}</v></c>',
            f' t="b"><v>{rng.choice(["0", "1", "true", "", " "])}</v></c>',
            ' t="e"><v>#N/A</v></c>',
            f' t="str"><v>{text}</v></c>',
            f' t="inlineStr"><is><t>{text}</t></is></c>',
            f' t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>',
            f' t="n"><v>{rng.choice(NUMBERS)}</v></c>',
            f"><v>{rng.choice(NUMBERS)}</v></c>",
        ]
    )
    return f'<c r="{letter}{row_no}"{style}{rest}'


def make_odd_cell(rng: random.Random, row_no: int) -> str:
    return rng.choice(
        [
            f'<c r="B{row_no}"><f>A1</f><v>2</v></c>',
            f'<c r="B{row_no}"><f t="array" ref="B{row_no}:C{row_no + 1}">A1</f><v>2</v></c>',
            "<c><v>5</v></c>",
            f'<c r="B{row_no}" t="inlineStr"><is><r><t>Be</t></r><r><t>au</t></r></is></c>',
            f'<c t="str" r="B{row_no}"><v>Beau</v></c>',
            f'<c r="b{row_no}"><v>3</v></c>',
            f'<c r="B{row_no + 3}"><v>3</v></c>',
            f'<c r="B{row_no}" t="str"><v>&#65;&#10;</v></c>',
            f'<c r="B{row_no}" t="str"><v><![CDATA[<row r="9">]]></v></c>',
            f'<c r="A{row_no}"><v>1</v></c><c r="A{row_no}"><v>2</v></c>',
            f'<!-- <row r="{row_no}"></row> -->',
            f'<c r="XFD{row_no}"><v>3</v></c>',
        ]
    )


def make_rows(rng: random.Random, oddness: float) -> str:
    rows, row_no = [], 1
    for _ in range(rng.randrange(1, 40)):
        row_no += rng.choice([1, 1, 1, 2])
        cells = "".join(make_cell(rng, letter, row_no) for letter in "ABCD" if rng.random() < 0.7)
        attributes = rng.choice(["", ' spans="1:4"', ' ht="15" x14ac:dyDescent="0.25"'])
        if rng.random() < oddness:
            cells += make_odd_cell(rng, row_no)
        if rng.random() < oddness / 3:
            attributes += rng.choice([' hidden="1"', ' hidden="0"'])
        number = f' r="{row_no}"' if rng.random() > oddness / 3 else ""
        rows.append(rng.choice(["", "\n"] if oddness else [""]) + f"<row{number}{attributes}>{cells}</row>")
    return "".join(rows).replace("x14ac:", "")


def read_both(path: Path) -> tuple[object, object]:
    def by_cells() -> object:
        with open_sheet(path, "a.xlsx", HiddenRows.IMPORT) as sheet:
            width = len(sheet.columns)
            return [
                (row.row_no, list(row.cells[:width]), row.fault or "", row.detail, list(row.cells[width:]))
                for row in sheet.rows
            ]

    def by_blocks() -> object:
        with open_contacts(path, ReadingPlan(0, hidden_rows=HiddenRows.IMPORT)) as found:
            width = len(found.columns)
            return [
                (
                    row["row_no"],
                    [row[f"c{index}"] for index in range(width)],
                    row["fault"],
                    row["detail"],
                    row["surplus"] or [],
                )
                for table in found.blocks
                for row in table.to_pylist()
            ]

    return attempt(by_cells), attempt(by_blocks)


def attempt(read) -> object:
    try:
        return read()
    except InvalidFile as error:
        return error.message


@pytest.mark.parametrize("oddness", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("seed", range(2))
def test_both_readers_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, oddness: float):
    rng = random.Random(f"{seed} {oddness}")
    path = tmp_path / "a.xlsx"
    read_count = 0
    for _ in range(25):
        monkeypatch.setattr(sheet_blocks, "_PIECE_BYTES", rng.choice([100, 700, 5_000, 1 << 20]))
        rows = make_rows(rng, oddness)
        make_book(path, rows)
        expected, found = read_both(path)
        assert found == expected, rows
        read_count += isinstance(found, list)
    assert read_count > 5


def blocks_of(path: Path, width: int = 3, number_column: int = 0) -> list[Block]:
    with open_workbook(path) as book:
        return list(book.blocks(width, 1, number_column))


def test_rows_in_the_usual_form_are_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sheet_blocks, "_PIECE_BYTES", 500)
    path = tmp_path / "a.xlsx"
    make_book(path, make_rows(random.Random(5), 0.0).replace('t="b"><v></v>', 't="b"><v>1</v>'))
    odd = [row for block in blocks_of(path, width=4, number_column=9) for row in block.odd]
    assert odd == []


def test_a_number_that_is_shown_otherwise_is_odd_where_numbers_are_meant(tmp_path: Path):
    path = tmp_path / "a.xlsx"
    make_book(path, '<row r="2"><c r="A2" s="2"><v>42</v></c><c r="B2" s="2"><v>42</v></c></row>')
    (block,) = blocks_of(path, number_column=2)
    assert [column.to_pylist() for column in block.columns] == [["00042"], ["00042"], [""]]
    (block,) = blocks_of(path, number_column=1)
    assert [(row.row_no, row.cells, row.numbers[1]) for row in block.odd] == [(2, ["00042", "00042"], "00042")]


@pytest.mark.parametrize("encoding", ["utf-8", "UTF-8", "iso-8859-1", "windows-1252", "utf-16"])
def test_a_sheet_in_another_encoding_is_read_as_it_says(tmp_path: Path, encoding: str):
    path = tmp_path / "a.xlsx"
    make_book(path, '<row r="2"><c r="A2"><v>491796548754</v></c><c r="B2" t="str"><v>Zo\u00c3\u00ab</v></c></row>')
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, "w") as target:
        for name, content in parts.items():
            said = f'<?xml version="1.0" encoding="{encoding}"?>{content.decode()}'.encode(encoding)
            target.writestr(name, said if name.endswith("sheet1.xml") else content)
    expected, found = read_both(path)
    assert found == expected == [(2, ["491796548754", "Zo\u00c3\u00ab", ""], "", "", [])]


def test_a_shared_text_that_is_not_there_is_damage(tmp_path: Path):
    path = tmp_path / "a.xlsx"
    make_book(path, '<row r="2"><c r="A2" t="s"><v>999</v></c></row>')
    with pytest.raises(InvalidFile, match="damaged"):
        blocks_of(path)


def test_a_cut_off_sheet_is_damage(tmp_path: Path):
    path = tmp_path / "a.xlsx"
    make_book(path, '<row r="2"><c r="A2"><v>1</v></c></row><row r="3">')
    with pytest.raises(InvalidFile, match="damaged"):
        blocks_of(path)
