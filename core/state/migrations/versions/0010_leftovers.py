"""Which campaigns are tests, and contacts in the lake that belong to nothing."""

import sqlalchemy as sa
from alembic import op

from core.state.tables.models import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("is_test", sa.Boolean(), nullable=False, server_default=sa.false()))
    # Only tests were ever given a name.
    op.execute("UPDATE campaigns SET is_test = true WHERE source = 'quick_send' AND name LIKE 'Test of %'")
    op.create_table(
        "left_contacts",
        sa.Column("list_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("list_id", name=op.f("pk_left_contacts")),
    )
    # Before, a list's row was deleted first: what the lake still has of such lists is looked for, once. Lists that are
    # younger than the last line of the audit may be known to a newer state store than this one, and are not meant.
    audit = sa.table("audit_log", sa.column("at", UtcDateTime(timezone=True)))
    newest = op.get_bind().scalar(sa.select(sa.func.max(audit.c.at)))
    if newest is not None:
        settings = sa.table("settings", sa.column("name"), sa.column("value"))
        op.bulk_insert(settings, [{"name": "contacts_unknown_before", "value": newest.isoformat()}])


def downgrade() -> None:
    op.execute("DELETE FROM settings WHERE name = 'contacts_unknown_before'")
    op.drop_table("left_contacts")
    op.drop_column("campaigns", "is_test")
