"""Tables of spending: what is spent of which budget, and what people were told of it."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Dialect, ForeignKey, String, TypeDecorator
from sqlalchemy.orm import Mapped, mapped_column

from core.state.tables.base import Base

# A price has four decimals of a cent.
_SCALE = 4


class ExactCents(TypeDecorator[Decimal]):
    """EUR cents of four decimals, stored as a whole number: SQLite would add up floating ones, and drift."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Store ten-thousandths of a cent."""
        return None if value is None else int(value.scaleb(_SCALE).to_integral_value())

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return cents."""
        return None if value is None else Decimal(value).scaleb(-_SCALE)


class AccountSpendingRow(Base):
    """What an account has spent in a month of UTC, by its first day. No row: nobody has counted it yet."""

    __tablename__ = "account_spending"
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    spent_eur_cents: Mapped[Decimal] = mapped_column(ExactCents)


class CampaignSpendingRow(Base):
    """What a campaign has spent in all. No row: nobody has counted it yet."""

    __tablename__ = "campaign_spending"
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.campaign_id", ondelete="CASCADE"), primary_key=True)
    spent_eur_cents: Mapped[Decimal] = mapped_column(ExactCents)


class BudgetEventRow(Base):
    """
    That people were told of a budget, by its amount: one that was changed is another.

    *subject_id* is an account or a campaign, *month* the first day of the account's month, and for a campaign, whose
    budget is for all of it, the same day for ever.
    """

    __tablename__ = "budget_events"
    subject_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    threshold: Mapped[str] = mapped_column(String(10), primary_key=True)
    budget_eur_cents: Mapped[Decimal] = mapped_column(ExactCents, primary_key=True)
    told_at: Mapped[datetime] = mapped_column(index=True)
