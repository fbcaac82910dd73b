"""Looking through the texts of an Arrow table for what must not reach the lake, without making them Python's."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.domain.words.control_characters import BREAKS, find_control

_FIRST_PRINTABLE, _DELETE = 0x20, 0x7F
# In UTF-8, the controls from U+0080 on are C2 80 to C2 9F, and halves of a pair ED A0 80 to ED BF BF.
_BEFORE_C1, _BEFORE_SURROGATE, _BETWEEN = 0xC2, 0xED, 0xA0
_BREAKS = np.frombuffer(BREAKS.encode(), np.uint8)


def find_fault(table: pa.Table) -> str | None:
    """
    Say which text of *table* holds a control character that prose has not, half a pair, or no UTF-8 at all.

    Lists, structs, maps and dictionaries are looked into, and the names of columns. None when there is nothing.

    Raises: TypeError: a column of bytes, which nothing of ours has.
    """
    for name, column in zip(table.column_names, table.columns, strict=True):
        if find_control(name):
            return f"a column is called {name!r}"
        for chunk in column.chunks:
            for texts in _texts(chunk):
                if (fault := _find_in(texts)) is not None:
                    return f"column {name}: {fault}"
    return None


def _texts(array: pa.Array) -> Iterator[pa.Array]:
    """Yield the arrays of texts that *array* is made of."""
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield array
    elif pa.types.is_string_view(kind):
        yield array.cast(pa.large_string())
    elif pa.types.is_dictionary(kind):
        yield from _texts(array.dictionary)
    elif isinstance(array, pa.ExtensionArray):
        yield from _texts(array.storage)
    elif pa.types.is_map(kind):
        yield from _texts(array.keys)
        yield from _texts(array.items)
    elif pa.types.is_nested(kind):
        inner = array.flatten()
        for each in inner if isinstance(inner, list) else [inner]:
            yield from _texts(each)
    elif not (pa.types.is_primitive(kind) or pa.types.is_null(kind) or pa.types.is_decimal(kind)):
        raise TypeError(f"{kind} does not go into the lake")


def _find_in(texts: pa.Array) -> str | None:
    offsets, data = _bytes_of(texts)
    if not data.size:
        return None
    is_ascii = int(data.max()) < _DELETE
    if is_ascii and int(data.min()) >= _FIRST_PRINTABLE:
        return None
    at = _first_fault(data)
    if at is not None:
        row = int(np.searchsorted(offsets, at, side="right")) - 1
        return f"value {row + 1}: {data[offsets[row] : offsets[row + 1]].tobytes()[:60]!r}"
    if not is_ascii:
        try:
            texts.validate(full=True)
        except pa.ArrowInvalid:
            return "not UTF-8"
    return None


def _first_fault(data: npt.NDArray[np.uint8]) -> int | None:
    """Return where the first byte of a control character or a half of a pair is."""
    suspects = np.flatnonzero(
        (data < _FIRST_PRINTABLE) | (data == _DELETE) | (data == _BEFORE_C1) | (data == _BEFORE_SURROGATE)
    )
    if not suspects.size:
        return None
    found = data[suspects]
    after = data[np.minimum(suspects + 1, data.size - 1)]
    is_fault = np.where(
        found == _BEFORE_C1,
        after < _BETWEEN,
        np.where(found == _BEFORE_SURROGATE, after >= _BETWEEN, ~np.isin(found, _BREAKS)),
    )
    faults = suspects[is_fault]
    return int(faults[0]) if faults.size else None


def _bytes_of(texts: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return where each text begins, and after the last one, and the bytes of all of them."""
    _, offsets_buffer, data_buffer = texts.buffers()
    if not len(texts) or data_buffer is None:
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    offsets = np.frombuffer(offsets_buffer, width)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    data = np.frombuffer(data_buffer, np.uint8)[offsets[0] : offsets[-1]]
    return offsets - offsets[0], data
