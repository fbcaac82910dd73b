"""When messages may leave: a log for each limit, instead of an account's bucket."""

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "departures",
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("booked_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_departures")),
    )
    op.drop_column("accounts", "bucket_at")
    op.drop_column("accounts", "bucket_tokens")


def downgrade() -> None:
    op.add_column("accounts", sa.Column("bucket_tokens", sa.Double(), nullable=False, server_default="0"))
    op.add_column("accounts", sa.Column("bucket_at", UtcDateTime(timezone=True), nullable=True))
    op.drop_table("departures")
