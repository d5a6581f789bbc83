"""What pages read when there are millions of faces.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
