"""
Suppressions as they are listed: a page at a time, newest first, without counting or passing over millions of them.

Newest first is by where they came from, and within that by number. How many came from where is known, so that the total
is a sum of few, and a page is found in two steps: whose page it is, then that page.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import Session

from core.domain.accounts.suppressions import (
    LiftedSuppression,
    Origin,
    Suppression,
    SuppressionKey,
    SuppressionSource,
)
from core.state.suppressions.numbers import Numbers, table_of, to_msisdn
from core.state.suppressions.suppressions import CODES, SOURCES
from core.state.tables.suppression_models import LiftedSuppressionRow as LiftedRow
from core.state.tables.suppression_models import SuppressionOriginRow as OriginRow
from core.state.tables.suppression_models import SuppressionRow as Row

_AT_ONCE = 20_000


@dataclass(frozen=True)
class SuppressionQuery:
    """Which suppressions: of these scopes, by scope_no with their account_ids, and of one source where there is one."""

    scopes: Mapping[int, str]
    source: SuppressionSource | None = None


def count_suppressions(session: Session, wanted: SuppressionQuery) -> int:
    """Return how many there are."""
    return int(session.scalar(select(func.coalesce(func.sum(OriginRow.live_count), 0)).where(*_of(wanted))) or 0)


def page_suppressions(session: Session, wanted: SuppressionQuery, limit: int, offset: int) -> tuple[Suppression, ...]:
    """Return up to *limit* of them after the first *offset*: the newest first, those that came together by number."""
    found = list[Suppression]()
    for origin, skipped in _list_origins(session, wanted, limit, offset):
        mine = select(Row.number).where(Row.origin_no == origin.origin_no).order_by(Row.number)
        numbers = session.scalars(mine.offset(skipped).limit(limit - len(found)))
        found += (_suppression(wanted.scopes, origin, number) for number in numbers)
    return tuple(found)


def list_of_numbers(session: Session, wanted: SuppressionQuery, numbers: Numbers) -> tuple[Suppression, ...]:
    """Return all that concern these numbers, which are not too many, by number."""
    given = table_of(session, numbers)
    terms: list[ColumnElement[bool]] = [Row.scope_no.in_(wanted.scopes)]
    if wanted.source is not None:
        terms.append(Row.source == CODES[wanted.source])
    asked = (
        select(Row.number, OriginRow)
        .join(OriginRow, OriginRow.origin_no == Row.origin_no)
        .where(*terms, Row.number.in_(select(given.c.number)))
        .order_by(Row.number, Row.scope_no, Row.source)
    )
    return tuple(_suppression(wanted.scopes, origin, number) for number, origin in session.execute(asked))


def list_lifted(session: Session, scopes: Mapping[int, str], number: int) -> tuple[LiftedSuppression, ...]:
    """Return what was lifted of one number, the newest first."""
    asked = (
        select(LiftedRow, OriginRow)
        .join(OriginRow, OriginRow.origin_no == LiftedRow.origin_no)
        .where(LiftedRow.number == number, LiftedRow.scope_no.in_(scopes))
        .order_by(LiftedRow.lifted_no.desc())
    )
    return tuple(
        LiftedSuppression(_suppression(scopes, origin, number), row.lifted_at, row.lifted_by, row.reason)
        for row, origin in session.execute(asked)
    )


def iterate_suppressions(session: Session, wanted: SuppressionQuery) -> Iterator[Sequence[Suppression]]:
    """Yield all of them, by scope and number, in portions."""
    place: tuple[int, int, int] | None = None
    while True:
        found = session.execute(_next(wanted, place)).all()
        if not found:
            return
        scope_no, last, source, _ = found[-1]
        place = scope_no, last, source
        yield [_suppression(wanted.scopes, origin, number) for _, number, _, origin in found]


def _next(wanted: SuppressionQuery, after: tuple[int, int, int] | None) -> Select[int, int, int, OriginRow]:
    key = (Row.scope_no, Row.number, Row.source)
    asked = select(*key, OriginRow).join(OriginRow, OriginRow.origin_no == Row.origin_no)
    asked = asked.where(Row.scope_no.in_(wanted.scopes))
    if wanted.source is not None:
        asked = asked.where(Row.source == CODES[wanted.source])
    if after is not None:
        asked = asked.where(tuple_(*key) > tuple_(*after))
    return asked.order_by(*key).limit(_AT_ONCE)


def _list_origins(
    session: Session, wanted: SuppressionQuery, limit: int, offset: int
) -> Iterable[tuple[OriginRow, int]]:
    """Yield those of whom a page shows something, and how many of the first one's numbers come before it."""
    after = offset
    asked = select(OriginRow).where(*_of(wanted), OriginRow.live_count > 0).order_by(OriginRow.origin_no.desc())
    # Each has one at least, so that no more than these can come before the page or be on it.
    for origin in session.scalars(asked.limit(offset + limit)):
        if after >= origin.live_count:
            after -= origin.live_count
            continue
        yield origin, after
        limit -= origin.live_count - after
        after = 0
        if limit <= 0:
            return


def _of(wanted: SuppressionQuery) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = [OriginRow.scope_no.in_(wanted.scopes)]
    if wanted.source is not None:
        terms.append(OriginRow.source == CODES[wanted.source])
    return terms


def _suppression(scopes: Mapping[int, str], origin: OriginRow, number: int) -> Suppression:
    source = SOURCES[origin.source]
    key = SuppressionKey(scopes[origin.scope_no], to_msisdn(number), source)
    return Suppression(key, Origin(source, origin.reason, origin.created_by, origin.created_at))
