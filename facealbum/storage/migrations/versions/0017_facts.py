"""What users say of a face alone: its age and gender.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
