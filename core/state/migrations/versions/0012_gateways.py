"""Gateways as rows of their own, which accounts name; replies; and by which gateway a message of the ledger left."""

import sqlalchemy as sa
from alembic import op

from core.errors import ConfigurationError
from core.state.tables.models import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _refuse_to_lose_credentials()
    _add_gateways()
    _add_replies()
    op.add_column("accounts", sa.Column("fallback_gateway", sa.String(40), nullable=False, server_default=""))
    op.drop_column("accounts", "credentials")
    op.drop_column("accounts", "credentials_at")
    op.add_column("ledger", sa.Column("gateway", sa.String(40), nullable=False, server_default=""))
    # The only one there was.
    op.execute("UPDATE ledger SET gateway = 'simulator'")


def downgrade() -> None:
    op.drop_column("ledger", "gateway")
    op.add_column("accounts", sa.Column("credentials", sa.Text(), nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("credentials_at", UtcDateTime(timezone=True), nullable=True))
    op.drop_column("accounts", "fallback_gateway")
    op.drop_table("replies")
    op.drop_table("gateways")


def _refuse_to_lose_credentials() -> None:
    """
    Stop where an account has some.

    They were sealed for the account, by a key that no migration knows, and say neither which provider they are of nor
    where it is; the simulator, the only gateway there was, asks for none.
    """
    found = op.get_bind().execute(sa.text("SELECT name FROM accounts WHERE credentials <> '' ORDER BY name"))
    names = ", ".join(name for (name,) in found)
    if names:
        raise ConfigurationError(
            f"These accounts have gateway credentials: {names}. In this version, credentials belong to gateways.",
            hint="Make sure you have them elsewhere, delete them with the earlier version (Traffic Accounts, "
            "Credentials), then upgrade and set up a gateway with them.",
        )


def _add_gateways() -> None:
    gateways = op.create_table(
        "gateways",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("secret_names", sa.JSON(), nullable=False),
        sa.Column("secrets_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("callback_hash", sa.String(64), nullable=True),
        sa.Column("rate_tps", sa.Integer(), nullable=True),
        sa.Column("resumes", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("fault_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_gateways")),
        sa.UniqueConstraint("callback_hash", name=op.f("uq_gateways_callback_hash")),
    )
    first = {
        "name": "simulator",
        "kind": "simulator",
        "settings": {},
        "secrets": "",
        "secret_names": [],
        "resumes": True,
        "status": "Working",
        "fault": "",
        "version": 1,
        "created_at": sa.func.now(),
    }
    op.get_bind().execute(sa.insert(gateways).values(first))


def _add_replies() -> None:
    op.create_table(
        "replies",
        sa.Column("reply_id", sa.String(36), nullable=False),
        sa.Column("gateway", sa.String(40), nullable=False),
        sa.Column("sender", sa.String(40), nullable=False),
        sa.Column("receiver", sa.String(40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("received_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("stored_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=True),
        sa.Column("campaign_id", sa.String(36), nullable=True),
        sa.Column("message_id", sa.String(36), nullable=True),
        sa.PrimaryKeyConstraint("reply_id", name=op.f("pk_replies")),
    )
    op.create_index(op.f("ix_replies_stored_at"), "replies", ["stored_at"])
    named = sa.text("reference <> ''")
    op.create_index(
        "ix_replies_identity",
        "replies",
        ["gateway", "reference"],
        unique=True,
        sqlite_where=named,
        postgresql_where=named,
    )
