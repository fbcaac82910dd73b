"""By which gateway a campaign goes whatever its account's is: a test of that gateway."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("gateway", sa.String(40), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("campaigns", "gateway")
