"""Campaigns to several lists, with fallback texts and their preflight; suppressions; budgets."""

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign_lists",
        sa.Column("campaign_id", sa.String(length=36), nullable=False),
        sa.Column("list_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_left_out", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.campaign_id"], name=op.f("fk_campaign_lists_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "list_id", name=op.f("pk_campaign_lists")),
    )
    op.create_index(op.f("ix_campaign_lists_list_id"), "campaign_lists", ["list_id"])
    op.execute(
        "INSERT INTO campaign_lists (campaign_id, list_id, name, position, is_left_out) "
        "SELECT campaign_id, list_id, list_name, 0, false FROM campaigns WHERE list_id <> ''"
    )
    op.drop_index(op.f("ix_campaigns_list_id"), table_name="campaigns")
    with op.batch_alter_table("campaigns") as campaigns:
        campaigns.drop_column("list_id")
        campaigns.drop_column("list_name")
        campaigns.add_column(sa.Column("fallbacks", sa.JSON(), nullable=False, server_default="{}"))
        campaigns.add_column(sa.Column("simplifies", sa.Boolean(), nullable=False, server_default=sa.false()))
        campaigns.add_column(sa.Column("cost_eur_cents", sa.Numeric(18, 4), nullable=True))
        campaigns.add_column(sa.Column("preflight", sa.JSON(), nullable=True))
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(sa.Column("monthly_budget_eur_cents", sa.Numeric(18, 4), nullable=True))
    op.create_table(
        "suppressions",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_suppressions_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "msisdn", name=op.f("pk_suppressions")),
    )
