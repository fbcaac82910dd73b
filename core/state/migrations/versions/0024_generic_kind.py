"""The kind of gateway that knows no provider is called generic, as its code is; it was http, which several are."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE gateways SET kind = 'generic' WHERE kind = 'http'")


def downgrade() -> None:
    op.execute("UPDATE gateways SET kind = 'http' WHERE kind = 'generic'")
