"""What becomes of the rows a workbook hides, as who uploaded it said."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("distribution_lists", sa.Column("hidden_rows", sa.String(12), nullable=False, server_default="ask"))


def downgrade() -> None:
    op.drop_column("distribution_lists", "hidden_rows")
