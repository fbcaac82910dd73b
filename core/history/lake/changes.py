"""
Which messages a commit added or changed.

Who commits says so in the commit's own note (`note_changes`), which costs no row. The catalog itself says which tables
a commit touched: one that touched the messages and says nothing about them may have changed any (`read_changes`), and
so may one that did more than rows, such as putting another table in the place of the messages.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2s

from core.domain.times.periods import Period
from core.history.engine.door import Cursor
from core.history.engine.results import fetch_one
from core.history.sql.statements import load_statements

_SQL = load_statements("lake/changes.sql")

# More accounts than this are noted as any: a note is read twice a second by every process.
MOST_ACCOUNTS = 50
# After more commits at once than these, anything may have changed.
MOST_COMMITS = 1_000
# What upkeep does to a table: it says the same afterwards.
_UPKEEP = frozenset({"inline_flush", "merge_adjacent", "rewrite_delete"})
# What changes its rows.
_ROWS = frozenset({"inserted_into_table", "inlined_insert", "deleted_from_table", "inlined_delete"})
# In a note: of any account; and that of upkeep which the record does not tell from a deletion.
_ANY, _UNCHANGED = "*", "unchanged"


@dataclass(frozen=True)
class Extent:
    """The messages that an answer depends on: of these accounts, sent in that period."""

    account_ids: frozenset[str]
    period: Period


@dataclass(frozen=True)
class Change:
    """
    Messages were added or changed that were sent from *first* to *last*, both included, aware.

    *accounts* has a fingerprint of each account they may be of, None: of any.
    """

    first: datetime
    last: datetime
    accounts: frozenset[str] | None

    def touches(self, extent: Extent) -> bool:
        """Whether messages of *extent* may be among them."""
        if not (self.first < extent.period.end and self.last >= extent.period.start):
            return False
        return self.accounts is None or any(_fingerprint(each) in self.accounts for each in extent.account_ids)


ANYTHING = Change(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), None)


def note_changes(cursor: Cursor, relations: Iterable[str]) -> None:
    """
    Say with the transaction's commit which messages it adds or changes: those in *relations*, and no others.

    Args:
        cursor: The writing transaction's.
        relations: With the columns account and sent_at; empty ones do no harm.
    """
    rows = " UNION ALL ".join(f"SELECT account, sent_at::TIMESTAMP AS sent_at FROM {each}" for each in relations)
    first, last, accounts = fetch_one(cursor, _SQL["summary"].format(rows=rows))
    if first is not None:
        marks = sorted({_fingerprint(each) for each in accounts})
        told = marks if len(marks) <= MOST_ACCOUNTS else [_ANY]
        cursor.execute(_SQL["note"], {"note": " ".join([first.isoformat(), last.isoformat(), *told])})


def note_unchanged(cursor: Cursor) -> None:
    """Say with the transaction's commit that all tables say the same afterwards."""
    cursor.execute(_SQL["note"], {"note": _UNCHANGED})


def read_changes(cursor: Cursor, since: int, until: int) -> tuple[Change, ...]:
    """
    Return what the commits after the snapshot *since* changed of the messages, up to the snapshot *until*.

    Those whose record is gone, and more than `MOST_COMMITS`, may have changed anything.
    """
    messages = list_tables(cursor, "messages").keys()
    commits = _read_commits(cursor, since, until)
    if commits is None:
        return (ANYTHING,)
    changes = []
    for made, note in commits:
        touched = _find_touched(made, note)
        if touched is None:
            changes.append(ANYTHING)
        elif touched & messages:
            changes.append(_read_note(note))
    return tuple(changes)


def read_touched(cursor: Cursor, tables: Mapping[str, str], since: int, until: int) -> frozenset[str] | None:
    """
    Return of which tables the commits after the snapshot *since* changed rows, up to the snapshot *until*.

    Args:
        cursor: Reads.
        tables: As `list_tables`, of any earlier snapshot.
        since: The number of a snapshot.
        until: That of a later one, at most the cursor's.

    Returns: Their names, None when nobody knows.
    """
    commits = _read_commits(cursor, since, until)
    if commits is None:
        return None
    found: set[str] = set()
    for made, note in commits:
        touched = _find_touched(made, note)
        if touched is None or not touched <= tables.keys():
            return None
        found |= {tables[table] for table in touched}
    return frozenset(found)


def find_snapshot(cursor: Cursor) -> int:
    """Return the number of the snapshot that the cursor's transaction sees."""
    return int(fetch_one(cursor, _SQL["snapshot"])[0])


def read_made(cursor: Cursor, current: int, known: int) -> Mapping[int, str]:
    """
    Return by number when these two snapshots were made, without those that are forgotten.

    It tells a snapshot from that of the same number in another catalog.
    """
    return dict(cursor.execute(_SQL["made"], {"current": current, "known": known}).fetchall())


def list_tables(cursor: Cursor, name: str = "") -> dict[str, str]:
    """Return the tables by the number by which the catalog's record calls them: all, or the one of that *name*."""
    return dict(cursor.execute(_SQL["list_tables"], {"name": name}).fetchall())


def _read_commits(cursor: Cursor, since: int, until: int) -> list[tuple[str | None, str | None]] | None:
    """Return what each commit did and noted, in order, None unless they are few and all on record."""
    if until - since > MOST_COMMITS:
        return None
    commits = cursor.execute(_SQL["commits"], {"since": since, "until": until}).fetchall()
    return commits if len(commits) == until - since else None


def _find_touched(made: str | None, note: str | None) -> frozenset[str] | None:
    """
    Return by number the tables of which a commit changed rows, None when it may have changed anything.

    *made* is what it did, as the catalog calls it, each with the number of a table or with a name.
    """
    if note == _UNCHANGED:
        return frozenset()
    acts = [each.partition(":")[::2] for each in (made or "").split(",")]
    if not all(act in _ROWS or act in _UPKEEP for act, _ in acts):
        return None
    return frozenset(table for act, table in acts if act in _ROWS)


def _read_note(note: str | None) -> Change:
    try:
        first, last, *accounts = (note or "").split(" ")
        times = (datetime.fromisoformat(first).replace(tzinfo=UTC), datetime.fromisoformat(last).replace(tzinfo=UTC))
    except ValueError:
        # Another program's commit, or one from before there were notes.
        return ANYTHING
    # A note that names nobody is none of ours, either.
    return Change(*times, None if _ANY in accounts else frozenset(accounts)) if accounts else ANYTHING


@lru_cache(maxsize=4_096)
def _fingerprint(account_id: str) -> str:
    """Return what stands for an account in a note, where an id would be text that DuckLake writes into SQL."""
    return blake2s(account_id.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
