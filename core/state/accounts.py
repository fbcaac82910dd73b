"""Traffic accounts, their price lists and their token buckets."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.accounts import Account, AccountStatus, AccountType
from core.domain.pacing import Bucket
from core.domain.pricing import Price
from core.errors import NotFound
from core.state.models import AccountRow, PriceRow


@dataclass(frozen=True)
class PacedAccount:
    """An account's rate (segments per second) and the state of its bucket."""

    rate_tps: int
    bucket: Bucket


def add_account(session: Session, account: Account, now: datetime) -> None:
    """Add the account with a full bucket; a name that is taken raises SQLAlchemy's IntegrityError."""
    session.add(
        AccountRow(
            account_id=account.account_id,
            name=account.name,
            display_name=account.display_name,
            account_type=account.account_type,
            status=account.status,
            gateway=account.gateway,
            rate_tps=account.rate_tps,
            monthly_budget_eur_cents=account.monthly_budget_eur_cents,
            created_at=now,
            bucket_tokens=float(account.rate_tps),
            bucket_at=now,
        )
    )
    session.flush()


def list_accounts(session: Session, account_ids: Collection[str]) -> tuple[Account, ...]:
    """Return the accounts among *account_ids*, by display name."""
    rows = session.scalars(
        select(AccountRow).where(AccountRow.account_id.in_(account_ids)).order_by(AccountRow.display_name)
    )
    return tuple(_account(row) for row in rows)


def get_account(session: Session, account_id: str) -> Account:
    """Return the account. Raises: NotFound."""
    row = session.get(AccountRow, account_id)
    if row is None:
        raise NotFound("There is no such account.")
    return _account(row)


def lock_account(session: Session, account_id: str) -> Account:
    """Return the account, locked until the transaction ends (SQLite's write lock does the same). Raises: NotFound."""
    row = session.scalars(select(AccountRow).where(AccountRow.account_id == account_id).with_for_update()).first()
    if row is None:
        raise NotFound("There is no such account.")
    return _account(row)


def get_account_by_name(session: Session, name: str) -> Account:
    """Return the account called *name*. Raises: NotFound."""
    row = session.scalar(select(AccountRow).where(AccountRow.name == name))
    if row is None:
        raise NotFound(f"There is no account called {name}.")
    return _account(row)


def list_gateways(session: Session) -> tuple[str, ...]:
    """Return the names of the gateways that any account uses."""
    return tuple(session.scalars(select(AccountRow.gateway).where(AccountRow.gateway != "").distinct()))


def set_rate(session: Session, account_id: str, rate_tps: int) -> None:
    """Change how fast the account submits; running campaigns follow with their next sub-window."""
    session.get_one(AccountRow, account_id).rate_tps = rate_tps


def set_budget(session: Session, account_id: str, monthly_eur_cents: Decimal | None) -> None:
    """Change what the account may spend in a calendar month (of UTC); None lifts the limit."""
    session.get_one(AccountRow, account_id).monthly_budget_eur_cents = monthly_eur_cents


def lock_bucket(session: Session, account_id: str) -> PacedAccount:
    """Return rate and bucket, locked until the transaction ends (SQLite's write lock does the same)."""
    row = session.scalars(select(AccountRow).where(AccountRow.account_id == account_id).with_for_update()).one()
    return PacedAccount(row.rate_tps, Bucket(row.bucket_tokens, row.bucket_at or row.created_at))


def set_bucket(session: Session, account_id: str, bucket: Bucket) -> None:
    """Store the bucket after taking from it."""
    row = session.get_one(AccountRow, account_id)
    row.bucket_tokens, row.bucket_at = bucket.tokens, bucket.updated_at


def set_prices(session: Session, account_id: str, prices: Iterable[Price]) -> None:
    """Add or replace prices of one segment, EUR cents."""
    for price in prices:
        session.merge(
            PriceRow(
                account_id=account_id,
                country=price.country,
                mccmnc=price.mccmnc,
                price_eur_cents=price.price_eur_cents,
            )
        )


def list_prices(session: Session, account_id: str) -> tuple[Price, ...]:
    """Return the account's price list."""
    rows = session.scalars(select(PriceRow).where(PriceRow.account_id == account_id))
    return tuple(Price(row.country, row.mccmnc, Decimal(row.price_eur_cents)) for row in rows)


def _account(row: AccountRow) -> Account:
    return Account(
        account_id=row.account_id,
        name=row.name,
        display_name=row.display_name,
        account_type=AccountType(row.account_type),
        status=AccountStatus(row.status),
        gateway=row.gateway,
        rate_tps=row.rate_tps,
        monthly_budget_eur_cents=row.monthly_budget_eur_cents,
    )
