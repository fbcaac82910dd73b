"""What processes see of their gateways; when a gateway was seen to work, tested, and is looked at next."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TIMES = ("proven_at", "tested_at", "probe_at")


def upgrade() -> None:
    op.create_table(
        "sights",
        sa.Column("process", sa.String(64), nullable=False),
        sa.Column("is_worker", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("process", name="pk_sights"),
    )
    for name in _TIMES:
        op.add_column("gateways", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("gateways", sa.Column("relapse_count", sa.Integer(), nullable=False, server_default="0"))
    # One that an account uses has been tried.
    op.execute(
        "UPDATE gateways SET proven_at = created_at WHERE status = 'Working'"
        " AND name IN (SELECT gateway FROM accounts UNION SELECT fallback_gateway FROM accounts)"
    )


def downgrade() -> None:
    op.drop_column("gateways", "relapse_count")
    for name in _TIMES:
        op.drop_column("gateways", name)
    op.drop_table("sights")
