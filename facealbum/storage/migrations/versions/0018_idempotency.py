"""What a request with an idempotency key was answered.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
