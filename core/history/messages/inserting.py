"""New messages in the lake, and what has to know of them in the same commit."""

from core.history.engine.door import Cursor
from core.history.numbers.number_search import mark_unindexed
from core.history.rollups.rollups import record_inserted


def note_inserted(cursor: Cursor, relation: str) -> None:
    """Let rollups and the index of numbers know of the rows of *relation*, which go into `lake.messages` with it."""
    record_inserted(cursor, relation)
    mark_unindexed(cursor, relation)
