"""Answers of gateways that came after their time: their messages are called unknown until these are settled."""

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "late_answers",
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("gateway", sa.String(40), nullable=False),
        sa.Column("gateway_message_id", sa.String(64), nullable=False),
        sa.Column("answered_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_late_answers")),
    )
    op.create_index("ix_late_answers_answered_at", "late_answers", ["answered_at"])
    is_open = sa.text("NOT settled")
    op.create_index(
        "ix_late_answers_open", "late_answers", ["message_id"], sqlite_where=is_open, postgresql_where=is_open
    )


def downgrade() -> None:
    op.drop_table("late_answers")
