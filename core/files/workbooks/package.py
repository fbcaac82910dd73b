"""
The archive an Excel workbook is: which parts it has, and where they are.

Parts are found as the standard has it, by their relations and not by their names: programs put them into other folders,
write their names with backslashes or in other case, and use the strict form's own words for the relations.
Source: ECMA-376 part 2 (Open Packaging Conventions), sections 6.2 and 6.5.
"""

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO
from xml.parsers import expat

from core.errors import InvalidFile

# Real ones shrink to a tenth, rarely to a hundredth; these limits stop archives that were made to fill memory or time.
MAX_UNPACKED_BYTES = 600 * 2**20
MAX_RATIO = 250
_SMALL_BYTES = 10 * 2**20
_MAX_PARTS = 10_000
_PIECE_BYTES = 1 << 16

# Only where what follows says its own place; a few at a time, so that no row makes the search slow.
_EMPTY_CELLS = re.compile(rb'(?:<c r="[A-Z]{1,3}[0-9]{1,7}"(?: s="[0-9]{1,6}")?/>){1,64}+(?=<c r="|</row>)')

Attributes = dict[str, str]
Start = Callable[[str, Attributes], None]
Told = Callable[[str], None]


@dataclass(frozen=True)
class Relation:
    """One part's relation to another: what *kind* of part it is ("worksheet"), and where, as a key of the package."""

    relation_id: str
    kind: str
    part: str


class Package:
    """The parts of an archive."""

    def __init__(self, file: BinaryIO) -> None:
        """Look into the archive. Raises: InvalidFile: it is encrypted or too large."""
        self._archive = zipfile.ZipFile(file)
        members = self._archive.infolist()
        _check_members(members)
        self._members = {_key(member.filename): member for member in members}

    def size_of(self, part: str) -> int:
        """Return how many bytes the part has when unpacked, as the archive says; 0 when it is not there."""
        member = self._members.get(part)
        return 0 if member is None else member.file_size

    def related(self, part: str) -> list[Relation]:
        """Return the relations of *part*, those of the package itself for ""."""
        folder, _, name = part.rpartition("/")
        source = posixpath.join(folder, "_rels", f"{name}.rels")
        if source not in self._members:
            return []
        found: list[Relation] = []

        def start(name: str, attributes: Attributes) -> None:
            if name == "Relationship" and attributes.get("TargetMode") != "External":
                target = attributes["Target"].replace("\\", "/")
                where = target if target.startswith("/") else posixpath.join("/", folder, target)
                kind = attributes["Type"].rpartition("/")[2]
                found.append(Relation(attributes["Id"], kind, _key(posixpath.normpath(where))))

        self.parse(source, start, lambda _: None, lambda _: None)
        return found

    def find_related(self, part: str, kind: str) -> str:
        """
        Return the first part of that *kind* that *part* is related to and that is there, else "".

        Some programs forget the relation, and call the part what everybody calls it.
        """
        usual = posixpath.join(posixpath.dirname(part), f"{kind}.xml".lower())
        named = [each.part for each in self.related(part) if each.kind == kind]
        return next((name for name in [*named, usual] if name in self._members), "")

    def parse(self, part: str, start: Start, end: Told, text: Told) -> None:
        """
        Parse *part*, calling *start*, *end* and *text* with names that lack their namespace.

        Raises: InvalidFile: it declares a document type, whose entities could grow without end.
        """
        parser = PartParser(start, end, text)
        for piece, _ in self.pieces(part):
            parser.feed(piece)
        parser.close()

    def pieces(self, part: str, piece_bytes: int = _PIECE_BYTES) -> Iterator[tuple[bytes, float]]:
        """Yield *part* piece by piece, each with the share of the part (0..1) that has come then."""
        member, done = self._members[part], 0
        with self._archive.open(member) as content:
            while piece := content.read(piece_bytes):
                done += len(piece)
                yield piece, min(1.0, done / max(1, member.file_size))


class PartParser:
    """Parses the XML of a part as it comes; *start*, *end* and *text* are called with names without their namespace."""

    def __init__(self, start: Start, end: Told, text: Told) -> None:
        """Take what is called."""
        # Names come with their prefix, which is cut off where there is one: nearly all of the millions have none.
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = lambda name, attributes: start(
            name.rpartition(":")[2] if ":" in name else name, attributes
        )
        self._parser.EndElementHandler = lambda name: end(name.rpartition(":")[2] if ":" in name else name)
        self._parser.CharacterDataHandler = text
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._rest = b""
        # Cells without content say something where a formula fills them.
        self.keeps_empty_cells = False

    def feed(self, piece: bytes) -> None:
        """Parse the next piece."""
        whole, self._rest = _cut(self._rest + piece)
        self._parser.Parse(whole if self.keeps_empty_cells else _without_empty_cells(whole), False)

    def close(self) -> None:
        """Parse what is left. Raises: expat.ExpatError: the part ends too early."""
        self._parser.Parse(self._rest, True)


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _cut(data: bytes) -> tuple[bytes, bytes]:
    """Return what ends with a tag, and what is behind it."""
    at = data.rfind(b">") + 1
    return (data[:at], data[at:]) if at else (data, b"")


def _without_empty_cells(data: bytes) -> bytes:
    """Return a sheet's text without cells that only have a style: programs style whole columns to the last row."""
    return data if b"<![CDATA[" in data or b"<f" in data else _EMPTY_CELLS.sub(b"", data)


def _refuse_doctype(*_: object) -> None:
    raise InvalidFile("The workbook is damaged.", hint="It declares a document type, which no workbook has.")


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if any(member.flag_bits & 0x1 for member in members):
        raise InvalidFile("The workbook is protected with a password.", hint="Save it without a password.")
    packed = any(
        member.file_size > _SMALL_BYTES and member.file_size > MAX_RATIO * member.compress_size for member in members
    )
    if packed or len(members) > _MAX_PARTS or sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
        raise InvalidFile(
            f"The workbook unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB, or consists almost entirely of "
            "repetitions.",
            hint="Delete sheets and formatting that the list does not need, or save it as CSV UTF-8.",
        )
