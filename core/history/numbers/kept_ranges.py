"""
The ranges of all numbers, compiled once for each version of phonenumbers and kept as a file.

The file is nothing but a copy of what compiling gives: it may be deleted at any time. One that is damaged, or of
another version, is made anew.
"""

import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from core.domain.numbering.networks import network_of
from core.domain.numbering.ranges import Step, compile_steps, compiled_by
from core.history.numbers.steps import Steps

_log = logging.getLogger(__name__)

_NAME = "number_ranges.parquet"
_KEY = b"heliograph.compiled"
_PLACE = ("calling_code", "country", "line_type", "carrier", "fault")
SCHEMA = pa.schema(
    [("start", pa.int64()), ("cut", pa.int8()), *((name, pa.dictionary(pa.int32(), pa.string())) for name in _PLACE)]
)

_Place = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class RangeTables:
    """
    The ranges, to look numbers up in.

    *steps* have cut (int8) and place (int32) of each `core.domain.numbering.ranges.Step`. *places* has a row for each
    place: place (int32), calling_code, country, line_type, carrier, network, mccmnc and fault (text, never NULL).
    """

    steps: Steps
    places: pa.Table


# Of all objects of this process, whatever folder they keep the file in.
_loading = threading.Lock()
_loaded: dict[bytes, RangeTables] = {}


class KeptRanges:
    """The ranges of this installation. Nothing is read, compiled or written before they are asked for."""

    def __init__(self, folder: Path | None = None) -> None:
        """Take the folder of the file; None: whoever needs the ranges first in a process compiles them."""
        self._path = folder / _NAME if folder else None

    def tables(self) -> RangeTables:
        """Return the ranges. The first call of a process takes a moment, the first one of a version some seconds."""
        key = compiled_by().encode()
        with _loading:
            if key not in _loaded:
                _loaded[key] = _tables_of(self._read(key) or self._compile(key))
            return _loaded[key]

    def _read(self, key: bytes) -> pa.Table | None:
        if self._path is None or not self._path.exists():
            return None
        try:
            # As bytes first: what is mapped into memory could still be written by somebody.
            found = parquet.read_table(pa.BufferReader(self._path.read_bytes()), page_checksum_verification=True)
        except (OSError, pa.ArrowException) as error:
            _log.warning("number_ranges_damaged", extra={"reason": type(error).__name__})
            return None
        if (found.schema.metadata or {}).get(_KEY) != key or not found.schema.equals(SCHEMA):
            return None
        starts = found["start"].to_numpy()
        is_whole = len(starts) > 1 and starts[0] == 0 and bool(np.all(np.diff(starts) > 0))
        return found if is_whole else None

    def _compile(self, key: bytes) -> pa.Table:
        found = _as_table(compile_steps()).replace_schema_metadata({_KEY: key})
        _log.info("number_ranges_compiled", extra={"rows": found.num_rows})
        if self._path is not None:
            try:
                _write(found, self._path)
            except OSError as error:
                # Without the file everything works, only the next process compiles again.
                _log.warning("number_ranges_not_kept", extra={"reason": error.strerror})
        return found


def _tables_of(kept: pa.Table) -> RangeTables:
    numbers: dict[_Place, int] = {}
    of_steps = [
        numbers.setdefault(place, len(numbers))
        for place in zip(*(kept[name].to_pylist() for name in _PLACE), strict=True)
    ]
    columns = dict(zip(_PLACE, map(list, zip(*numbers, strict=True)), strict=True))
    networks = [network_of(country, carrier) for _, country, _, carrier, _ in numbers]
    texts = {**columns, "network": [each.name for each in networks], "mccmnc": [each.mccmnc for each in networks]}
    return RangeTables(
        Steps(kept["start"].to_numpy(), {"cut": kept["cut"].to_numpy(), "place": np.array(of_steps, np.int32)}),
        pa.table(
            {"place": pa.array(numbers.values(), pa.int32())} | {k: pa.array(v, pa.string()) for k, v in texts.items()}
        ),
    )


def _as_table(steps: list[Step]) -> pa.Table:
    columns: dict[str, list[object]] = {
        "start": [step.start for step in steps],
        "cut": [step.cut for step in steps],
        **{name: [str(getattr(step.place, name)) for step in steps] for name in _PLACE},
    }
    return pa.table({name: pa.array(values, SCHEMA.field(name).type) for name, values in columns.items()}, SCHEMA)


def _write(table: pa.Table, path: Path) -> None:
    """Put the file there in one go: a process that is killed leaves the old one, or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{uuid4().hex}")
    try:
        with unfinished.open("wb") as file:
            parquet.write_table(table, file, compression="zstd", write_page_checksum=True)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
