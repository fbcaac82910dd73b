"""Messages sent outside the tool: from the rows of a CDR file into the history, however often they come."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from core.domain.imports.cdr import SAME_MESSAGE_WITHIN
from core.domain.imports.cdr_prices import ask_rates
from core.history.engine.door import Cursor
from core.history.engine.results import fetch, fetch_one
from core.history.lake.changes import note_changes
from core.history.lake.connection import Lake
from core.history.messages.cdr_blocks import SQL, BlockFaults, BlockReader, CdrSpec
from core.history.messages.inserting import note_inserted
from core.history.messages.message_store import CHANGED, settle_messages
from core.history.numbers.kept_ranges import KeptRanges

# Messages of one commit: few enough that a campaign's batches need not wait long for the writer's lock.
CHUNK_MESSAGES = 100_000
SOURCE = GATEWAY = "import"
_PREVIEWED = "cdr_previewed"


@dataclass(frozen=True)
class Merged:
    """What became of messages that came."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "Merged") -> "Merged":
        """Return the sums."""
        return Merged(self.added + other.added, self.updated + other.updated, self.unchanged + other.unchanged)


@dataclass(frozen=True)
class Staged:
    """A file's messages, each once, in a table of this process, cut into *chunk_count* chunks in order of time."""

    table: str
    account_id: str
    row_count: int
    message_count: int
    chunk_count: int
    doubtful_count: int


@dataclass(frozen=True)
class Beginning:
    """
    The first block of a file as it would be understood.

    *table* has row_no (int64), gateway_message_id, sent_at, receiver, sender, country, network, mccmnc,
    delivery_status, error_code, delivered_at, price_eur_cents (NULL: its currency has no rate), segment_count, unicode.
    *currencies* and *unrated* are as `BlockReader` has them; *doubtful_ids* stand for different moments and are none.
    """

    table: pa.Table
    faults: BlockFaults
    currencies: tuple[str, ...]
    unrated: tuple[str, ...]
    doubtful_ids: tuple[str, ...]


class OutsideTraffic:
    """Reads CDR files and merges their messages. Everything here is safe to run twice."""

    def __init__(self, lake: Lake, ranges: KeptRanges, chunk_messages: int = CHUNK_MESSAGES) -> None:
        """Take the lake, the ranges of all numbers, and how many messages one commit has."""
        self._lake = lake
        self._ranges = ranges
        self._chunk_messages = chunk_messages

    def preview(self, spec: CdrSpec, block: pa.Table) -> Beginning:
        """Return a few rows as they would be understood; nothing is written."""
        with self._lake.read() as cursor:
            reader = BlockReader(cursor, spec, self._ranges)
            faults = reader.read(block)
            table = fetch(cursor, SQL["show_understood"])
            doubtful = () if reader.unrated else _list_doubtful(cursor, spec)
        return Beginning(table, faults, tuple(reader.currencies), reader.unrated, doubtful)

    @contextmanager
    def staged(
        self, spec: CdrSpec, blocks: Iterable[pa.Table], reject: Callable[[pa.Table, BlockFaults], None]
    ) -> Iterator[Staged]:
        """
        Read all *blocks* into a table of this process, which is there while the block runs.

        Args:
            spec: How the file is read.
            blocks: As `core.files.imports.cdr` gives them; only one is held at a time, the rest spills to disk.
            reject: Is given each block with what is wrong with rows of it, if anything is.

        Raises: InvalidInput: a price's currency has no rate. StorageError: as `Lake.scratch`. Whatever *blocks* and
            *reject* raise.
        """
        row_count = doubtful_count = 0

        def fill(cursor: Cursor, name: str) -> None:
            nonlocal row_count, doubtful_count
            row_count, doubtful_count = self._stage(cursor, spec, name, blocks, reject)

        with self._lake.scratch(fill) as table:
            with self._lake.read() as cursor:
                message_count, chunk_count = fetch_one(cursor, SQL["count_messages"].format(messages=table))
            yield Staged(table, spec.account_id, row_count, int(message_count), int(chunk_count), doubtful_count)

    def merge_chunk(self, staged: Staged, import_id: str, chunk_no: int) -> Merged:
        """
        Merge one chunk into the history, in one commit, once; a chunk that is there already is only reported.

        Messages that are not there are added. Those that are become what `core.domain.messages.receipts.merge` makes of
        both.
        Raises: StorageError: as `Lake.write`.
        """
        tag = {"import_id": import_id, "chunk_no": chunk_no}

        def merge(cursor: Cursor) -> Merged:
            done = cursor.execute(SQL["find_chunk"], tag).fetchone()
            if done is not None:
                return Merged(*map(int, done))
            merged = _merge(cursor, staged, chunk_no)
            cursor.execute(SQL["insert_chunk"], {**tag, **vars(merged)})
            return merged

        return self._lake.write(merge)

    def _stage(
        self,
        cursor: Cursor,
        spec: CdrSpec,
        messages: str,
        blocks: Iterable[pa.Table],
        reject: Callable[[pa.Table, BlockFaults], None],
    ) -> tuple[int, int]:
        """Fill *messages*; return how many rows it was made of, and how many of them had an id that is none."""
        rows = f"{messages}_rows"
        try:
            cursor.execute(SQL["create_rows"].format(rows=rows, kind=""))
            reader = BlockReader(cursor, spec, self._ranges)
            for block in blocks:
                faults = reader.read(block)
                if reader.unrated:
                    raise ask_rates(reader.unrated, is_begun=True)
                if faults.rejected.num_rows or faults.kept.num_rows:
                    reject(block, faults)
                cursor.execute(SQL["keep_rows"].format(rows=rows), {"account": spec.account_id})
            row_count = int(fetch_one(cursor, SQL["count_rows"].format(rows=rows))[0])
            cursor.execute(SQL["find_doubtful"].format(rows=rows), {"within": SAME_MESSAGE_WITHIN})
            doubtful_count = int(fetch_one(cursor, SQL["count_doubtful"].format(rows=rows))[0])
            cursor.execute(SQL["drop_doubtful_ids"].format(rows=rows), {"account": spec.account_id})
            cursor.execute(SQL["find_repeated"].format(rows=rows))
            cursor.execute(SQL["fold"].format(rows=rows), {"within": SAME_MESSAGE_WITHIN})
            cursor.execute(SQL["drop_rows"].format(rows=rows))
            cursor.execute(SQL["create_messages"].format(messages=messages), {"size": self._chunk_messages})
            cursor.execute(SQL["drop_folding"])
        finally:
            cursor.execute(SQL["drop_rows"].format(rows=rows))
        return row_count, doubtful_count


def _list_doubtful(cursor: Cursor, spec: CdrSpec) -> tuple[str, ...]:
    """Return ids of the last block that stand for different moments."""
    cursor.execute(SQL["create_rows"].format(rows=_PREVIEWED, kind="TEMP"))
    try:
        cursor.execute(SQL["keep_rows"].format(rows=_PREVIEWED), {"account": spec.account_id})
        cursor.execute(SQL["find_doubtful"].format(rows=_PREVIEWED), {"within": SAME_MESSAGE_WITHIN})
        return tuple(row[0] for row in cursor.execute(SQL["list_doubtful"]).fetchall())
    finally:
        cursor.execute(SQL["drop_rows"].format(rows=_PREVIEWED))


def _merge(cursor: Cursor, staged: Staged, chunk_no: int) -> Merged:
    cursor.execute(SQL["take_chunk"].format(messages=staged.table), {"chunk_no": chunk_no})
    first, last = fetch_one(cursor, SQL["chunk_range"])
    cursor.execute(
        SQL["find_known"],
        {
            "first": first - SAME_MESSAGE_WITHIN,
            "last": last + SAME_MESSAGE_WITHIN,
            "account": staged.account_id,
            "gateway": GATEWAY,
            "within": SAME_MESSAGE_WITHIN,
        },
    )
    cursor.execute(SQL["find_new"], {"account": staged.account_id, "source": SOURCE, "gateway": GATEWAY})
    updated = settle_messages(cursor, SQL["matched_known"], {})
    added, known = map(int, fetch_one(cursor, SQL["count_merged"]))
    if added:
        cursor.execute(SQL["insert_new"])
        note_inserted(cursor, "cdr_new")
    note_changes(cursor, [CHANGED, "cdr_new"])
    cursor.execute(SQL["drop_chunk"])
    return Merged(added, updated, known - updated)
