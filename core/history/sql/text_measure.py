"""
How long texts are, measured by DuckDB itself: the same answers as `core.domain.texts.segments`, for millions of rows.

`sms_encoding(text)` is 'gsm7' or 'ucs2'; `sms_segment_count(text)` is the number of segments, 0 for an empty text;
`sms_simplify(text)` is the text as `core.domain.texts.simplifying` simplifies it. All are NULL for NULL.

Of a text that is put together from parts, the parts can be measured instead: that is `PLAIN` and what follows it.
"""

from collections.abc import Iterable
from typing import Protocol

from core.domain.texts.encoding import GSM7_CHARACTERS, GSM7_EXTENSION, Encoding
from core.domain.texts.placeholders import BLANKS
from core.domain.texts.segments import CAPACITIES, Capacity
from core.domain.texts.simplifying import REPLACEMENTS

# Stands before a character of two units, so that a character is a unit. It is the GSM escape, which is in no gsm7 text
# and is replaced by a letter in a ucs2 one before it is used as a mark.
_MARK = "chr(27)"
_LETTER = "'x'"


class Connection(Protocol):
    """What runs a statement: a cursor of the lake, or DuckDB's own where there is no lake."""

    def execute(self, sql: str, /) -> object:
        """Run *sql*."""


def install(connection: Connection) -> None:
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
    differ, near a multiple of the capacity, is the text packed, by the pattern of `core.domain.texts.segments`. The
    list of one is there to mark the text once: a CASE would mark it again for each WHEN.
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


def _simplify() -> str:
    """Return the macro: most texts have nothing to replace, which one look tells."""
    single = {old: new for old, new in REPLACEMENTS.items() if len(new) == 1}
    gone = [old for old, new in REPLACEMENTS.items() if not new]
    text = f"translate(text, {_quoted([*single, *gone])}, {_quoted(single.values())})"
    for old, new in REPLACEMENTS.items():
        if len(new) > 1:
            text = f"replace({text}, {_quoted(old)}, {_quoted(new)})"
    return f"""
    CREATE OR REPLACE TEMP MACRO sms_simplify(text) AS
        CASE WHEN regexp_matches(text, '[{_class_of(REPLACEMENTS)}]') THEN {text} ELSE text END;
    """


def _quoted(characters: Iterable[str]) -> str:
    # DuckDB ends a statement at a NUL only; everything else stands for itself between quotes.
    return "'" + "".join(characters).replace("'", "''") + "'"


# A text is plain when all its characters are of one septet: its length is all there is to know of it.
PLAIN = f"'[{_class_of(GSM7_CHARACTERS - GSM7_EXTENSION.keys())}]*'"
GSM7 = _GSM7
# A character of two septets, one of two code units, and one that is outside the GSM alphabet.
EXTENDED, ASTRAL = _EXTENDED, _ASTRAL
ODD = f"'[^{_class_of(GSM7_CHARACTERS)}]'"
BLANK = f"'[{_class_of(BLANKS)}]*'"


def count_joined(units: str, characters: str, capacity: Capacity, text: str) -> str:
    """
    Return the number of segments of a text of which only the sizes of its parts are known.

    Args:
        units: Septets or code units, an SQL expression.
        characters: How many characters that are; as many as units when none is a pair.
        capacity: Of the encoding.
        text: Joins the parts; evaluated only where pairs come near a boundary, so that they have to be packed.
    """
    fewest = f"({units} + {capacity.joined - 1}) // {capacity.joined}"
    most = f"({units} + {capacity.joined - 2}) // {capacity.joined - 1}"
    return f"""CASE
        WHEN {units} <= {capacity.alone} THEN least({units}, 1)
        WHEN {units} = {characters} OR {fewest} = {most} THEN {fewest}
        ELSE sms_segment_count({text}) END"""


_INSTALL = _macros() + _simplify()
