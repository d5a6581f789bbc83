"""What lineage needs that was not kept.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
