"""By which gateway a campaign is held, and whether what ails a gateway takes a person."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("held_by", sa.String(40), nullable=False, server_default=""))
    op.add_column("gateways", sa.Column("needs_person", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("gateways", "needs_person")
    op.drop_column("campaigns", "held_by")
