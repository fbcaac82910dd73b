"""
How long texts are, measured by DuckDB itself: the same answers as `core.domain.segments`, for millions of rows.

`sms_encoding(text)` is 'gsm7' or 'ucs2'; `sms_segment_count(text)` is the number of segments, 0 for an empty text.
Both are NULL for NULL.
"""

from collections.abc import Iterable

from duckdb import DuckDBPyConnection

from core.domain.encoding import GSM7_CHARACTERS, GSM7_EXTENSION, Encoding
from core.domain.segments import CAPACITIES, Capacity

# Stands before a character of two units, so that a character is a unit. It is the GSM escape, which is in no gsm7 text
# and is replaced by a letter in a ucs2 one before it is used as a mark.
_MARK = "chr(27)"
_LETTER = "'x'"


def install(connection: DuckDBPyConnection) -> None:
    """
    Define `sms_encoding` and `sms_segment_count` for *connection*, replacing them if they are there.

    They are temporary macros: each cursor has its own, nothing is written to a database file or a lake, and a
    rollback takes back an installation of the same transaction. A macro repeats its argument, so give it a column,
    not an expression.
    """
    connection.execute(_INSTALL)


def _class_of(characters: Iterable[str]) -> str:
    """Return the inside of a regular expression's class, escaped so that neither SQL nor the class minds."""
    return "".join(f"\\x{{{ord(character):x}}}" for character in sorted(characters))


_GSM7 = f"'[{_class_of(GSM7_CHARACTERS)}]*'"
_EXTENDED = f"'([{_class_of(GSM7_EXTENSION)}])'"
_ASTRAL = r"'[\x{10000}-\x{10FFFF}]'"


def _count_plain(capacity: Capacity) -> str:
    """Return the count for a text in which each character is one unit: most texts, hence kept cheap."""
    return f"""CASE
                WHEN length(text) <= {capacity.alone} THEN 1
                ELSE {_divide_up("text", capacity.joined)} END"""


def _count_marked(marked: str, capacity: Capacity) -> str:
    """
    Return the count for a text with pairs.

    A pair moves at most one unit of a segment to the next, so the count lies between two quotients. Only when they
    differ, near a multiple of the capacity, is the text packed, by the pattern of `core.domain.segments`. The list of
    one is there to mark the text once: a CASE would mark it again for each WHEN.
    """
    fewest, most = _divide_up("units", capacity.joined), _divide_up("units", capacity.joined - 1)
    return f"""list_transform([{marked}], lambda units: CASE
                WHEN length(units) <= {capacity.alone} THEN 1
                WHEN {fewest} = {most} THEN {fewest}
                ELSE len(regexp_extract_all(units, '(?s).{{0,{capacity.joined - 1}}}[^\\x1b]')) END)[1]"""


def _divide_up(units: str, capacity: int) -> str:
    return f"(length({units}) + {capacity - 1}) // {capacity}"


def _macros() -> str:
    gsm7, ucs2 = CAPACITIES[Encoding.GSM7], CAPACITIES[Encoding.UCS2]
    marked_gsm7 = f"regexp_replace(text, {_EXTENDED}, {_MARK} || '\\1', 'g')"
    marked_ucs2 = f"regexp_replace(replace(text, {_MARK}, {_LETTER}), {_ASTRAL}, {_MARK} || {_LETTER}, 'g')"
    # DuckDB's length() counts code points. The first branches need no look at the characters: so short a text fits
    # one message even if each of its characters were a pair.
    return f"""
    CREATE OR REPLACE TEMP MACRO sms_encoding(text) AS
        CASE regexp_full_match(text, {_GSM7})
            WHEN true THEN '{Encoding.GSM7}' WHEN false THEN '{Encoding.UCS2}' END;
    CREATE OR REPLACE TEMP MACRO sms_segment_count(text) AS CAST(CASE
        WHEN length(text) <= {ucs2.alone // 2} THEN least(length(text), 1)
        WHEN regexp_full_match(text, {_GSM7}) THEN CASE
            WHEN length(text) <= {gsm7.alone // 2} THEN 1
            WHEN regexp_matches(text, {_EXTENDED}) THEN {_count_marked(marked_gsm7, gsm7)}
            ELSE {_count_plain(gsm7)} END
        WHEN regexp_matches(text, {_ASTRAL}) THEN {_count_marked(marked_ucs2, ucs2)}
        ELSE {_count_plain(ucs2)} END AS INTEGER);
    """


_INSTALL = _macros()
