"""What came for no message of ours, or cannot be read."""

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "strays",
        sa.Column("stray_id", sa.String(36), nullable=False),
        sa.Column("gateway", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("sender", sa.String(40), nullable=False),
        sa.Column("receiver", sa.String(40), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("came_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("stray_id", name=op.f("pk_strays")),
    )
    op.create_index("ix_strays_gateway", "strays", ["gateway", "stray_id"])
    op.create_index("ix_strays_came_at", "strays", ["came_at"])


def downgrade() -> None:
    op.drop_table("strays")
