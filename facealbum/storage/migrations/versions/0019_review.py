"""What reviewers were asked, and couldn't tell.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
