"""Receipts that are tried for the first time are found without those that found no message before."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, which in (("first", "try_count <= 0"), ("again", "try_count > 0")):
        half = sa.text(which)
        op.create_index(f"ix_receipts_{name}", "receipts_inbox", ["due_at"], sqlite_where=half, postgresql_where=half)
    op.drop_index("ix_receipts_due", "receipts_inbox")


def downgrade() -> None:
    op.create_index("ix_receipts_due", "receipts_inbox", ["due_at"])
    op.drop_index("ix_receipts_again", "receipts_inbox")
    op.drop_index("ix_receipts_first", "receipts_inbox")
