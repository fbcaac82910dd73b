"""What gateways call the other parts of long messages, where they may report one part alone."""

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "part_ids",
        sa.Column("gateway", sa.String(40), nullable=False),
        sa.Column("gateway_message_id", sa.String(64), nullable=False),
        sa.Column("known_as", sa.String(64), nullable=False),
        sa.Column("noted_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "gateway_message_id", name=op.f("pk_part_ids")),
    )
    op.create_index("ix_part_ids_known_as", "part_ids", ["gateway", "known_as"])
    op.create_index("ix_part_ids_noted_at", "part_ids", ["noted_at"])


def downgrade() -> None:
    op.drop_table("part_ids")
