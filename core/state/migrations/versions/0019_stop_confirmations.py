"""What an account tells those who say STOP, and who is to be told."""

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("stop_confirmation", sa.Text(), nullable=False, server_default=""))
    op.add_column("campaigns", sa.Column("confirms_stop", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "stop_confirmations",
        sa.Column("msisdn", sa.String(16), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("sender_id", sa.String(17), nullable=False),
        sa.Column("asked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("campaign_id", sa.String(36), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("msisdn", name=op.f("pk_stop_confirmations")),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("fk_stop_confirmations_account_id_accounts"),
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_stop_confirmations_asked_at", "stop_confirmations", ["asked_at"])
    waiting = sa.text("campaign_id = ''")
    op.create_index(
        "ix_stop_confirmations_waiting",
        "stop_confirmations",
        ["asked_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def downgrade() -> None:
    op.drop_table("stop_confirmations")
    op.drop_column("campaigns", "confirms_stop")
    op.drop_column("accounts", "stop_confirmation")
