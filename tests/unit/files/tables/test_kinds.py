import io
import zipfile

import pytest

from core.errors import InvalidFile
from core.files.imports.reading import open_sheet
from core.files.imports.sample import sample_csv, sample_xlsx
from core.files.tables.kinds import FileKind, find_kind

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def archive(*names):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        for name in names:
            target.writestr(name, "x")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b" \r\n\t ", "The file is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG picture"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF document"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (b"\xef\xbb\xbf<table><tr><td>PhoneNumber", "web page"),
        (b"PhoneNumber\n\0\0\0", "neither a spreadsheet nor text"),
        ("PhoneNumber".encode("utf-16-le"), "neither a spreadsheet nor text"),
        (OLE, r"old Excel workbook \(\.xls\)"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "protected with a password"),
        (b"PK\x03\x04 cut off", "damaged or incomplete"),
        (archive("word/document.xml", "[Content_Types].xml"), "an archive or document"),
        (archive("xl/workbook.bin", "[Content_Types].xml"), r"\.xlsb"),
        (archive("mimetype", "content.xml"), "OpenDocument"),
    ],
)
def test_what_is_no_list_is_named_and_comes_with_advice(tmp_path, content, message):
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(InvalidFile, match=message) as caught, open_sheet(path, "contacts.csv"):
        pass
    assert caught.value.hint
    assert caught.value.field == "file"


@pytest.mark.parametrize(("content", "kind"), [(sample_csv(), FileKind.CSV), (sample_xlsx(), FileKind.XLSX)])
def test_the_content_decides_not_the_name(tmp_path, content, kind):
    path = tmp_path / "contacts.pdf"
    path.write_bytes(content)
    assert find_kind(path) is kind
