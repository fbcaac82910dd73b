"""Texts that break out where something is put together as text, and how many more of them are tried."""

import os

from hypothesis import settings
from hypothesis import strategies as st

# HELIOGRAPH_FUZZ=2000 tries so many examples of each; the suite a few.
SUITE = 25
EXAMPLES = int(os.environ.get("HELIOGRAPH_FUZZ", str(SUITE)))
fuzz = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)

TABLE = (
    "\x00",
    "0\x00",
    "a'\x00; DROP TABLE lake.messages; --",
    "\x00'); COPY (SELECT 1) TO '/tmp/out'; --",
    *(f"a{chr(code)}b" for code in (*range(0x20), 0x7F, 0x80, 0x85, 0x9F)),
    "\ud800",
    "a\udfffb",
    "'",
    "''; DROP TABLE x; --",
    '"',
    "\\",
    "\\'",
    "--",
    "/*",
    "*/",
    ";",
    "$$",
    "$1",
    "$a",
    "?",
    "{}",
    "{0}",
    "{name.__class__}",
    "%s",
    "%(a)s",
    "%",
    "_",
    ":name",
    "|",
    "nan",
    "Infinity",
    "1e400",
    "-1",
    "9" * 400,
    "\u202e",
    "\u2028",
    "\ufeff",
    "\uffff",
    "\U0010ffff",
    "́",
    " ",
    "x" * 100_000,
    "ß" * 5_000,
)
# What each breaks out of is its own; every other one is tried with more examples.
FEW = (TABLE[1], TABLE[2], "\ud800", "''; DROP TABLE x; --", "$$", "{name.__class__}", "%(a)s", "1e400", "x" * 100_000)
texts = st.sampled_from(TABLE) | st.text(st.characters(exclude_categories=()), max_size=40)
