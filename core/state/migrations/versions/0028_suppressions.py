"""Suppressions of all accounts, each wish by itself, what was lifted, imports, and what has changed in which order."""

import secrets
import zlib
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE suppressions RENAME TO suppressions_before")
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "suppression_scopes",
        sa.Column("scope_no", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("change_no", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_suppression_scopes_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope_no", name=op.f("pk_suppression_scopes")),
        sa.UniqueConstraint("account_id", name=op.f("uq_suppression_scopes_account_id")),
    )
    op.create_table(
        "suppression_origins",
        sa.Column("origin_no", serial, nullable=False),
        sa.Column("scope_no", sa.Integer(), nullable=False),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("live_count", sa.BigInteger(), nullable=False),
        _of_scope("suppression_origins"),
        sa.PrimaryKeyConstraint("origin_no", name=op.f("pk_suppression_origins")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_suppression_origins_scope_no"), "suppression_origins", ["scope_no"])
    op.create_table(
        "suppressions",
        sa.Column("scope_no", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("origin_no", sa.BigInteger(), nullable=False),
        _of_scope("suppressions"),
        # PostgreSQL still has the earlier table's constraint of the usual name.
        sa.PrimaryKeyConstraint("scope_no", "number", "source", name="pk_suppressions_of_scope"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "suppression_changes",
        sa.Column("scope_no", sa.Integer(), nullable=False),
        sa.Column("change_no", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("is_lifted", sa.Boolean(), nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", UtcDateTime(timezone=True), nullable=False),
        _of_scope("suppression_changes"),
        sa.PrimaryKeyConstraint("scope_no", "change_no", name=op.f("pk_suppression_changes")),
    )
    op.create_index(op.f("ix_suppression_changes_changed_at"), "suppression_changes", ["changed_at"])
    op.create_table(
        "lifted_suppressions",
        sa.Column("lifted_no", serial, nullable=False),
        sa.Column("scope_no", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("origin_no", sa.BigInteger(), nullable=False),
        sa.Column("lifted_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        _of_scope("lifted_suppressions"),
        sa.PrimaryKeyConstraint("lifted_no", name=op.f("pk_lifted_suppressions")),
    )
    op.create_index("ix_lifted_suppressions_number", "lifted_suppressions", ["number", "scope_no"])
    _create_imports()
    _carry_over()
    op.drop_table("suppressions_before")
    # Once all are there: one sort instead of as many places as there are numbers.
    op.create_index("ix_suppressions_origin_no", "suppressions", ["origin_no", "number"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE suppressions RENAME CONSTRAINT pk_suppressions_of_scope TO pk_suppressions")


def _create_imports() -> None:
    op.create_table(
        "suppression_imports",
        sa.Column("import_id", sa.String(length=36), nullable=False),
        sa.Column("scope_no", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("hidden_rows", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        *(
            sa.Column(f"{name}_count", sa.BigInteger(), nullable=False)
            for name in ("read", "added", "known", "repeated", "rejected")
        ),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("finished_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("origin_no", sa.BigInteger(), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=False),
        sa.Column("lease_until", UtcDateTime(timezone=True), nullable=True),
        _of_scope("suppression_imports"),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_suppression_imports")),
    )
    op.create_index(op.f("ix_suppression_imports_scope_no"), "suppression_imports", ["scope_no"])
    op.create_index(op.f("ix_suppression_imports_status"), "suppression_imports", ["status"])


def _carry_over() -> None:
    """Give each row that was there its scope, and an origin for all that were set together."""
    op.execute("INSERT INTO suppression_scopes (account_id, change_no) VALUES (NULL, 0)")
    op.execute(
        "INSERT INTO suppression_scopes (account_id, change_no) "
        "SELECT DISTINCT account_id, 0 FROM suppressions_before ORDER BY account_id"
    )
    # A STOP had no other words than these, and its own are those of the source by now.
    op.execute(
        "INSERT INTO suppression_origins (scope_no, source, reason, created_at, created_by, live_count) "
        "SELECT scope_no, CASE WHEN reason = 'STOP reply' THEN 1 ELSE 3 END, "
        "CASE WHEN reason = 'STOP reply' THEN '' ELSE reason END, "
        "created_at, created_by, count(*) "
        "FROM suppressions_before AS b JOIN suppression_scopes AS s ON s.account_id = b.account_id "
        "GROUP BY scope_no, reason, created_at, created_by ORDER BY created_at, scope_no"
    )
    op.execute(
        "INSERT INTO suppressions (scope_no, number, source, origin_no) "
        "SELECT s.scope_no, CAST(substr(b.msisdn, 2) AS BIGINT), o.source, o.origin_no "
        "FROM suppressions_before AS b JOIN suppression_scopes AS s ON s.account_id = b.account_id "
        "JOIN suppression_origins AS o ON o.scope_no = s.scope_no AND o.created_at = b.created_at "
        "AND o.created_by = b.created_by AND o.reason = CASE WHEN b.reason = 'STOP reply' THEN '' ELSE b.reason END "
        "AND o.source = CASE WHEN b.reason = 'STOP reply' THEN 1 ELSE 3 END "
        "ORDER BY s.scope_no, CAST(substr(b.msisdn, 2) AS BIGINT)"
    )

    # Whoever copies the numbers is told that there are some: the first change, which was nothing.
    scopes = sa.table("suppression_scopes", sa.column("scope_no"), sa.column("account_id"), sa.column("change_no"))
    changes = sa.table(
        "suppression_changes",
        *(sa.column(name) for name in ("scope_no", "change_no", "token", "is_lifted", "numbers")),
        sa.column("changed_at", UtcDateTime(timezone=True)),
    )
    with_numbers = scopes.c.account_id.is_not(None)
    known = op.get_bind().scalars(sa.select(scopes.c.scope_no).where(with_numbers)).all()
    op.execute(scopes.update().where(with_numbers).values(change_no=1))
    facts = {"change_no": 1, "is_lifted": False, "numbers": zlib.compress(b""), "changed_at": datetime.now(UTC)}
    op.bulk_insert(changes, [facts | {"scope_no": each, "token": secrets.randbits(62)} for each in known])


def _of_scope(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["scope_no"], ["suppression_scopes.scope_no"], name=f"fk_{table}_scope_no", ondelete="CASCADE"
    )


def downgrade() -> None:
    """Keep of each number what an account wants of it first; what counts for all accounts has no place there."""
    op.drop_index("ix_suppressions_origin_no", "suppressions")
    op.execute("ALTER TABLE suppressions RENAME TO suppressions_after")
    op.create_table(
        "suppressions",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_suppressions_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "msisdn", name="pk_suppressions_of_account"),
    )
    op.execute(
        "INSERT INTO suppressions (account_id, msisdn, reason, created_at, created_by) "
        "SELECT s.account_id, '+' || CAST(a.number AS VARCHAR(15)), "
        "CASE WHEN a.source = 1 THEN 'STOP reply' ELSE substr(o.reason, 1, 20) END, o.created_at, o.created_by "
        "FROM suppressions_after AS a JOIN suppression_scopes AS s ON s.scope_no = a.scope_no "
        "JOIN suppression_origins AS o ON o.origin_no = a.origin_no "
        "WHERE s.account_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM suppressions_after AS b "
        "WHERE b.scope_no = a.scope_no AND b.number = a.number AND b.source < a.source)"
    )
    for name in ("suppression_imports", "lifted_suppressions", "suppression_changes", "suppressions_after"):
        op.drop_table(name)
    op.drop_table("suppression_origins")
    op.drop_table("suppression_scopes")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE suppressions RENAME CONSTRAINT pk_suppressions_of_account TO pk_suppressions")
