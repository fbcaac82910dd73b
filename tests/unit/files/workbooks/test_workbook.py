import datetime as dt
import io
import re
import struct
import tempfile
import zipfile
from pathlib import Path

import openpyxl
import pytest

from core.domain.imports.lists import RowFault
from core.errors import InvalidFile
from core.files.imports.reading import open_sheet
from core.files.tables.rows import MAX_ROW_CELLS
from core.files.workbooks import package as package_module
from core.files.workbooks import workbook as workbook_module
from core.files.workbooks.sheet import SheetReader
from core.files.workbooks.workbook import open_rows

HEADER = ["PhoneNumber", "Name"]
ROW = ["491796548754", "Beau"]
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "upload"
        path.write_bytes(content)
        with open_sheet(path, "contacts.xlsx") as sheet:
            return list(sheet.rows)

    return read


def make_workbook(*rows, change=None):
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    if change:
        change(workbook)
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def replace_member(content, name, text):
    """Return the archive *content* with the member *name* replaced by *text*, or added."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.namelist():
            if member != name:
                target.writestr(member, source.read(member))
        target.writestr(name, text)
    return changed.getvalue()


def share_texts(content, texts):
    """Return the workbook *content* with a table of shared texts, as Excel writes it and openpyxl does not."""
    name = "[Content_Types].xml"
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        types = source.read(name).decode()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    table = f'<sst xmlns="{MAIN}">{"".join(f"<si><t>{text}</t></si>" for text in texts)}</sst>'
    return replace_member(
        replace_member(content, name, types.replace("</Types>", override)), "xl/sharedStrings.xml", table
    )


def make_sheet(xml):
    return replace_member(make_workbook(HEADER, ROW), "xl/worksheets/sheet1.xml", xml)


def test_cells_are_read_as_text(read):
    rows = read(
        make_workbook(["Phone Number", "Since", "Member", "Points"], [491796548754, dt.date(2026, 11, 23), True, 7.0])
    )
    assert [row.cells for row in rows] == [("491796548754", "2026-11-23", "TRUE", "7")]
    assert rows[0].row_no == 2


def test_a_formula_makes_its_row_faulty_and_is_named(read):
    rows = read(make_workbook(HEADER, ["491796548754", '=CONCAT("a","b")'], ["491796548755", "Renee"]))
    assert [row.fault for row in rows] == [RowFault.FORMULA, None]
    assert "Cell B2" in rows[0].detail


def test_a_text_that_begins_like_a_formula_is_text(read):
    def change(workbook):
        workbook.active["B2"].value = "=1+1"
        workbook.active["B2"].data_type = "s"

    (row,) = read(make_workbook(HEADER, ROW, change=change))
    assert (row.fault, row.cells[1]) == (None, "=1+1")


def test_blank_rows_are_skipped_short_ones_padded_long_ones_faulty(read):
    rows = read(
        make_workbook(HEADER, [None, None], ["491796548754"], ["", "  "], ["491796548755", "Renee", None, "surplus"])
    )
    assert [(row.row_no, row.fault) for row in rows] == [(3, None), (5, RowFault.TOO_MANY_CELLS)]
    assert rows[0].cells == ("491796548754", "")


def test_the_first_visible_sheet_is_read(read):
    def change(workbook):
        workbook.active.sheet_state = "hidden"
        sheet = workbook.create_sheet("Contacts")
        sheet.append(HEADER)
        sheet.append(["491796548755", "Renee"])

    assert [row.cells[1] for row in read(make_workbook(["hidden"], change=change))] == ["Renee"]


def test_wrong_dimensions_do_not_cut_rows(read):
    xml = (
        f'<worksheet xmlns="{MAIN}"><dimension ref="A1"/><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>PhoneNumber</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>Name</t></is></c></row>'
        '<row r="4"><c r="A4"><v>4.91796548754E+11</v></c>'
        '<c r="B4" t="inlineStr"><is><r><t>Be</t></r><r><t>au</t></r></is></c></row>'
        "</sheetData></worksheet>"
    )
    (row,) = read(make_sheet(xml))
    assert (row.row_no, row.cells) == (4, ("491796548754", "Beau"))


def test_shared_texts_are_read(read):
    xml = (
        f'<worksheet xmlns="{MAIN}"><sheetData><row><c t="s"><v>1</v></c><c t="s"><v>0</v></c></row>'
        '<row><c><v>491796548754</v></c><c t="s"><v>2</v></c></row></sheetData></worksheet>'
    )
    (row,) = read(share_texts(make_sheet(xml), ["Name", "PhoneNumber", "Zoë"]))
    assert row.cells == ("491796548754", "Zoë")


def test_what_stands_below_the_rows_of_a_sheet_does_not_matter(read):
    def change(workbook):
        validation = openpyxl.worksheet.datavalidation.DataValidation(type="list", formula1='"a,b"')
        validation.add("B2:B9")
        workbook.active.add_data_validation(validation)
        workbook.active.merge_cells("C1:D1")
        workbook.active["B2"].hyperlink = "https://example.com"

    assert [row.cells for row in read(make_workbook(HEADER, ROW, change=change))] == [tuple(ROW)]


def test_a_forged_row_number_is_refused(read):
    xml = (
        f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>PhoneNumber</t></is></c></row>'
        '<row r="2"><c r="A2"><v>491796548754</v></c></row>'
        '<row r="999999999999"><c r="A3"><v>491796548754</v></c></row></sheetData></worksheet>'
    )
    with pytest.raises(InvalidFile, match="more than 1\u202f048\u202f576 rows"):
        read(make_sheet(xml))


def test_entities_that_multiply_are_refused(read):
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 100}">' for n in range(9))
    xml = f'<!DOCTYPE w [{entities}]><worksheet xmlns="{MAIN}"><sheetData>&e8;</sheetData></worksheet>'
    with pytest.raises(InvalidFile, match="damaged"):
        read(make_sheet(xml))


@pytest.mark.parametrize(
    "xml", ["", "<worksheet", f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="s"><v>99</v></c></row>']
)
def test_damaged_sheets_are_refused(read, xml):
    with pytest.raises(InvalidFile, match="damaged") as caught:
        read(make_sheet(xml))
    assert caught.value.__cause__ is not None


def test_a_truncated_workbook_is_refused(read):
    with pytest.raises(InvalidFile, match="damaged or incomplete"):
        read(make_workbook(HEADER, ROW)[:-400])


def test_a_workbook_that_unpacks_to_too_much_is_refused(read):
    bomb = replace_member(make_workbook(HEADER, ROW), "docProps/app.xml", b"\0" * (11 * 2**20))
    with pytest.raises(InvalidFile, match="unpacks to more than 600 MiB"):
        read(bomb)


def test_a_workbook_of_too_many_bytes_is_refused(read, monkeypatch):
    monkeypatch.setattr(package_module, "MAX_UNPACKED_BYTES", 1_000)
    with pytest.raises(InvalidFile, match="unpacks to more than"):
        read(make_workbook(HEADER, ROW))


def test_a_workbook_of_too_many_parts_is_refused(read, monkeypatch):
    content = make_workbook(HEADER, ROW)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        count = len(archive.namelist())
    monkeypatch.setattr(package_module, "_MAX_PARTS", count)
    read(content)
    monkeypatch.setattr(package_module, "_MAX_PARTS", count - 1)
    with pytest.raises(InvalidFile, match="consists almost entirely"):
        read(content)


def test_a_workbook_with_too_many_shared_texts_is_refused(read, monkeypatch):
    monkeypatch.setattr(workbook_module, "MAX_SHARED_TEXT_BYTES", 1_000)
    with pytest.raises(InvalidFile, match="of different texts"):
        read(share_texts(make_workbook(HEADER, ROW), ["text"] * 100))


def test_encrypted_members_are_refused(read):
    content = bytearray(make_workbook(HEADER, ROW))
    # The central directory's entry of the first member: bit 0 of its flags says "encrypted".
    entry = content.index(b"PK\x01\x02")
    content[entry + 8 : entry + 10] = struct.pack("<H", 1)
    with pytest.raises(InvalidFile, match="protected with a password"):
        read(bytes(content))


def test_an_overlong_cell_is_named(read):
    with pytest.raises(InvalidFile, match="Cell B2 has more than 10\u202f000 characters"):
        read(make_workbook(HEADER, ["491796548754", "x" * 10_001]))


@pytest.mark.parametrize(
    ("rows", "message"), [([], "The file is empty"), ([HEADER], "a header but no rows"), ([[], HEADER], "no rows")]
)
def test_workbooks_without_rows_are_refused(read, rows, message):
    with pytest.raises(InvalidFile, match=message):
        read(make_workbook(*rows))


def test_three_hundred_columns_are_refused(read):
    header = ["PhoneNumber", *(f"Column {number}" for number in range(299))]
    with pytest.raises(InvalidFile, match="300 columns"):
        read(make_workbook(header, ROW))


def test_progress_follows_the_sheet(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(make_workbook(HEADER, *[[491790000000 + number, f"Name {number}"] for number in range(5_000)]))
    with open_sheet(path, "contacts.xlsx") as sheet:
        assert sheet.estimated_rows == 5_000
        seen = [sheet.progress()]
        seen += [sheet.progress() for row in sheet.rows if row.row_no % 1_000 == 0]
        seen.append(sheet.progress())
    assert seen == sorted(seen)
    assert seen[0] < 0.5
    assert seen[-1] == pytest.approx(1.0, abs=0.02)


def test_escaped_characters_are_decoded_and_literals_kept(read):
    xml = (
        f'<worksheet xmlns="{MAIN}"><sheetData><row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>'
        '<row><c><v>491796548754</v></c><c t="s"><v>2</v></c></row>'
        '<row><c><v>491796548755</v></c><c t="s"><v>3</v></c></row>'
        '<row><c><v>491796548756</v></c><c t="inlineStr"><is><t>a_x0009_b_x0000_</t></is></c></row>'
        "</sheetData></worksheet>"
    )
    texts = ["PhoneNumber", "Name", "line1_x005F_x000D_", "a_x000D_\nb"]
    assert [row.cells[1] for row in read(share_texts(make_sheet(xml), texts))] == [
        "line1_x000D_",
        "a\nb",
        "a\tb_x0000_",
    ]


def test_numbers_are_read_as_the_sheet_shows_them(read):
    shown = {"B2": (1067, "00000"), "C2": (0.15, "0%"), "D2": (1.104166666666667, "[h]:mm"), "E2": (1e18 + 3e14, "0")}

    def change(workbook):
        for address, (value, code) in shown.items():
            workbook.active[address].value = value
            workbook.active[address].number_format = code

    (row,) = read(make_workbook(["PhoneNumber", "Zip", "Off", "Time", "Id"], ["491796548754"], change=change))
    assert row.cells == ("491796548754", "01067", "15%", "26:30", "1000300000000000000")


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (491796548754, "#,##0", "491796548754"),
        (491796548754, "0.00E+00", "491796548754"),
        (1796548754, "00000000000", "01796548754"),
        (1796548754, "0000 000 0000", "0179 654 8754"),
        (1796548754, '"+49 "0', "+49 1796548754"),
        (491796548754.5, "0", "491796548754.5"),
        (491796548754, "0.00", "491796548754"),
        (4917965487.54, "0%", "4917965487.54"),
    ],
)
def test_no_format_makes_another_number_of_a_phone_number(read, value, code, text):
    def change(workbook):
        workbook.active["A2"].number_format = code

    (row,) = read(make_workbook(HEADER, [value, "Beau"], change=change))
    assert row.cells == (text, "Beau")


def repack(content, name=lambda member: member, replace=()):
    """Return the archive with its members called otherwise, and in their texts each of *replace* exchanged."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.namelist():
            text = source.read(member).decode()
            for old, new in replace:
                text = text.replace(old, new)
            info = zipfile.ZipInfo("placeholder")
            info.filename = name(member)
            target.writestr(info, text)
    return changed.getvalue()


STRICT = (
    (MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main"),
    ("http://schemas.openxmlformats.org/officeDocument/2006/relationships", "http://purl.oclc.org/ooxml/relationships"),
)


@pytest.mark.parametrize(
    ("name", "replace"),
    [
        (lambda member: member, STRICT),
        (lambda member: member.replace("/", "\\"), ()),
        (lambda member: member.replace("xl/", "book/"), (("/xl/", "/book/"), ('"xl/', '"book/'))),
        (str.upper, ()),
    ],
    ids=["strict", "backslashes", "another folder", "other case"],
)
def test_unusual_workbooks_that_are_right_are_read(read, name, replace):
    rows = read(repack(make_workbook(HEADER, ROW), name, replace))
    assert [row.cells for row in rows] == [tuple(ROW)]


def test_formulas_beside_the_list_do_not_matter(read):
    rows = read(make_workbook([*HEADER, None, None], [*ROW, None, "=SUM(1,2)"], [None, None, "=1+1"]))
    assert [(row.cells, row.fault) for row in rows] == [(tuple(ROW), None)]


@pytest.mark.parametrize("cell", ["#N/A", "NULL", "nan", "None", " #REF! "])
def test_cells_that_say_there_is_nothing_are_empty(read, cell):
    (row,) = read(make_workbook(HEADER, ["491796548754", cell]))
    assert row.cells == ("491796548754", "")


def test_letters_are_composed(read):
    (row,) = read(make_workbook(["PhoneNumber", "Pre\u0301nom"], ["491796548754", "Jose\u0301"]))
    assert row.cells[1] == "José"


def test_cells_that_only_have_a_style_are_passed_over():
    made = []
    original = SheetReader._end_cell

    def counted(reader, content):
        made.append(content)
        original(reader, content)

    styles = "<c s='0'/>" * 20
    styled = "".join(f'<row r="{row}">{styles}</row>' for row in range(3, 2_003))
    xml = (
        f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c t="inlineStr"><is><t>PhoneNumber</t></is></c></row>'
        f'<row r="2"><c><v>491796548754</v></c></row>{styled}</sheetData></worksheet>'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SheetReader, "_end_cell", counted)
        assert raw_rows(make_sheet(xml)) == [["PhoneNumber"], ["491796548754"]]
    assert len(made) == 2


def test_a_cell_far_to_the_right_makes_no_wide_rows(read):
    far = "".join(
        f'<row r="{row}"><c r="A{row}"><v>491796548754</v></c><c r="XFD{row}"><v>1</v></c></row>' for row in (2, 3)
    )
    xml = (
        f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c t="inlineStr"><is><t>PhoneNumber</t></is></c></row>'
        f"{far}</sheetData></worksheet>"
    )
    rows = read(make_sheet(xml))
    assert [(row.fault, len(row.cells)) for row in rows] == [(RowFault.TOO_MANY_CELLS, MAX_ROW_CELLS)] * 2


@pytest.mark.parametrize("prefix", ["", "x:"])
def test_empty_cells_keep_those_behind_them_in_their_places(prefix):
    xml = (
        f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" s="0"/><c r="B1" t="inlineStr">'
        '<is><t>PhoneNumber</t></is></c><c r="C1" t="inlineStr"><is><t>Name</t></is></c></row>'
        '<row r="2"><c r="A2" s="0"/><c r="B2">'
        '<v>491796548754</v></c><c r="C2" s="0"/></row><row r="3"><c s="0"/><c r="B3" s="0"/><c t="inlineStr"><is>'
        "<t>Beau</t></is></c></row></sheetData></worksheet>"
    )
    if prefix:
        xml = re.sub(r"<(/?)(?=[a-z])", rf"<\1{prefix}", xml).replace("xmlns=", "xmlns:x=")
    assert raw_rows(make_sheet(xml)) == [["", "PhoneNumber", "Name"], ["", "491796548754"], ["", "", "Beau"]]


def raw_rows(content):
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        with open_rows(Path(file.name)) as sheet:
            return [row.cells for row in sheet.rows]
