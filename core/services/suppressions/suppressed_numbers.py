"""
Which of very many numbers are suppressed, as of now, without asking a database for each.

A process holds the numbers of a scope in ascending order: in a file that is mapped into memory, together with what
has changed since. Each question begins with reading from the state store what has changed since the last one, which
is nearly always nothing. So an answer is as exact as the store's own, whoever has changed something on whatever
machine, and a file that is lost, damaged, old, or another store's only makes one question slower.
"""

import logging
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.domain.accounts.suppressions import EVERYWHERE
from core.domain.numbering.plans import MAX_DIGITS
from core.history.audience.recipients import SuppressedRecipients
from core.services.suppressions.number_files import Mark, read_numbers, write_numbers
from core.state.engine.store import State
from core.state.suppressions import changes
from core.state.suppressions.changes import Change, Scope
from core.state.suppressions.numbers import Numbers, arrange
from core.turns import held as lock_held

log = logging.getLogger(__name__)

# A machine that was off for longer reads all numbers once more.
CHANGES_KEPT = timedelta(days=7)
# Fewer are read sooner than a file is.
_LEAST_IN_FILE = 20_000
# As many numbers as may have changed since a copy was made, before it is made anew: so many, or such a share of it.
_MOST_CHANGED, _CHANGED_SHARE = 50_000, 20
# So many changes later it is worth to look whether there is a newer file.
_FAR_BEHIND = 20
# So many are looked at before it is asked whether enough were found.
_LOOKED_AT_ONCE = 500_000


def _no_numbers() -> Numbers:
    return np.empty(0, np.int64)


@dataclass(frozen=True)
class _Copy:
    """The numbers of a scope at *mark*: those of *base* but for *lifted*, and *added*."""

    mark: Mark
    base: Numbers
    added: Numbers = field(default_factory=_no_numbers)
    lifted: Numbers = field(default_factory=_no_numbers)

    @property
    def is_worn(self) -> bool:
        """Whether so much has changed that it should be made anew."""
        return len(self.added) + len(self.lifted) > max(_MOST_CHANGED, len(self.base) // _CHANGED_SHARE)

    def changed(self, later: Sequence[Change]) -> "_Copy":
        """Return what became of it with the changes that came later, in their order."""
        copy = self
        # An import is hundreds of changes in a row: they are put together once.
        for is_lifted, group in groupby(later, lambda change: change.is_lifted):
            same = list(group)
            numbers = arrange(*(change.numbers for change in same))
            more, less = (copy.lifted, copy.added) if is_lifted else (copy.added, copy.lifted)
            more, less = arrange(more, numbers), less[~_are_in(less, numbers)]
            added, lifted = (less, more) if is_lifted else (more, less)
            copy = _Copy(Mark(same[-1].change_no, same[-1].token), copy.base, added, lifted)
        return copy

    def merged(self) -> "_Copy":
        """Return the same numbers in one array."""
        kept = self.base[~_are_in(self.base, self.lifted)] if len(self.lifted) else self.base
        new = self.added[~_are_in(self.added, kept)]
        return _Copy(self.mark, np.insert(kept, np.searchsorted(kept, new), new) if len(new) else kept)

    def find(self, numbers: Numbers) -> Numbers:
        """Return those of *numbers* that are suppressed."""
        are = _are_in(numbers, self.base) & ~_are_in(numbers, self.lifted) | _are_in(numbers, self.added)
        return numbers[are]


class SuppressedNumbers:
    """One per process and safe to share between threads."""

    def __init__(self, state: State, folder: Path) -> None:
        """Take the state store, and the folder for the copies."""
        self._state = state
        self._folder = folder
        self._lock = threading.Lock()
        self._copies: dict[int, _Copy] = {}

    def find(self, account_id: str, numbers: Numbers) -> SuppressedRecipients:
        """Return which of *numbers* (ascending) are suppressed for the account now. Raises: StorageError."""
        copies = self._take({account_id, EVERYWHERE})
        found = {scope.account_id: copy.find(numbers) for scope, copy in copies}
        return SuppressedRecipients.of(found.get(account_id, _no_numbers()), found.get(EVERYWHERE, _no_numbers()))

    def search(self, account_ids: Collection[str], beginnings: Collection[str], ending: str, most: int) -> Numbers:
        """
        Return up to *most* suppressed numbers, in ascending order.

        Args:
            account_ids: Whose suppressions; `EVERYWHERE` among them for those of all.
            beginnings: Digits with which numbers are asked for that begin so; any of them.
            ending: Those with which others are asked for that end so; "" asks for none.
            most: How many are enough.
        """
        found = list[Numbers]()
        for _, copy in self._take(account_ids):
            for part in (copy.base, copy.added):
                for digits in beginnings:
                    found += (copy.find(each) for each in _beginning(part, digits, most))
                if ending:
                    found += _ending(part, ending, most, copy)
        return arrange(*found)[:most]

    def refresh(self) -> None:
        """Bring the copies of all scopes up to date, and their files: as after an import. Raises: StorageError."""
        with self._state.read() as session:
            account_ids = changes.list_scoped(session)
        self._take(account_ids)

    def forget_changes(self, now: datetime) -> int:
        """Delete what has changed long ago: the suppressions themselves stay; return how many changes."""
        with self._state.write() as session:
            return changes.delete_old(session, now - CHANGES_KEPT)

    def _take(self, account_ids: Collection[str]) -> list[tuple[Scope, _Copy]]:
        # One at a time: two that read ten million side by side would only take each other's memory.
        with lock_held(self._lock), self._state.read() as session:
            scopes = changes.find_scopes(session, account_ids)
            return [(scope, self._current(session, scope)) for scope in scopes if scope.change_no]

    def _current(self, session: Session, scope: Scope) -> _Copy:
        copy = self._copies.get(scope.scope_no)
        if copy is None or scope.change_no - copy.mark.change_no > _FAR_BEHIND:
            # Another process of this machine may have been there before.
            copy = _newer(copy, read_numbers(self._path(scope)), scope)
        if copy is None or not _is_of(session, scope, copy):
            copy = self._made_anew(session, scope)
        elif copy.mark.change_no < scope.change_no:
            later = changes.list_changes(session, scope.scope_no, copy.mark.change_no)
            # A clock that was set back may let one be forgotten before an earlier one.
            is_whole = len(later) == scope.change_no - copy.mark.change_no
            copy = copy.changed(later) if is_whole else self._made_anew(session, scope)
            if copy.is_worn:
                copy = self._kept(scope, copy.merged())
        self._copies[scope.scope_no] = copy
        return copy

    def _made_anew(self, session: Session, scope: Scope) -> _Copy:
        token = changes.find_token(session, scope.scope_no, scope.change_no)
        numbers = np.concatenate([np.empty(0, np.int64), *changes.iterate_numbers(session, scope.scope_no)])
        log.info("suppressed_numbers_read", extra={"scope": scope.scope_no, "numbers": len(numbers)})
        return self._kept(scope, _Copy(Mark(scope.change_no, token or 0), numbers))

    def _kept(self, scope: Scope, copy: _Copy) -> _Copy:
        """Write the copy to its file and return it from there; where that cannot be done, it stays in memory."""
        if len(copy.base) < _LEAST_IN_FILE:
            return copy
        path = self._path(scope)
        try:
            write_numbers(path, copy.mark, copy.base)
        except OSError as error:
            log.warning("suppressed_numbers_not_written", extra={"file": path.name, "reason": str(error)})
            return copy
        read = read_numbers(path)
        # Another process may have written a newer one in between.
        return _Copy(*read) if read is not None and read[0] == copy.mark else copy

    def _path(self, scope: Scope) -> Path:
        return self._folder / f"{scope.scope_no}.numbers"


def _newer(copy: _Copy | None, read: tuple[Mark, Numbers] | None, scope: Scope) -> _Copy | None:
    if read is None or (copy and not copy.mark.change_no < read[0].change_no <= scope.change_no):
        return copy
    return _Copy(*read)


def _is_of(session: Session, scope: Scope, copy: _Copy) -> bool:
    """Whether a copy is one of this store's, from which what came since is known."""
    if copy.mark.change_no > scope.change_no:
        return False
    return changes.find_token(session, scope.scope_no, copy.mark.change_no) == copy.mark.token


def _are_in(numbers: Numbers, others: Numbers) -> NDArray[np.bool_]:
    """Return for each of *numbers* whether it is one of *others*; both ascending."""
    if not len(others):
        return np.zeros(len(numbers), np.bool_)
    places = np.searchsorted(others, numbers)
    places[places == len(others)] = 0
    return np.equal(others[places], numbers)


def _beginning(numbers: Numbers, digits: str, most: int) -> Iterator[Numbers]:
    """Yield up to *most* of each length that begin so."""
    for more in range(MAX_DIGITS + 1 - len(digits)):
        first, last = np.searchsorted(numbers, [int(digits) * 10**more, (int(digits) + 1) * 10**more])
        yield np.asarray(numbers[first : min(last, first + most)])


def _ending(numbers: Numbers, digits: str, most: int, copy: _Copy) -> Iterator[Numbers]:
    """Yield those that end so and are suppressed, up to *most* or some more."""
    count = 0
    for start in range(0, len(numbers), _LOOKED_AT_ONCE):
        part = numbers[start : start + _LOOKED_AT_ONCE]
        found = copy.find(part[part % 10 ** len(digits) == int(digits)])
        yield found
        count += len(found)
        if count >= most:
            return
