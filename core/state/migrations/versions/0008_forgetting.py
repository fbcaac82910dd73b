"""What the lake holds of each campaign's people, and from when on it is gone."""

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("numbers_kept", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("campaigns", sa.Column("audience_kept", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("campaigns", sa.Column("forgotten_at", UtcDateTime(timezone=True), nullable=True))
    # Nobody knows of which Quick Sends the numbers are still there: they are looked for once more.
    op.execute("UPDATE campaigns SET numbers_kept = true WHERE source = 'quick_send'")
