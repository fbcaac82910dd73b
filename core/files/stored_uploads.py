"""Storing what people upload, as long as there is room for it."""

import errno
import shutil
from pathlib import Path
from typing import BinaryIO

from core.errors import InvalidInput, StorageError

# What an operating system answers when a disk, or one's share of it, is full.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def store_upload(content: BinaryIO, path: Path, max_bytes: int) -> None:
    """
    Write *content* to *path*.

    Raises: InvalidInput: it is longer than *max_bytes*. StorageError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with path.open("wb") as target:
            shutil.copyfileobj(_Limited(content, max_bytes), target, 1 << 20)
    except OSError as error:
        raise StorageError(
            f"The file could not be stored: {error.strerror}.", hint="Free disk space, then upload it again."
        ) from error


class _Limited:
    """A file that refuses to be longer than its limit."""

    def __init__(self, content: BinaryIO, max_bytes: int) -> None:
        self._content = content
        self._max_bytes = max_bytes
        self._left = max_bytes

    def read(self, size: int = -1, /) -> bytes:
        data = self._content.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise InvalidInput(
                f"The file is larger than {self._max_bytes >> 20} MiB.",
                hint="Split it into several files.",
                field="file",
            )
        return data
