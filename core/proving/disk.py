"""A disk that is full when it is told to be."""

import os
import resource
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_MIB = 1 << 20


@dataclass
class Disk:
    """
    What the installation's data lie on.

    For root it is a file system of its own in memory, which is made as small as what is in it. For others it is
    whatever is there, and the processes are told by a limit that no file takes a byte more.
    """

    folder: Path
    is_small: bool = False
    _size: int = 0

    def mount(self, size_mib: int) -> None:
        """Mount a file system of its own, where that is allowed."""
        if os.geteuid() == 0:
            self._size = size_mib * _MIB
            options = f"size={self._size},mode=0700"
            self.is_small = _run("mount", "-t", "tmpfs", "-o", options, "heliograph-prove", str(self.folder))

    def fill(self, pids: Iterable[int]) -> bool:
        """Leave no room; *pids* are whose. Return whether there is none now."""
        if self.is_small:
            found = os.statvfs(self.folder)
            used = (found.f_blocks - found.f_bfree) * found.f_frsize
            # What is written meanwhile makes it refuse to be so small: then a little more is left.
            return any(self._resize(used + spare) for spare in (0, _MIB, 4 * _MIB))
        limited = [_limit(pid, 0) for pid in pids]
        return all(limited)

    def free(self, pids: Iterable[int]) -> None:
        """Give the room back."""
        if self.is_small:
            self._resize(self._size)
        else:
            for pid in pids:
                _limit(pid, resource.RLIM_INFINITY)

    def unmount(self) -> None:
        """Let go of the file system, and of all that is in it."""
        if self.is_small:
            self.is_small = False
            _run("umount", "--lazy", str(self.folder))

    def _resize(self, size: int) -> bool:
        return _run("mount", "-o", f"remount,size={size}", str(self.folder))


def _limit(pid: int, size: float) -> bool:
    try:
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        soft = hard if size == resource.RLIM_INFINITY else int(size)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _run(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - our own
