"""
Tables of the state store: small rows, short transactions.

Those of people are in `people_models`, of gateways in `gateway_models`, of what is spent in `spending_models`.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, Numeric, String, Text
from sqlalchemy import text as condition
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.domain.imports.lists import HiddenRows
from core.state.tables import gateway_models, people_models, spending_models
from core.state.tables.base import Base, UtcDateTime

# One metadata holds the tables of all four files.
__all__ = ["Base", "UtcDateTime", "gateway_models", "people_models", "spending_models"]


class SettingRow(Base):
    """A value this installation decided about itself."""

    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class AccountRow(Base):
    """A traffic account."""

    __tablename__ = "accounts"
    account_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(100))
    account_type: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10))
    gateway: Mapped[str] = mapped_column(String(40))
    # For what the first one certainly did not take; "" for none.
    fallback_gateway: Mapped[str] = mapped_column(String(40), default="")
    # What whoever says STOP is sent; "" for nothing.
    stop_confirmation: Mapped[str] = mapped_column(Text, default="")
    rate_tps: Mapped[int]
    created_at: Mapped[datetime]
    monthly_budget_eur_cents: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))


class PriceRow(Base):
    """
    Price of one segment; *mccmnc* "" is the country's price, *country* "" the default.

    All rows with the same *valid_from* (a day of UTC) are one price list, which counts from then until the next one.
    """

    __tablename__ = "prices"
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True)
    country: Mapped[str] = mapped_column(String(2), primary_key=True)
    mccmnc: Mapped[str] = mapped_column(String(6), primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
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
    hidden_rows: Mapped[str] = mapped_column(String(12), default=HiddenRows.ASK)
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
    # By which it goes whatever the account's is: a test of that one. "" for the account's.
    gateway: Mapped[str] = mapped_column(String(40), default="")
    # The gateway for whose sake it is paused, "" where a person has paused it.
    held_by: Mapped[str] = mapped_column(String(40), default="")
    audience_count: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(100))
    schedule_at: Mapped[datetime | None]
    launched_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cost_eur_cents: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    budget_eur_cents: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    # Segments per second, NULL for no limit of its own.
    rate_tps: Mapped[int | None]
    preflight: Mapped[dict[str, Any] | None]
    # What the lake may hold of its people: numbers under its own id (a Quick Send's), and a frozen audience; and from
    # when on that audience is gone for everybody.
    numbers_kept: Mapped[bool] = mapped_column(default=False)
    audience_kept: Mapped[bool] = mapped_column(default=True)
    forgotten_at: Mapped[datetime | None]
    is_test: Mapped[bool] = mapped_column(default=False)
    # Goes to people because they have said STOP, and in spite of it.
    confirms_stop: Mapped[bool] = mapped_column(default=False)
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


class LeftContactsRow(Base):
    """An id under which the lake may hold contacts though no list and no campaign has it; gone once they are."""

    __tablename__ = "left_contacts"
    list_id: Mapped[str] = mapped_column(String(36), primary_key=True)


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
    # To whom it was handed: the account may have been given another one since.
    gateway: Mapped[str] = mapped_column(String(40), default="")
    state: Mapped[str] = mapped_column(String(8))
    error_code: Mapped[str] = mapped_column(String(40), default="")
    gateway_message_id: Mapped[str] = mapped_column(String(64), default="")
    claimed_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_ledger_receiver", "campaign_id", "msisdn", unique=True),)


# Receipts that are looked for the first time since they, or their batch, came; and those that found no message before.
FIRST, AGAIN = "try_count <= 0", "try_count > 0"


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

    __table_args__ = (
        # Many of another system's may wait in vain: they must not lie in the way of the others.
        Index("ix_receipts_first", "due_at", sqlite_where=condition(FIRST), postgresql_where=condition(FIRST)),
        Index("ix_receipts_again", "due_at", sqlite_where=condition(AGAIN), postgresql_where=condition(AGAIN)),
        # A receipt is what it says: the same one, fetched again, is no other.
        Index(
            "ix_receipts_identity",
            "gateway",
            "gateway_message_id",
            "receipt_state",
            "error_code",
            "done_at",
            unique=True,
        ),
    )


class PartIdRow(Base):
    """What a gateway calls another part of a long message, of which it may report that part alone."""

    __tablename__ = "part_ids"
    gateway: Mapped[str] = mapped_column(String(40), primary_key=True)
    gateway_message_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    # The id by which the message itself is known.
    known_as: Mapped[str] = mapped_column(String(64))
    noted_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (Index("ix_part_ids_known_as", "gateway", "known_as"),)


# Answers whose message is still called unknown.
OPEN = "NOT settled"


class LateAnswerRow(Base):
    """
    That a gateway took a message that was called unknown: it said so after its time.

    It stays here once it is *settled*, so that it is not settled again when it comes again.
    """

    __tablename__ = "late_answers"
    message_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(40))
    gateway_message_id: Mapped[str] = mapped_column(String(64))
    answered_at: Mapped[datetime] = mapped_column(index=True)
    settled: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        Index("ix_late_answers_open", "message_id", sqlite_where=condition(OPEN), postgresql_where=condition(OPEN)),
    )


class LeaseRow(Base):
    """A lease on what has no row of its own, by name."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    lease_owner: Mapped[str] = mapped_column(String(64), default="")
    lease_until: Mapped[datetime | None]


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
    remarks: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
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
