"""
Looking into an uploaded contact list in a process of its own.

Whoever uploads wants to know at once whether the file can be a list. What a stranger's file does to a parser must not
be done to the web process, where it would hold everybody up: so a child looks, with limits of time and memory that the
operating system enforces. The rows are read by the worker.
"""

import json
import logging
import resource
import subprocess
import sys
from pathlib import Path

from core.errors import InvalidFile
from core.files.reading import open_sheet

log = logging.getLogger(__name__)

# Seconds of computing, seconds in all, and bytes: a workbook of a million different texts takes some 10 s and 500 MiB.
_CPU_S, _WALL_S, _MEMORY_BYTES = 20, 40, 1 << 30
_ROOT = Path(__file__).parents[2]
_SPLIT = "Save it as CSV UTF-8, or split it."


def look(path: Path, file_name: str) -> tuple[str, ...]:
    """
    Return the columns of the contact list at *path*; its header and its first row are looked at in a child process.

    Raises: InvalidFile: as `open_sheet`, or looking takes too much time or memory.
    """
    command = [sys.executable, "-m", "core.files.apart", str(path.resolve()), Path(file_name).suffix]
    try:
        # Nothing of this process's environment, which holds keys, is the child's business.
        done = subprocess.run(command, cwd=_ROOT, env={}, capture_output=True, timeout=_WALL_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise InvalidFile("The file takes too long to read.", hint=_SPLIT, field="file") from None
    if done.returncode:
        log.warning("look_failed", extra={"status": done.returncode, "reason": done.stderr.decode()[-300:]})
        raise InvalidFile("The file takes too much time or memory to read.", hint=_SPLIT, field="file")
    found = json.loads(done.stdout)
    if "columns" not in found:
        raise InvalidFile(found["message"], hint=found["hint"], field=found["field"])
    return tuple(found["columns"])


def look_here(path: Path, file_name: str) -> tuple[str, ...]:
    """Return what `look` does, without a child: for who has nobody else to hold up."""
    with open_sheet(path, file_name) as sheet:
        return sheet.columns


def _main(path: str, ending: str) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    try:
        found: dict[str, object] = {"columns": look_here(Path(path), ending)}
    except InvalidFile as error:
        found = {"message": error.message, "hint": error.hint, "field": error.field}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    _main(*sys.argv[1:])
