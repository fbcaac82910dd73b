"""
Tables of the state store.

Small rows, short transactions. Times are stored in UTC; SQLite keeps no zone, so `UtcDateTime`
refuses naive values on the way in and returns aware ones on the way out. Identifiers are UUIDv7 text.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on every dialect."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Refuse naive values; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"naive datetime {value!r}"
            raise ValueError(message)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The metadata every table shares."""

    # Named constraints can be changed by a later migration; SQLite gives unnamed ones no name at all.
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
        Decimal: Numeric(12, 4),
    }


class UserRow(Base):
    """A person. *email* is stored lower-cased."""

    __tablename__ = "users"
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(10))
    permissions: Mapped[list[str]]
    time_zone: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class MembershipRow(Base):
    """Which accounts a person belongs to."""

    __tablename__ = "memberships"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True)


class SessionRow(Base):
    """A signed-in browser. Only the hash of its token is kept."""

    __tablename__ = "sessions"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    active_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class AttemptRow(Base):
    """Failed log-ins in a row of one key (an email or an address); forgotten after a while without one."""

    __tablename__ = "sign_in_attempts"
    key: Mapped[str] = mapped_column(String(300), primary_key=True)
    failed_count: Mapped[int]
    blocked_until: Mapped[datetime]


class SettingRow(Base):
    """A value this installation decided about itself."""

    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class AccountRow(Base):
    """A traffic account with the state of its token bucket."""

    __tablename__ = "accounts"
    account_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(100))
    account_type: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10))
    gateway: Mapped[str] = mapped_column(String(40))
    rate_tps: Mapped[int]
    created_at: Mapped[datetime]
    monthly_budget_eur_cents: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    bucket_tokens: Mapped[float] = mapped_column(default=0.0)
    bucket_at: Mapped[datetime | None]


class PriceRow(Base):
    """Price of one segment; *mccmnc* "" is the country's price, *country* "" the default."""

    __tablename__ = "prices"
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True)
    country: Mapped[str] = mapped_column(String(2), primary_key=True)
    mccmnc: Mapped[str] = mapped_column(String(6), primary_key=True)
    price_eur_cents: Mapped[Decimal]


class ListRow(Base):
    """A distribution list's metadata; its entries are in the lake."""

    __tablename__ = "distribution_lists"
    list_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id"), index=True)
    name: Mapped[str] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(String(12), index=True)
    file_name: Mapped[str] = mapped_column(String(255))
    columns: Mapped[list[str]]
    read_count: Mapped[int] = mapped_column(default=0)
    entry_count: Mapped[int] = mapped_column(default=0)
    duplicate_count: Mapped[int] = mapped_column(default=0)
    rejected_count: Mapped[int] = mapped_column(default=0)
    progress: Mapped[float] = mapped_column(default=0.0)
    fault: Mapped[str] = mapped_column(Text, default="")
    hint: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(100))
    lease_owner: Mapped[str] = mapped_column(String(64), default="")
    lease_until: Mapped[datetime | None]


class CampaignRow(Base):
    """A campaign, from draft to completed. *placeholders* maps names to columns of the list."""

    __tablename__ = "campaigns"
    campaign_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id"), index=True)
    source: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(String(50))
    sender_id: Mapped[str] = mapped_column(String(17))
    message: Mapped[str] = mapped_column(Text)
    placeholders: Mapped[dict[str, Any]]
    fallbacks: Mapped[dict[str, Any]]
    simplifies: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str] = mapped_column(String(12), index=True)
    fault: Mapped[str] = mapped_column(Text, default="")
    audience_count: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(100))
    schedule_at: Mapped[datetime | None]
    launched_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cost_eur_cents: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    preflight: Mapped[dict[str, Any] | None]
    lease_owner: Mapped[str] = mapped_column(String(64), default="")
    lease_until: Mapped[datetime | None]

    lists: Mapped[list["CampaignListRow"]] = relationship(
        lazy="selectin", order_by="CampaignListRow.position", cascade="all, delete-orphan"
    )


class CampaignListRow(Base):
    """A distribution list of a campaign: sent to, or left out. It stays, with its name, when the list is deleted."""

    __tablename__ = "campaign_lists"
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.campaign_id", ondelete="CASCADE"), primary_key=True)
    list_id: Mapped[str] = mapped_column(String(36), primary_key=True, index=True)
    name: Mapped[str] = mapped_column(String(50))
    position: Mapped[int]
    is_left_out: Mapped[bool]


class SuppressionRow(Base):
    """A number that an account does not send to; *reason* says whose wish that is."""

    __tablename__ = "suppressions"
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True)
    msisdn: Mapped[str] = mapped_column(String(16), primary_key=True)
    reason: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(100))


class OutcomeRow(Base):
    """How many messages of a campaign have settled in one way; *reason* "" where there is none."""

    __tablename__ = "campaign_outcomes"
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.campaign_id", ondelete="CASCADE"), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(10), primary_key=True)
    reason: Mapped[str] = mapped_column(String(40), primary_key=True)
    message_count: Mapped[int]


class BatchRow(Base):
    """A slice of a frozen audience; gone from here means settled in history."""

    __tablename__ = "batches"
    batch_id: Mapped[str] = mapped_column(String(48), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.campaign_id", ondelete="CASCADE"))
    batch_no: Mapped[int]
    message_count: Mapped[int]
    lease_owner: Mapped[str] = mapped_column(String(64), default="")
    lease_until: Mapped[datetime | None]

    __table_args__ = (Index("ix_batches_campaign", "campaign_id", "batch_no", unique=True),)


class LedgerRow(Base):
    """
    A message of a leased batch, from the claim before its submit until the batch is settled.

    The unique pair (campaign, msisdn) makes a second claim of a receiver impossible.
    """

    __tablename__ = "ledger"
    message_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(String(36))
    batch_id: Mapped[str] = mapped_column(String(48), index=True)
    msisdn: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(8))
    error_code: Mapped[str] = mapped_column(String(40), default="")
    gateway_message_id: Mapped[str] = mapped_column(String(64), default="")
    claimed_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_ledger_receiver", "campaign_id", "msisdn", unique=True),)


class ReceiptRow(Base):
    """A receipt waiting in the inbox to be merged into history."""

    __tablename__ = "receipts_inbox"
    receipt_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    gateway: Mapped[str] = mapped_column(String(40))
    gateway_message_id: Mapped[str] = mapped_column(String(64))
    receipt_state: Mapped[str] = mapped_column(String(20))
    error_code: Mapped[str] = mapped_column(String(40))
    done_at: Mapped[datetime]
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]
    try_count: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index("ix_receipts_due", "due_at"),)


class DemoRow(Base):
    """A request for demo data, taken by the worker; gone once it is there."""

    __tablename__ = "demo_requests"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    requested_at: Mapped[datetime]
    lease_owner: Mapped[str] = mapped_column(String(64), default="")
    lease_until: Mapped[datetime | None]


class ExportRow(Base):
    """A file somebody asked for; the file itself lies in the data folder, under this id."""

    __tablename__ = "exports"
    export_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    format: Mapped[str] = mapped_column(String(10))
    request: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10))
    row_count: Mapped[int] = mapped_column(BigInteger, default=0)
    total_count: Mapped[int] = mapped_column(BigInteger, default=0)
    byte_count: Mapped[int] = mapped_column(BigInteger, default=0)
    fault: Mapped[str] = mapped_column(Text, default="")
    hint: Mapped[str] = mapped_column(Text, default="")
    account_ids: Mapped[list[str]] = mapped_column(JSON)
    shows_numbers: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    lease_owner: Mapped[str] = mapped_column(String(64), default="")
    lease_until: Mapped[datetime | None]


class ViewRow(Base):
    """A view of a page that somebody saved: its address."""

    __tablename__ = "views"
    view_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    page: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(50))
    address: Mapped[str] = mapped_column(Text)
    is_shared: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_views_page", "page", "user_id"),)


class PreferenceRow(Base):
    """What a person chose and finds again in every browser."""

    __tablename__ = "preferences"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class TrafficImportRow(Base):
    """A file of outside traffic; the file itself lies in the data folder, under this id, until it is imported."""

    __tablename__ = "traffic_imports"
    import_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id"), index=True)
    user_id: Mapped[str] = mapped_column(String(36))
    file_name: Mapped[str] = mapped_column(String(255))
    columns: Mapped[list[str]]
    signature: Mapped[str] = mapped_column(String(64))
    mapping: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(12), index=True)
    read_count: Mapped[int] = mapped_column(BigInteger, default=0)
    added_count: Mapped[int] = mapped_column(BigInteger, default=0)
    updated_count: Mapped[int] = mapped_column(BigInteger, default=0)
    unchanged_count: Mapped[int] = mapped_column(BigInteger, default=0)
    repeated_count: Mapped[int] = mapped_column(BigInteger, default=0)
    rejected_count: Mapped[int] = mapped_column(BigInteger, default=0)
    progress: Mapped[float] = mapped_column(default=0.0)
    fault: Mapped[str] = mapped_column(Text, default="")
    hint: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(100))
    finished_at: Mapped[datetime | None]
    lease_owner: Mapped[str] = mapped_column(String(64), default="")
    lease_until: Mapped[datetime | None]


class TrafficMappingRow(Base):
    """How files of one form are read for an account."""

    __tablename__ = "traffic_mappings"
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True)
    signature: Mapped[str] = mapped_column(String(64), primary_key=True)
    mapping: Mapped[dict[str, Any]]
    remembered_at: Mapped[datetime]
