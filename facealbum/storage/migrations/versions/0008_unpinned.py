"""The unpinned clustering of each run, so that a run with the same faces need not make it again.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plans", sa.Column("unpinned_digest", sa.Text(), nullable=True))
    op.add_column("plans", sa.Column("unpinned", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("plans", "unpinned")
    op.drop_column("plans", "unpinned_digest")
