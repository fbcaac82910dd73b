"""How many segments a second a campaign sends at most, of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("rate_tps", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("campaigns", "rate_tps")
