"""When each account's replies came beside whose they are, and which campaigns were answered: both found by an index."""

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reply_accounts", sa.Column("received_at", UtcDateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE reply_accounts SET received_at ="
        " (SELECT received_at FROM replies WHERE replies.reply_id = reply_accounts.reply_id)"
    )
    op.drop_index("ix_reply_accounts_account", "reply_accounts")
    with op.batch_alter_table("reply_accounts") as reply_accounts:
        reply_accounts.alter_column("received_at", existing_type=UtcDateTime(timezone=True), nullable=False)
    op.create_index("ix_reply_accounts_received", "reply_accounts", ["account_id", "received_at", "reply_id"])
    answers = sa.text("campaign_id IS NOT NULL")
    op.create_index(
        "ix_replies_campaign_id", "replies", ["campaign_id"], sqlite_where=answers, postgresql_where=answers
    )


def downgrade() -> None:
    op.drop_index("ix_replies_campaign_id", "replies")
    op.drop_index("ix_reply_accounts_received", "reply_accounts")
    with op.batch_alter_table("reply_accounts") as reply_accounts:
        reply_accounts.drop_column("received_at")
    op.create_index("ix_reply_accounts_account", "reply_accounts", ["account_id", "reply_id"])
