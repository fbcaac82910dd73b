"""People and access: profiles, avatars, links by email, sessions with their browser, the audit, dated price lists."""

import uuid

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Price lists from before had no date: they have always counted.
ALWAYS = "2000-01-01"


def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("phone", sa.String(16), nullable=False, server_default=""))
        users.add_column(sa.Column("language", sa.String(8), nullable=False, server_default="en"))
        users.add_column(sa.Column("simplifies", sa.Boolean(), nullable=False, server_default=sa.false()))
        users.add_column(sa.Column("sender_id", sa.String(17), nullable=False, server_default=""))
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(sa.Column("credentials", sa.Text(), nullable=False, server_default=""))
        accounts.add_column(sa.Column("credentials_at", UtcDateTime(timezone=True), nullable=True))
    _date_prices()
    _know_browsers()
    _add_tables()
    _keep_audit()


def _date_prices() -> None:
    with op.batch_alter_table("prices") as prices:
        prices.add_column(sa.Column("valid_from", sa.Date(), nullable=False, server_default=ALWAYS))
    with op.batch_alter_table("prices") as prices:
        prices.drop_constraint("pk_prices", type_="primary")
        prices.create_primary_key("pk_prices", ["account_id", "country", "mccmnc", "valid_from"])


def _know_browsers() -> None:
    with op.batch_alter_table("sessions") as sessions:
        sessions.add_column(sa.Column("session_id", sa.String(36), nullable=True))
        sessions.add_column(sa.Column("address", sa.String(64), nullable=False, server_default=""))
        sessions.add_column(sa.Column("agent", sa.String(200), nullable=False, server_default=""))
    connection = op.get_bind()
    for (token_hash,) in connection.execute(sa.text("SELECT token_hash FROM sessions")).fetchall():
        connection.execute(
            sa.text("UPDATE sessions SET session_id = :id WHERE token_hash = :hash"),
            {"id": str(uuid.uuid4()), "hash": token_hash},
        )
    with op.batch_alter_table("sessions") as sessions:
        sessions.alter_column("session_id", existing_type=sa.String(36), nullable=False)
        sessions.create_unique_constraint("uq_sessions_session_id", ["session_id"])


def _add_tables() -> None:
    op.create_table(
        "avatars",
        _user(),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        _owner("avatars"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_avatars")),
    )
    op.create_table(
        "links",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        _user(),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        _owner("links"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_links")),
    )
    op.create_index(op.f("ix_links_user_id"), "links", ["user_id"])
    op.create_table(
        "notifications",
        sa.Column("notification_id", sa.String(36), nullable=False),
        _user(),
        sa.Column("tag", sa.String(20), nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("read_at", UtcDateTime(timezone=True), nullable=True),
        _owner("notifications"),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_notifications")),
    )
    op.create_index(op.f("ix_notifications_user_id"), "notifications", ["user_id"])
    op.create_table(
        "audit_log",
        sa.Column("entry_id", sa.String(36), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("who", sa.String(254), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject_kind", sa.String(20), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=False),
        sa.Column("subject_name", sa.String(254), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_at"), "audit_log", ["at"])


def _keep_audit() -> None:
    """Append-only by the database itself: no code of ours, now or later, can change a line."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_to_change_the_audit() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_log_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_audit()"
        )
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_log_is_kept_from_{change.lower()} BEFORE {change} ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
        )


def _user() -> sa.Column[str]:
    return sa.Column("user_id", sa.String(36), nullable=False)


def _owner(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f(f"fk_{table}_user_id"), ondelete="CASCADE")
