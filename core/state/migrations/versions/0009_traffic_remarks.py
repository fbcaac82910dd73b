"""How many rows of an import were kept without a cell that cannot be read, by reason."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("traffic_imports", sa.Column("remarks", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("traffic_imports", "remarks")
