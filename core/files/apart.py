"""
Looking into an uploaded file in a process of its own.

Whoever uploads wants to know at once whether the file can be used. What a stranger's file does to a parser must not be
done to the web process, where it would hold everybody up: so a child looks, with limits of time and memory that the
operating system enforces. The rows are read by the worker.
"""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore

from core.domain.accounts.price_lists import ReadPrices
from core.domain.imports.cdr import PriceUnit
from core.domain.imports.lists import HiddenRows
from core.domain.imports.reading_plans import ReadingPlan
from core.errors import InvalidFile, InvalidInput, StorageError
from core.files import pictures
from core.files.child import FAULTS, REFUSED
from core.files.imports import cdr_sample, looking, price_lists, reading
from core.files.imports.cdr_sample import CdrSample
from core.files.imports.looking import FileLook
from core.turns import away

log = logging.getLogger(__name__)

# Seconds of computing: a workbook of a million different texts takes some 10 s, a picture of 25 megapixels 1 s.
_CPU_S, _PICTURE_CPU_S = 20, 5
# Seconds in all, and seconds to wait for others' files: more than two children at a time take all the memory there is.
_WALL_S, _WAIT_S = 40, 60
_AT_ONCE = 2
_ROOT = Path(__file__).parents[2]
# Nothing of this process's environment, which holds keys, is the child's business. Threads reserve memory each, and
# Arrow's own pool a gigabyte at once: what counts against the limit is what is reserved, not what is used.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"}

_turns = BoundedSemaphore(_AT_ONCE)


@dataclass(frozen=True)
class Looking:
    """
    Who looks into uploaded files.

    *columns* returns those of a contact list with this name, unless hidden rows are to be asked about; *contacts* what
    is in one, read as somebody has chosen or as it is probably meant; *cdr_sample* the beginning of a CDR file;
    *portrait* what is kept of a picture; *prices* all of a price list, which is small. Each raises what it raises that
    reads such a file, InvalidFile or InvalidInput.
    """

    columns: Callable[[Path, str, HiddenRows], tuple[str, ...]]
    contacts: Callable[[Path, ReadingPlan | None], FileLook]
    cdr_sample: Callable[[Path], CdrSample]
    portrait: Callable[[bytes], bytes]
    prices: Callable[[Path, PriceUnit | None], ReadPrices]


def _columns(path: Path, file_name: str, hidden_rows: HiddenRows = HiddenRows.ASK) -> tuple[str, ...]:
    hint = "Save it as CSV UTF-8, or split it."
    arguments = (str(path.resolve()), Path(file_name).suffix, hidden_rows.value)
    return tuple(json.loads(_run(reading.write_columns, *arguments, hint=hint)))


def _contacts(path: Path, chosen: ReadingPlan | None) -> FileLook:
    said = chosen.dump() if chosen else ""
    return FileLook.load(_run(looking.write_look, str(path.resolve()), said, hint="Save it as CSV UTF-8, or split it."))


def _cdr_sample(path: Path) -> CdrSample:
    return CdrSample.load(_run(cdr_sample.write, str(path.resolve()), hint="Export it again as CSV, or split it."))


def _portrait(content: bytes) -> bytes:
    # What needs no unpacking to be refused needs no child either.
    pictures.check(content)
    try:
        return _run(
            pictures.write_portrait, given=content, cpu_s=_PICTURE_CPU_S, hint="Make it smaller, or save it as PNG."
        )
    except InvalidFile as error:
        raise InvalidInput(error.message, hint=error.hint, field="picture") from error


def _prices(path: Path, unit: PriceUnit | None) -> ReadPrices:
    hint = "Save it as CSV UTF-8, with only one row for each network."
    return price_lists.load_read(_run(price_lists.write_read, str(path.resolve()), unit or "", hint=hint))


APART = Looking(_columns, _contacts, _cdr_sample, _portrait, _prices)
# The same without a child: for who has nobody else to hold up.
HERE = Looking(reading.read_columns, looking.look, cdr_sample.take, pictures.draw_portrait, price_lists.read_price_list)


def _run(task: Callable[..., bytes], *arguments: str, hint: str, given: bytes = b"", cpu_s: int = _CPU_S) -> bytes:
    """
    Return what *task* returns for *arguments* in a child process, which finds *given* at its stdin.

    Raises: InvalidFile, InvalidInput: as the task, or it takes too much time or memory. StorageError: too many others.
    """
    command = [sys.executable, "-m", "core.files.child", str(cpu_s), task.__module__, task.__name__, *arguments]
    # Up to a minute and a half, in which others' pages are drawn.
    with away():
        done = _wait_for(command, given, hint)
    if done.returncode == REFUSED:
        fault, message, its_hint, field = json.loads(done.stdout)
        raise FAULTS[fault](message, hint=its_hint, field=field)
    if done.returncode:
        log.warning("look_failed", extra={"status": done.returncode, "reason": done.stderr.decode()[-300:]})
        raise InvalidFile("The file takes too much time or memory to read.", hint=hint, field="file")
    return done.stdout


def _wait_for(command: list[str], given: bytes, hint: str) -> "subprocess.CompletedProcess[bytes]":
    if not _turns.acquire(timeout=_WAIT_S):
        raise StorageError("Too many files are being checked.", hint="Try again in a minute.")
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=_ROOT, env=_ENVIRONMENT, input=given, capture_output=True, timeout=_WALL_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise InvalidFile("The file takes too long to read.", hint=hint, field="file") from None
    finally:
        _turns.release()
    return done
