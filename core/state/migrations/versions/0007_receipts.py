"""Receipts: the same one once in the inbox, and one collector of a gateway at a time."""

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

IDENTITY = ("gateway", "gateway_message_id", "receipt_state", "error_code", "done_at")


def upgrade() -> None:
    inbox = sa.table("receipts_inbox", sa.column("receipt_id"), *(sa.column(name) for name in IDENTITY))
    kept = sa.select(sa.func.min(inbox.c.receipt_id)).group_by(*(inbox.c[name] for name in IDENTITY))
    op.execute(inbox.delete().where(inbox.c.receipt_id.not_in(kept)))
    op.create_index("ix_receipts_identity", "receipts_inbox", IDENTITY, unique=True)
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=False),
        sa.Column("lease_until", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )


def downgrade() -> None:
    op.drop_table("leases")
    op.drop_index("ix_receipts_identity", "receipts_inbox")
