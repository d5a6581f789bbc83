"""How often a process has begun to analyse each photo, and what the queues were told of photos and families.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("photos", sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("photos", sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("families", sa.Column("unmatched_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("families", sa.Column("match_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "families_unmatched_idx", "families", ["family_id"], postgresql_where=sa.text("unmatched_since IS NOT NULL")
    )
    op.create_index(
        "photos_pending_since_idx", "photos", ["created_at"], postgresql_where=sa.text("status = 'pending'")
    )
    op.create_index(op.f("outbox_number_idx"), "outbox", ["number"])


def downgrade() -> None:
    op.drop_index(op.f("outbox_number_idx"), table_name="outbox")
    op.drop_index("photos_pending_since_idx", table_name="photos")
    op.drop_index("families_unmatched_idx", table_name="families")
    op.drop_column("families", "match_asked_at")
    op.drop_column("families", "unmatched_since")
    op.drop_column("photos", "announced_at")
    op.drop_column("photos", "attempts")
