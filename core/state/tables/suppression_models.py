"""
Tables of suppressions: ten million of them are ordinary, so that a row is four short numbers.

Where they came from is written once for all that came together. What has changed is written a second time in a packed
form, in the order in which it came to count: who holds a sorted copy of the numbers brings it up to date from there.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.state.tables.base import Base

# SQLite counts up by itself only what is called INTEGER there.
_Serial = BigInteger().with_variant(Integer, "sqlite")


class SuppressionScopeRow(Base):
    """Whose suppressions: an account's, or everybody's where *account_id* is NULL. Who changes any locks the row."""

    __tablename__ = "suppression_scopes"
    scope_no: Mapped[int] = mapped_column(Integer, primary_key=True)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"), unique=True)
    # Of the last change.
    change_no: Mapped[int] = mapped_column(BigInteger, default=0)


class SuppressionOriginRow(Base):
    """Where suppressions of one scope came from; *live_count* is how many of them count today."""

    __tablename__ = "suppression_origins"
    origin_no: Mapped[int] = mapped_column(_Serial, primary_key=True)
    scope_no: Mapped[int] = mapped_column(ForeignKey("suppression_scopes.scope_no", ondelete="CASCADE"), index=True)
    source: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(100))
    live_count: Mapped[int] = mapped_column(BigInteger, default=0)

    # A number that is given again would let a page of one import show another's.
    __table_args__ = ({"sqlite_autoincrement": True},)


class SuppressionRow(Base):
    """A number, as its digits, that is not sent to; several rows for one that is suppressed for several reasons."""

    __tablename__ = "suppressions"
    scope_no: Mapped[int] = mapped_column(
        ForeignKey("suppression_scopes.scope_no", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    source: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    origin_no: Mapped[int] = mapped_column(BigInteger)

    # The rows lie in the order of the key: no second copy of it.
    __table_args__ = (Index("ix_suppressions_origin_no", "origin_no", "number"), {"sqlite_with_rowid": False})


class SuppressionChangeRow(Base):
    """
    Numbers of a scope that have come to be suppressed, or *is_lifted*, with one transaction.

    *numbers* are int64 in ascending order, each as the difference to the one before, compressed. *token* is random: a
    copy of the numbers that names another one is of another store, or of one that was put back from a backup.
    """

    __tablename__ = "suppression_changes"
    scope_no: Mapped[int] = mapped_column(
        ForeignKey("suppression_scopes.scope_no", ondelete="CASCADE"), primary_key=True
    )
    change_no: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    token: Mapped[int] = mapped_column(BigInteger)
    is_lifted: Mapped[bool]
    numbers: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime] = mapped_column(index=True)


class LiftedSuppressionRow(Base):
    """A suppression that counts no longer, and why."""

    __tablename__ = "lifted_suppressions"
    lifted_no: Mapped[int] = mapped_column(_Serial, primary_key=True)
    scope_no: Mapped[int] = mapped_column(ForeignKey("suppression_scopes.scope_no", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[int] = mapped_column(SmallInteger)
    origin_no: Mapped[int] = mapped_column(BigInteger)
    lifted_at: Mapped[datetime]
    lifted_by: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(String(200))

    __table_args__ = (Index("ix_lifted_suppressions_number", "number", "scope_no"),)


class SuppressionImportRow(Base):
    """A file of numbers to be suppressed; it lies in the data folder, under this id, until it is imported."""

    __tablename__ = "suppression_imports"
    import_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    scope_no: Mapped[int] = mapped_column(ForeignKey("suppression_scopes.scope_no", ondelete="CASCADE"), index=True)
    file_name: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(String(200))
    hidden_rows: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(12), index=True)
    read_count: Mapped[int] = mapped_column(BigInteger, default=0)
    added_count: Mapped[int] = mapped_column(BigInteger, default=0)
    known_count: Mapped[int] = mapped_column(BigInteger, default=0)
    repeated_count: Mapped[int] = mapped_column(BigInteger, default=0)
    rejected_count: Mapped[int] = mapped_column(BigInteger, default=0)
    progress: Mapped[float] = mapped_column(default=0.0)
    fault: Mapped[str] = mapped_column(Text, default="")
    hint: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(100))
    finished_at: Mapped[datetime | None]
    origin_no: Mapped[int | None] = mapped_column(BigInteger)
    lease_owner: Mapped[str] = mapped_column(String(64), default="")
    lease_until: Mapped[datetime | None]
