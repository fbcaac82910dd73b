"""
Which messages a commit added or changed.

Who commits says so in the commit's own note (`note_changes`), which costs no row. The catalog itself says which tables
a commit touched: one that touched the messages and says nothing about them may have changed any (`read_changes`).
"""

from collections.abc import Iterable, Iterator, Sequence
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
# What upkeep does to a table: it says the same afterwards.
_UPKEEP = frozenset({"inline_flush", "merge_adjacent", "rewrite_delete"})
_ANY = "*"


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


def read_changes(cursor: Cursor, since: int, until: int) -> tuple[Change, ...]:
    """
    Return what the commits after the snapshot *since* changed, up to the snapshot *until*.

    One whose record is gone may have changed anything.
    """
    messages = str(fetch_one(cursor, _SQL["find_messages"])[0])
    rows = cursor.execute(_SQL["commits"], {"since": since, "until": until}).fetchall()
    if len(rows) != until - since:
        return (ANYTHING,)
    return tuple(_list_changes(rows, messages))


def _list_changes(rows: Sequence[tuple[str, str | None]], messages: str) -> Iterator[Change]:
    for made, note in rows:
        acts = {act for act, _, table in (each.partition(":") for each in made.split(",")) if table == messages}
        if acts - _UPKEEP:
            yield _read_note(note)


def _read_note(note: str | None) -> Change:
    try:
        first, last, *accounts = (note or "").split(" ")
        times = (datetime.fromisoformat(first).replace(tzinfo=UTC), datetime.fromisoformat(last).replace(tzinfo=UTC))
    except ValueError:
        # Another program's commit, or one from before there were notes.
        return ANYTHING
    return Change(*times, None if _ANY in accounts else frozenset(accounts))


@lru_cache(maxsize=4_096)
def _fingerprint(account_id: str) -> str:
    """Return what stands for an account in a note, where an id would be text that DuckLake writes into SQL."""
    return blake2s(account_id.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
