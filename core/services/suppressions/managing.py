"""Managing suppressions: looking them up, adding, lifting, and what became of a number."""

import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy.orm import Session

from core.domain.accounts.accounts import label_accounts
from core.domain.accounts.suppressions import (
    EVERYWHERE,
    REASON_MAX,
    LiftedSuppression,
    Origin,
    Suppression,
    SuppressionFilter,
    SuppressionKey,
    SuppressionSource,
)
from core.domain.numbering.msisdn import find_msisdn, parse_msisdn
from core.domain.numbering.plans import list_calling_codes
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action, Subject
from core.domain.reports.questions import refuse_odd_question
from core.domain.words.control_characters import refuse_controls
from core.domain.words.counting import count_of, grouped
from core.errors import Forbidden, InvalidInput, InvalidMsisdn
from core.services.suppressions.suppressed_numbers import SuppressedNumbers
from core.state.accounts import accounts
from core.state.engine.store import State
from core.state.reports import audit
from core.state.suppressions import changes, listing
from core.state.suppressions.listing import SuppressionQuery
from core.state.suppressions.numbers import to_number
from core.state.suppressions.suppressions import Lifting, add_suppressions, lift_suppressions

log = logging.getLogger(__name__)

# What the scope of all accounts is called.
ALL_ACCOUNTS = "All accounts"
# Numbers that are added by hand at once; for more there are files.
ADD_MOST = 5_000
# Numbers found by a part of one that are listed; who has more types more digits.
FOUND_MOST = 1_000
# Suppressions that are lifted at once.
LIFT_MOST = 1_000
# Fewer digits are at the end of too many numbers.
_ENDING_DIGITS = 3
_BETWEEN_NUMBERS = re.compile(r"[\n\r,;\t]+")
# What people type into a number to read it better, and a number or part of one without that.
_SEPARATORS = re.compile(r"[\s()./\-\u2010-\u2015\u2060\u200b-\u200f\u202a-\u202e]")
_DIGITS = re.compile(r"(\+|00)?([0-9]{1,15})")

SCHEMA = pa.schema(
    [
        ("created_at", pa.timestamp("us", tz="UTC")),
        ("msisdn", pa.string()),
        ("scope", pa.string()),
        ("source", pa.string()),
        ("reason", pa.string()),
        ("created_by", pa.string()),
    ]
)


@dataclass(frozen=True)
class ShownSuppression:
    """A suppression as people see it, and whether the viewer may lift it; *scope* is a name, maybe `ALL_ACCOUNTS`."""

    key: SuppressionKey
    scope: str
    origin: Origin
    is_liftable: bool

    @property
    def msisdn(self) -> str:
        """The number."""
        return self.key.msisdn

    @property
    def row_id(self) -> str:
        """What tells it from all others of a page."""
        return f"{self.key.account_id}/{self.key.msisdn}/{self.key.source.name}"


@dataclass(frozen=True)
class SuppressionPage:
    """A page of suppressions, of all *total*; *is_cut* where more were found than are listed."""

    items: tuple[ShownSuppression, ...]
    total: int
    is_cut: bool = False


@dataclass(frozen=True)
class NumberFault:
    """What somebody typed that is no number, and why."""

    text: str
    fault: str


@dataclass(frozen=True)
class AddedNumbers:
    """How many numbers are *new*, how many were *known* from a person already, and what was no number."""

    new: int
    known: int
    faults: tuple[NumberFault, ...]


@dataclass(frozen=True)
class NumberHistory:
    """What is, and what was, suppressed of a number, as far as the viewer may see it."""

    msisdn: str
    suppressions: tuple[ShownSuppression, ...]
    lifted: tuple[tuple[str, LiftedSuppression], ...]
    """The name of each one's scope beside it, the newest first."""


@dataclass(frozen=True)
class Sought:
    """What somebody types to find a number: digits it may begin with, and those it may end with ("" for none)."""

    beginnings: tuple[str, ...] = ()
    ending: str = ""


@dataclass(frozen=True)
class _Asked:
    """A filter made out: the scopes with their ids, the source, and what is looked for in numbers."""

    query: SuppressionQuery
    account_ids: frozenset[str]
    sought: Sought | None = None


class ManagingSuppressions:
    """What people do with suppressions, within their accounts; those of all accounts are changed by administrators."""

    def __init__(self, state: State, numbers: SuppressedNumbers) -> None:
        """Take the store, and who finds numbers by a part of them."""
        self._state = state
        self._numbers = numbers

    def list_scopes(self, viewer: Viewer) -> Mapping[str, str]:
        """Return whose suppressions the viewer sees: account_id (`EVERYWHERE` first) and name. Raises: Forbidden."""
        viewer.require(Permission.DISTRIBUTION_LISTS)
        with self._state.read() as session:
            return _names(session, viewer)

    def page(self, viewer: Viewer, wanted: SuppressionFilter, page: int, size: int) -> SuppressionPage:
        """
        Return page *page* (from 1), the newest first; those found by a part of their number by number.

        Raises: Forbidden. InvalidInput: an odd question. StorageError.
        """
        asked, names = self._ask(viewer, wanted)
        offset = (max(1, page) - 1) * size
        if asked.sought is not None:
            found, is_cut = self._search(asked, asked.sought)
            return SuppressionPage(_shown(viewer, names, found[offset : offset + size]), len(found), is_cut)
        with self._state.read() as session:
            total = listing.count_suppressions(session, asked.query)
            items = listing.page_suppressions(session, asked.query, size, offset)
        return SuppressionPage(_shown(viewer, names, items), total)

    def add(self, viewer: Viewer, account_id: str, text: str, reason: str, now: datetime) -> AddedNumbers:
        """
        Suppress the numbers in *text*, one in a line or with commas between them.

        What is no number is returned, and keeps no other from being suppressed.
        Raises: Forbidden. NotFound: not the viewer's. InvalidInput, with the *field*: no number, too many, the reason.
        """
        require_change(viewer, account_id)
        reason = check_reason(reason, is_needed=False)
        texts = [each.strip() for each in _BETWEEN_NUMBERS.split(text) if each.strip()]
        if not texts:
            raise InvalidInput("There are no numbers.", hint="Type one in each line.", field="numbers")
        if len(texts) > ADD_MOST:
            raise InvalidInput(
                f"There are {count_of(len(texts), 'number', 'numbers')}.",
                hint=f"Add at most {grouped(ADD_MOST)}; import a file with more.",
                field="numbers",
            )
        numbers, faults = _read(texts)
        origin = Origin(SuppressionSource.PERSON, reason, viewer.name, now)
        with self._state.write() as session:
            new = add_suppressions(session, account_id, numbers, origin)
            if new:
                subject = suppression_subject(session, account_id)
                audit.record(session, viewer, Action.SUPPRESSIONS_ADDED, subject, now, {"numbers": f"{grouped(new)}"})
        log.info("suppressions_added", extra={"user_id": viewer.user_id, "numbers": new, "everywhere": not account_id})
        return AddedNumbers(new, len(numbers) - new, tuple(faults))

    def lift(self, viewer: Viewer, keys: Collection[SuppressionKey], reason: str, now: datetime) -> int:
        """
        Let numbers be sent to again as far as these suppressions go; return how many of them there still were.

        Raises: Forbidden, NotFound: one is not the viewer's. InvalidInput, with the *field*: none, too many, no reason.
        """
        viewer.require(Permission.DISTRIBUTION_LISTS)
        for account_id in {key.account_id for key in keys}:
            require_change(viewer, account_id)
        if not 0 < len(keys) <= LIFT_MOST:
            raise InvalidInput(
                f"{count_of(len(keys), 'suppression is', 'suppressions are')} chosen.",
                hint=f"Choose 1 to {grouped(LIFT_MOST)}.",
            )
        lifting = Lifting(viewer.name, now, check_reason(reason, is_needed=True))
        # In one order, as everybody takes scopes.
        groups = sorted({(key.account_id, key.source) for key in keys})
        lifted = 0
        with self._state.write() as session:
            for account_id, source in groups:
                these = [key.msisdn for key in keys if (key.account_id, key.source) == (account_id, source)]
                count = lift_suppressions(session, account_id, these, source, lifting)
                lifted += count
                if count:
                    details = {"numbers": f"{grouped(count)}", "source": source.value}
                    subject = suppression_subject(session, account_id)
                    audit.record(session, viewer, Action.SUPPRESSIONS_LIFTED, subject, now, details)
        log.info("suppressions_lifted", extra={"user_id": viewer.user_id, "numbers": lifted})
        return lifted

    def history(self, viewer: Viewer, number: str) -> NumberHistory:
        """Return what is and was suppressed of a number. Raises: Forbidden. InvalidMsisdn: it is none."""
        asked, names = self._ask(viewer, SuppressionFilter())
        msisdn = parse_msisdn(number)
        wanted = np.array([to_number(msisdn)], np.int64)
        with self._state.read() as session:
            found = listing.list_of_numbers(session, asked.query, wanted)
            lifted = listing.list_lifted(session, asked.query.scopes, to_number(msisdn))
        with_names = tuple((names[each.suppression.key.account_id], each) for each in lifted)
        return NumberHistory(msisdn, _shown(viewer, names, found), with_names)

    def in_words(self, viewer: Viewer, wanted: SuppressionFilter) -> list[str]:
        """Return what narrows the suppressions down, as people read it. Raises: as `page`."""
        _, names = self._ask(viewer, wanted)
        words = {"Number": wanted.number.strip(), "Source": wanted.source or ""}
        if wanted.account_id is not None:
            words["Scope"] = names.get(wanted.account_id, "none of yours")
        return [f"{name}: {value}" for name, value in words.items() if value]

    def all_suppressions(self, viewer: Viewer, wanted: SuppressionFilter) -> tuple[int, Iterator[pa.Table]]:
        """Return how many there are, and all of them as tables of `SCHEMA`. Raises: as `page`."""
        asked, names = self._ask(viewer, wanted)
        if asked.sought is not None:
            found, is_cut = self._search(asked, asked.sought)
            if is_cut:
                raise InvalidInput(
                    f"More than {grouped(FOUND_MOST)} numbers have these digits.", hint="Type more of them, or none."
                )
            return len(found), iter([_table(names, found)])
        with self._state.read() as session:
            count = listing.count_suppressions(session, asked.query)
        return count, self._tables(asked.query, names)

    def _tables(self, query: SuppressionQuery, names: Mapping[str, str]) -> Iterator[pa.Table]:
        with self._state.read() as session:
            for part in listing.iterate_suppressions(session, query):
                yield _table(names, part)

    def _search(self, asked: _Asked, sought: Sought) -> tuple[tuple[Suppression, ...], bool]:
        if not sought.beginnings:
            return (), False
        numbers = self._numbers.search(asked.account_ids, sought.beginnings, sought.ending, FOUND_MOST + 1)
        with self._state.read() as session:
            found = listing.list_of_numbers(session, asked.query, numbers[:FOUND_MOST])
        return found, len(numbers) > FOUND_MOST

    def _ask(self, viewer: Viewer, wanted: SuppressionFilter) -> tuple[_Asked, Mapping[str, str]]:
        viewer.require(Permission.DISTRIBUTION_LISTS)
        refuse_odd_question(wanted)
        with self._state.read() as session:
            names = _names(session, viewer)
            account_ids = names.keys() if wanted.account_id is None else names.keys() & {wanted.account_id}
            scopes = changes.find_scopes(session, account_ids)
        query = SuppressionQuery({scope.scope_no: scope.account_id for scope in scopes}, wanted.source)
        sought = read_sought(wanted.number) if wanted.number.strip() else None
        return _Asked(query, frozenset(account_ids), sought), names


def read_sought(text: str) -> Sought:
    """
    Return what *text* asks for: the beginning of a number, with its country code or as dialed at home, or its end.

    What is no number and no part of one asks for nothing.
    """
    whole = find_msisdn(text)
    if whole is not None:
        return Sought((whole.removeprefix("+"),))
    found = _DIGITS.fullmatch(_SEPARATORS.sub("", text))
    if found is None:
        return Sought()
    prefix, digits = found[1], found[2]
    if prefix:
        return Sought((digits,))
    # A number as it is dialed at home has a zero that none has here, and any country's code before the rest.
    national = digits.lstrip("0")
    if national != digits:
        return Sought(tuple(f"{code}{national}" for code in list_calling_codes() if national))
    return Sought((digits,), digits if len(digits) >= _ENDING_DIGITS else "")


def check_reason(reason: str, *, is_needed: bool) -> str:
    """Return the reason with its spaces tidied. Raises: InvalidInput, with the field "reason"."""
    tidy = " ".join(reason.split())
    refuse_controls(tidy, "The reason", field="reason")
    if is_needed and not tidy:
        raise InvalidInput("There is no reason.", hint="Say why in a few words; it is kept.", field="reason")
    if len(tidy) > REASON_MAX:
        raise InvalidInput(
            f"The reason has {count_of(len(tidy), 'character', 'characters')}.",
            hint=f"Use {REASON_MAX} at most.",
            field="reason",
        )
    return tidy


def suppression_subject(session: Session, account_id: str) -> Subject:
    """Return whose suppressions are changed, for the audit."""
    if account_id == EVERYWHERE:
        return Subject("suppressions", "", ALL_ACCOUNTS)
    return Subject("suppressions", account_id, accounts.get_account(session, account_id).display_name)


def require_scope(viewer: Viewer, account_id: str) -> None:
    """Let pass whoever sees these suppressions. Raises: Forbidden, NotFound."""
    viewer.require(Permission.DISTRIBUTION_LISTS)
    if account_id != EVERYWHERE:
        viewer.require_account(account_id, "account")


def require_change(viewer: Viewer, account_id: str) -> None:
    """Let pass whoever may change these suppressions. Raises: Forbidden, NotFound."""
    require_scope(viewer, account_id)
    if account_id == EVERYWHERE and not viewer.is_administrator:
        raise Forbidden(
            "Only administrators change what is suppressed for all accounts.", hint="Ask one of them to do it."
        )


def _names(session: Session, viewer: Viewer) -> dict[str, str]:
    return {EVERYWHERE: ALL_ACCOUNTS} | label_accounts(accounts.list_accounts(session, viewer.account_ids))


def _shown(viewer: Viewer, names: Mapping[str, str], found: Sequence[Suppression]) -> tuple[ShownSuppression, ...]:
    return tuple(
        ShownSuppression(
            each.key, names[each.key.account_id], each.origin, bool(each.key.account_id) or viewer.is_administrator
        )
        for each in found
    )


def _table(names: Mapping[str, str], found: Sequence[Suppression]) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {
            "created_at": each.origin.created_at,
            "msisdn": each.key.msisdn,
            "scope": names[each.key.account_id],
            "source": each.origin.source.value,
            "reason": each.origin.reason,
            "created_by": each.origin.created_by,
        }
        for each in found
    ]
    return pa.Table.from_pylist(rows, SCHEMA)


def _read(texts: Sequence[str]) -> tuple[frozenset[str], list[NumberFault]]:
    numbers, faults = set[str](), list[NumberFault]()
    for text in texts:
        try:
            numbers.add(parse_msisdn(text))
        except InvalidMsisdn as error:
            faults.append(NumberFault(text[:60], f"{error.message} {error.hint}".strip()))
    return frozenset(numbers), faults
