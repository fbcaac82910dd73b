"""What replies ask for, whose they are, and when it is looked up next which message each answers."""

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("replies", sa.Column("msisdn", sa.String(16), nullable=False, server_default=""))
    op.add_column("replies", sa.Column("keyword", sa.String(8), nullable=False, server_default="none"))
    op.add_column("replies", sa.Column("due_at", UtcDateTime(timezone=True), nullable=True))
    op.create_index("ix_replies_msisdn", "replies", ["msisdn"])
    op.create_index("ix_replies_received_at", "replies", ["received_at"])
    op.create_index("ix_replies_message_id", "replies", ["message_id"])
    waiting = sa.text("due_at IS NOT NULL")
    op.create_index("ix_replies_due_at", "replies", ["due_at"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "reply_accounts",
        sa.Column("reply_id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("reply_id", "account_id", name=op.f("pk_reply_accounts")),
        sa.ForeignKeyConstraint(
            ["reply_id"], ["replies.reply_id"], name=op.f("fk_reply_accounts_reply_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_reply_accounts_account_id"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_reply_accounts_account", "reply_accounts", ["account_id", "reply_id"])


def downgrade() -> None:
    op.drop_table("reply_accounts")
    for name in ("due_at", "message_id", "received_at", "msisdn"):
        op.drop_index(f"ix_replies_{name}", "replies")
    for name in ("due_at", "keyword", "msisdn"):
        op.drop_column("replies", name)
