"""What kind of file an upload really is: its content decides, not its name."""

import mmap
import re
import zipfile
from enum import StrEnum
from pathlib import Path

from core.errors import InvalidFile


class FileKind(StrEnum):
    """What can be read."""

    CSV = "csv"
    XLSX = "xlsx"


_SAVE_AS = "Save it as an Excel workbook (.xlsx) or CSV UTF-8, then upload that."
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_HEAD_BYTES = 4_096
_MAX_TYPES_BYTES = 1 << 20
# Workbooks and templates, with macros or without; never one that only lies within another document.
_WORKBOOK = re.compile(
    rb"(spreadsheetml\.(sheet|template)|ms-excel\.(sheet|template)\.macroEnabled)\.main\+xml", re.IGNORECASE
)

# First bytes of what people upload by mistake.
_OTHERS: dict[bytes, str] = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"{\\rtf": "a rich text document",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"SQLite format": "a database",
    b"PAR1": "a Parquet file",
}
_MARKUP = re.compile(rb"\s*<(!doctype|html|\?xml|table|head|body|meta|!--)", re.IGNORECASE)


def find_kind(path: Path) -> FileKind:
    """
    Return what *path* holds.

    Raises: InvalidFile: empty, or nothing that is read here.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip():
        raise InvalidFile("The file is empty.", hint="Upload a file with a header and at least one row.")
    if head.startswith(_OLE):
        raise _refuse_ole(path)
    if head.startswith(_ZIP):
        _check_archive(path)
        return FileKind.XLSX
    for beginning, name in _OTHERS.items():
        if head.startswith(beginning):
            raise InvalidFile(f"The file is {name}, not a spreadsheet.", hint=_SAVE_AS)
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise InvalidFile("The file is a web page or XML, not a spreadsheet.", hint=_SAVE_AS)
    if b"\0" in head and not head.startswith(_UTF16_MARKS):
        raise InvalidFile("The file is neither a spreadsheet nor text.", hint=_SAVE_AS)
    return FileKind.CSV


def _refuse_ole(path: Path) -> InvalidFile:
    # Excel wraps an encrypted workbook into the container format of its old workbooks.
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        encrypted = content.find("EncryptedPackage".encode("utf-16-le")) >= 0
    if encrypted:
        return InvalidFile("The workbook is protected with a password.", hint="Save it without a password.")
    return InvalidFile("The file is an old Excel workbook (.xls) or Office document.", hint=_SAVE_AS)


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.replace("\\", "/").lower(): name for name in archive.namelist()}
            declares = _declares_workbook(archive, members)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InvalidFile("The workbook is damaged or incomplete.", hint="Save it again, then upload it.") from error
    if declares:
        return
    if "xl/workbook.bin" in members:
        raise InvalidFile("The file is a binary Excel workbook (.xlsb).", hint=_SAVE_AS)
    if "mimetype" in members or "index.zip" in members or any(name.startswith("index/") for name in members):
        raise InvalidFile("The file is an OpenDocument or Numbers file.", hint=_SAVE_AS)
    raise InvalidFile("The file is an archive or document, not a spreadsheet.", hint=_SAVE_AS)


def _declares_workbook(archive: zipfile.ZipFile, members: dict[str, str]) -> bool:
    """Tell whether the archive says that one of its parts is a workbook, wherever that part is."""
    types = members.get("[content_types].xml")
    if types is None:
        return False
    with archive.open(types) as content:
        said = content.read(_MAX_TYPES_BYTES)
    return _WORKBOOK.search(said) is not None
