"""What is spent of which budget, a campaign's own budget, and what people were told of one."""

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime
from core.state.tables.spending_models import ExactCents

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("budget_eur_cents", sa.Numeric(18, 4), nullable=True))
    # What was spent before is counted from the history when it is first asked for: the migration cannot read it.
    op.create_table(
        "account_spending",
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("spent_eur_cents", ExactCents(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "month", name=op.f("pk_account_spending")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_account_spending_account_id"), ondelete="CASCADE"
        ),
    )
    op.create_table(
        "campaign_spending",
        sa.Column("campaign_id", sa.String(36), nullable=False),
        sa.Column("spent_eur_cents", ExactCents(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaign_spending")),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.campaign_id"],
            name=op.f("fk_campaign_spending_campaign_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "budget_events",
        sa.Column("subject_id", sa.String(36), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("threshold", sa.String(10), nullable=False),
        sa.Column("budget_eur_cents", ExactCents(), nullable=False),
        sa.Column("told_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "month", "threshold", "budget_eur_cents", name=op.f("pk_budget_events")),
    )
    op.create_index("ix_budget_events_told_at", "budget_events", ["told_at"])


def downgrade() -> None:
    for name in ("budget_events", "campaign_spending", "account_spending"):
        op.drop_table(name)
    op.drop_column("campaigns", "budget_eur_cents")
