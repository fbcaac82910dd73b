"""Tables of gateways: how each is set up, and what people sent back through them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy import text as condition
from sqlalchemy.orm import Mapped, mapped_column

from core.state.tables.base import Base


class GatewayRow(Base):
    """
    A way out to a provider. *secrets* is encrypted, "" for none; of the callback's token only a hash can be looked for.

    A deleted one keeps its row: messages carry its name, which no gateway of another kind may bear after it.
    """

    __tablename__ = "gateways"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    settings: Mapped[dict[str, Any]]
    secrets: Mapped[str] = mapped_column(Text, default="")
    secret_names: Mapped[list[str]] = mapped_column(default=list)
    secrets_at: Mapped[datetime | None]
    callback_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    rate_tps: Mapped[int | None]
    resumes: Mapped[bool] = mapped_column(default=True)
    status: Mapped[str] = mapped_column(String(10))
    fault: Mapped[str] = mapped_column(Text, default="")
    fault_at: Mapped[datetime | None]
    needs_person: Mapped[bool] = mapped_column(default=False)
    # When it was first seen to work as it is set up now, and when a person's test of it last went well.
    proven_at: Mapped[datetime | None]
    tested_at: Mapped[datetime | None]
    # When it is looked at next, and how often it seemed to be back without taking a message since.
    probe_at: Mapped[datetime | None]
    relapse_count: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class SightRow(Base):
    """What a process sees of its gateways just now, told again and again until it ends."""

    __tablename__ = "sights"
    process: Mapped[str] = mapped_column(String(64), primary_key=True)
    is_worker: Mapped[bool]
    seen_at: Mapped[datetime]
    facts: Mapped[dict[str, Any]]


class ReplyRow(Base):
    """
    What a person sent back.

    *msisdn* is the sender in E.164, "" where it cannot be read as a number; *keyword* what the text asks for. Which
    message it answers, and of which account and campaign that is, is looked up from *due_at* on, None once that is
    known or given up.
    """

    __tablename__ = "replies"
    reply_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(40))
    sender: Mapped[str] = mapped_column(String(40))
    msisdn: Mapped[str] = mapped_column(String(16), default="")
    receiver: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    keyword: Mapped[str] = mapped_column(String(8), default="none")
    reference: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime] = mapped_column(index=True)
    stored_at: Mapped[datetime] = mapped_column(index=True)
    account_id: Mapped[str | None] = mapped_column(String(36))
    campaign_id: Mapped[str | None] = mapped_column(String(36))
    message_id: Mapped[str | None] = mapped_column(String(36), index=True)
    due_at: Mapped[datetime | None]

    __table_args__ = (
        # The same one, told again, is no other; where a provider gives it no id, nothing tells the two apart.
        Index(
            "ix_replies_identity",
            "gateway",
            "reference",
            unique=True,
            sqlite_where=condition("reference <> ''"),
            postgresql_where=condition("reference <> ''"),
        ),
        # What a number has asked for last, however often it has asked before.
        Index("ix_replies_msisdn", "msisdn", "received_at", "reply_id"),
        # Which campaigns were answered, without a look at every reply.
        Index(
            "ix_replies_campaign_id",
            "campaign_id",
            sqlite_where=condition("campaign_id IS NOT NULL"),
            postgresql_where=condition("campaign_id IS NOT NULL"),
        ),
        # Asked twice a second, and nearly all rows are settled.
        Index(
            "ix_replies_due_at",
            "due_at",
            sqlite_where=condition("due_at IS NOT NULL"),
            postgresql_where=condition("due_at IS NOT NULL"),
        ),
    )


class ReplyAccountRow(Base):
    """
    An account that a reply concerns: several may send by one gateway, and a reply names none of them.

    *received_at* is the reply's, which never changes: an account's replies are counted by it without reading them.
    """

    __tablename__ = "reply_accounts"
    reply_id: Mapped[str] = mapped_column(ForeignKey("replies.reply_id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True)
    received_at: Mapped[datetime]

    __table_args__ = (Index("ix_reply_accounts_received", "account_id", "received_at", "reply_id"),)


class StopConfirmationRow(Base):
    """
    A number that has said STOP to a message of *sender_id*, and is told once that it is followed.

    *campaign_id* is what tells it, "" before there is one.
    """

    __tablename__ = "stop_confirmations"
    msisdn: Mapped[str] = mapped_column(String(16), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"))
    sender_id: Mapped[str] = mapped_column(String(17))
    asked_at: Mapped[datetime] = mapped_column(index=True)
    campaign_id: Mapped[str] = mapped_column(String(36), default="")

    __table_args__ = (
        # Asked twice a second, and nearly none waits.
        Index(
            "ix_stop_confirmations_waiting",
            "asked_at",
            sqlite_where=condition("campaign_id = ''"),
            postgresql_where=condition("campaign_id = ''"),
        ),
    )


class StrayRow(Base):
    """Something a provider said that belongs to no message, or that cannot be read."""

    __tablename__ = "strays"
    stray_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(40))
    sender: Mapped[str] = mapped_column(String(40))
    receiver: Mapped[str] = mapped_column(String(40))
    content: Mapped[str] = mapped_column(Text)
    came_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (Index("ix_strays_gateway", "gateway", "stray_id"),)


class DepartureRow(Base):
    """
    What an account, a gateway or a campaign has booked to leave, by which its limit is kept.

    *subject* says what and which; *log* is as in `core.state.accounts.departures`.
    """

    __tablename__ = "departures"
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    log: Mapped[str] = mapped_column(Text)
    booked_at: Mapped[datetime]
