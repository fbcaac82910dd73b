"""What a number has asked for last is found without reading all that it ever said."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_replies_msisdn", "replies")
    op.create_index("ix_replies_msisdn", "replies", ["msisdn", "received_at", "reply_id"])


def downgrade() -> None:
    op.drop_index("ix_replies_msisdn", "replies")
    op.create_index("ix_replies_msisdn", "replies", ["msisdn"])
