"""Traffic accounts and their price lists."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select, union
from sqlalchemy.orm import Session

from core.domain.accounts.accounts import Account, AccountStatus, AccountType, can_send
from core.domain.accounts.pricing import ALWAYS, Price
from core.domain.reports.paging import Page, PageRequest
from core.errors import NotFound
from core.state.engine.prepared import Prepared
from core.state.tables.models import AccountRow, PriceRow
from core.state.tables.search import contains, exact_first

# What a page of accounts may be sorted by.
SORTABLE = ("name", "display_name", "account_type", "status", "created_at")

_OF_ACCOUNT = select(
    AccountRow.rate_tps,
    AccountRow.account_type,
    AccountRow.status,
    AccountRow.gateway,
    AccountRow.display_name,
    AccountRow.monthly_budget_eur_cents,
).where(AccountRow.account_id == bindparam("key"))
_PACED = Prepared(_OF_ACCOUNT, ("key",))
_LOCKED_PACED = Prepared(_OF_ACCOUNT.with_for_update(), ("key",))


@dataclass(frozen=True)
class PacedAccount:
    """
    An account's rate (segments per second), whether it may be used at all, and by what.

    *monthly_budget_eur_cents* is what it may spend in a month, None for no end; people know it by its *display_name*.
    """

    rate_tps: int
    can_send: bool
    gateway: str
    display_name: str
    monthly_budget_eur_cents: Decimal | None


def add_account(session: Session, account: Account, now: datetime) -> None:
    """Add the account; a name that is taken raises SQLAlchemy's IntegrityError."""
    session.add(
        AccountRow(
            account_id=account.account_id,
            name=account.name,
            display_name=account.display_name,
            account_type=account.account_type,
            status=account.status,
            gateway=account.gateway,
            fallback_gateway=account.fallback_gateway,
            stop_confirmation=account.stop_confirmation,
            rate_tps=account.rate_tps,
            monthly_budget_eur_cents=account.monthly_budget_eur_cents,
            created_at=now,
        )
    )
    session.flush()


# Asked for by every page, so made once, and without the ORM's books of rows that nobody changes.
_AMONG = (
    select(*AccountRow.__table__.columns)
    .where(AccountRow.account_id.in_(bindparam("account_ids", expanding=True)))
    .order_by(AccountRow.display_name)
)


def list_accounts(session: Session, account_ids: Collection[str]) -> tuple[Account, ...]:
    """Return the accounts among *account_ids*, by display name."""
    return tuple(_account(row) for row in session.execute(_AMONG, {"account_ids": list(account_ids)}))


def get_account(session: Session, account_id: str) -> Account:
    """Return the account. Raises: NotFound."""
    row = session.get(AccountRow, account_id)
    if row is None:
        raise NotFound("There is no such account.")
    return _account(row)


def get_account_by_name(session: Session, name: str) -> Account:
    """Return the account called *name*. Raises: NotFound."""
    row = session.scalar(select(AccountRow).where(AccountRow.name == name))
    if row is None:
        raise NotFound(f"There is no account called {name}.")
    return _account(row)


def list_by_gateway(session: Session) -> dict[str, tuple[str, ...]]:
    """Return who uses each gateway, as the first or as the fallback: display names in order, none twice."""
    uses = union(
        *(
            select(column, AccountRow.display_name).where(column != "")
            for column in (AccountRow.gateway, AccountRow.fallback_gateway)
        )
    )
    found = dict[str, list[str]]()
    for gateway, display_name in sorted(session.execute(uses).all()):
        found.setdefault(gateway, []).append(display_name)
    return {gateway: tuple(names) for gateway, names in found.items()}


def list_fallbacks(session: Session, gateway: str) -> tuple[tuple[str, str], ...]:
    """Return which active accounts go by another gateway when this one takes nothing: display name and that gateway."""
    theirs = (
        AccountRow.gateway == gateway,
        AccountRow.fallback_gateway != "",
        AccountRow.status == AccountStatus.ACTIVE,
    )
    found = session.execute(select(AccountRow.display_name, AccountRow.fallback_gateway).where(*theirs).distinct())
    return tuple(sorted((display_name, other) for display_name, other in found))


def set_rate(session: Session, account_id: str, rate_tps: int) -> None:
    """Change how fast the account submits; running campaigns follow with their next sub-window."""
    session.get_one(AccountRow, account_id).rate_tps = rate_tps


def set_budget(session: Session, account_id: str, monthly_eur_cents: Decimal | None) -> None:
    """Change what the account may spend in a calendar month (of UTC); None lifts the limit."""
    session.get_one(AccountRow, account_id).monthly_budget_eur_cents = monthly_eur_cents


def set_display_name(session: Session, account_id: str, display_name: str) -> None:
    """Change what people call the account."""
    session.get_one(AccountRow, account_id).display_name = display_name


def set_status(session: Session, account_id: str, status: AccountStatus) -> None:
    """Change whether the account may be used."""
    session.get_one(AccountRow, account_id).status = status


def set_gateways(session: Session, account_id: str, gateway: str, fallback_gateway: str) -> None:
    """Change by which gateway the account sends, and by which what that one certainly did not take; "" for none."""
    row = session.get_one(AccountRow, account_id)
    row.gateway, row.fallback_gateway = gateway, fallback_gateway


def set_stop_confirmation(session: Session, account_id: str, text: str) -> None:
    """Change what whoever says STOP is sent; "" for nothing."""
    session.get_one(AccountRow, account_id).stop_confirmation = text


def lock_account(session: Session, account_id: str) -> Account:
    """Return the account; until the transaction ends nobody else changes it or books in its log. Raises: NotFound."""
    which = select(AccountRow).where(AccountRow.account_id == account_id).with_for_update()
    # What this transaction read before it had to wait may be old.
    row = session.scalar(which, execution_options={"populate_existing": True})
    if row is None:
        raise NotFound("There is no such account.")
    return _account(row)


def is_name_taken(session: Session, name: str) -> bool:
    """Return whether an account is called *name*, whatever the case."""
    return session.scalar(select(AccountRow.account_id).where(func.lower(AccountRow.name) == name.lower())) is not None


def page_accounts(session: Session, account_ids: Collection[str] | None, request: PageRequest) -> Page[Account]:
    """Return a page of the accounts among *account_ids* (None: of all) whose name contains the search."""
    found = select(AccountRow)
    if account_ids is not None:
        found = found.where(AccountRow.account_id.in_(account_ids))
    if request.search.strip():
        search = request.search.strip()
        found = found.where(
            contains(AccountRow.name.expression, search) | contains(AccountRow.display_name.expression, search)
        )
    total = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    column = getattr(AccountRow, request.sort if request.sort in SORTABLE else "display_name")
    order = column.desc() if request.descending else column.asc()
    exact = exact_first(request.search, AccountRow.name.expression, AccountRow.display_name.expression)
    ordered = found.order_by(*exact, order, AccountRow.account_id)
    rows = session.scalars(ordered.limit(request.size).offset(request.offset))
    return Page(tuple(_account(row) for row in rows), total)


def lock_paced(session: Session, account_id: str) -> PacedAccount:
    """Return what sending goes by; the account is locked until the transaction ends (as by SQLite's write lock)."""
    return _paced(_LOCKED_PACED.fetch(session, account_id))


def look_at_paced(session: Session, account_id: str) -> PacedAccount:
    """Return what sending goes by as it is this moment, to weigh something up."""
    return _paced(_PACED.fetch(session, account_id))


def _paced(rows: list[tuple[Any, ...]]) -> PacedAccount:
    ((rate_tps, account_type, status, gateway, display_name, budget),) = rows
    may_send = can_send(AccountType(account_type), AccountStatus(status))
    return PacedAccount(rate_tps, may_send, gateway, display_name, budget)


def set_prices(session: Session, account_id: str, prices: Iterable[Price], valid_from: date = ALWAYS) -> None:
    """Add or replace prices of one segment, EUR cents, in the list that counts from *valid_from* (a day of UTC) on."""
    for price in prices:
        session.merge(
            PriceRow(
                account_id=account_id,
                country=price.country,
                mccmnc=price.mccmnc,
                valid_from=valid_from,
                price_eur_cents=price.price_eur_cents,
            )
        )


def replace_prices(session: Session, account_id: str, prices: Iterable[Price], valid_from: date) -> None:
    """Make *prices* the whole list that counts from *valid_from* on."""
    session.execute(delete(PriceRow).where(PriceRow.account_id == account_id, PriceRow.valid_from == valid_from))
    session.add_all(PriceRow(account_id=account_id, valid_from=valid_from, **vars(price)) for price in prices)
    session.flush()


def list_prices(session: Session, account_id: str, on: date | None = None) -> tuple[Price, ...]:
    """Return the account's price list that counts *on* that day of UTC, the newest of all without one; () for none."""
    mine = select(func.max(PriceRow.valid_from)).where(PriceRow.account_id == account_id)
    newest = (mine.where(PriceRow.valid_from <= on) if on else mine).scalar_subquery()
    rows = session.scalars(select(PriceRow).where(PriceRow.account_id == account_id, PriceRow.valid_from == newest))
    return tuple(Price(row.country, row.mccmnc, Decimal(row.price_eur_cents)) for row in rows)


def get_price_list(session: Session, account_id: str, valid_from: date) -> tuple[Price, ...]:
    """Return the prices of the list that counts from exactly that day on. Raises: NotFound: there is none."""
    mine = select(PriceRow).where(PriceRow.account_id == account_id, PriceRow.valid_from == valid_from)
    rows = session.scalars(mine.order_by(PriceRow.country, PriceRow.mccmnc)).all()
    if not rows:
        raise NotFound("There is no price list for that day.")
    return tuple(Price(row.country, row.mccmnc, Decimal(row.price_eur_cents)) for row in rows)


def list_price_lists(session: Session, account_id: str) -> tuple[tuple[date, int], ...]:
    """Return from when each of the account's price lists counts and how many prices it has, the newest first."""
    rows = session.execute(
        select(PriceRow.valid_from, func.count())
        .where(PriceRow.account_id == account_id)
        .group_by(PriceRow.valid_from)
        .order_by(PriceRow.valid_from.desc())
    )
    return tuple((valid_from, count) for valid_from, count in rows)


def _account(row: AccountRow | Row[*tuple[Any, ...]]) -> Account:
    return Account(
        account_id=row.account_id,
        name=row.name,
        display_name=row.display_name,
        account_type=AccountType(row.account_type),
        status=AccountStatus(row.status),
        gateway=row.gateway,
        rate_tps=row.rate_tps,
        monthly_budget_eur_cents=row.monthly_budget_eur_cents,
        fallback_gateway=row.fallback_gateway,
        stop_confirmation=row.stop_confirmation,
    )
