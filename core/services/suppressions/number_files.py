"""
A sorted copy of the numbers of one scope as a file, mapped into memory: what is not looked at is never read.

The copy can be made again at any time, so whatever is odd about a file is no error: there is none, then.
"""

import json
import logging
import mmap
import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import numpy as np

from core.state.suppressions.numbers import Numbers

log = logging.getLogger(__name__)

_HEADER_BYTES = 256
_FORMAT = "heliograph suppressions 1"


@dataclass(frozen=True)
class Mark:
    """Up to which change of its scope a copy goes, and that change's token."""

    change_no: int
    token: int


def read_numbers(path: Path) -> tuple[Mark, Numbers] | None:
    """Return what a file holds, mapped into memory; None for one that is not there, or not whole."""
    try:
        with path.open("rb") as file:
            return _read(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("suppressed_numbers_unreadable", extra={"file": path.name, "reason": str(error)})
        return None


def _read(file: BinaryIO) -> tuple[Mark, Numbers]:
    header = json.loads(file.read(_HEADER_BYTES))
    size = os.fstat(file.fileno()).st_size
    if header["format"] != _FORMAT or size != _HEADER_BYTES + 8 * header["count"] or not header["count"]:
        raise ValueError("it is of another kind, or breaks off")
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    numbers = np.frombuffer(mapped, "<i8", offset=_HEADER_BYTES)
    if zlib.crc32(numbers.data) != header["checksum"]:
        raise ValueError("its checksum is another one")
    return Mark(header["change_no"], header["token"]), numbers


def write_numbers(path: Path, mark: Mark, numbers: Numbers) -> None:
    """Write the file anew. Whoever has mapped the earlier one keeps that. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    facts = {"format": _FORMAT, "count": len(numbers), "checksum": zlib.crc32(np.ascontiguousarray(numbers).data)}
    header = json.dumps(facts | asdict(mark)).encode().ljust(_HEADER_BYTES)
    # Each writer has one of its own; it gets its name when it is whole.
    draft = path.with_suffix(f".{uuid4().hex}")
    try:
        with open(draft, "xb", opener=_private) as file:
            file.write(header)
            file.write(np.ascontiguousarray(numbers, "<i8").data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
