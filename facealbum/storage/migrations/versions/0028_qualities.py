"""Which predictor made a face's quality, and what the packaged one was.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("faces", sa.Column("predictor_id", sa.Integer(), nullable=True))
    op.add_column("faces", sa.Column("packaged_quality", sa.REAL(), nullable=True))
    together = sa.text("(predictor_id IS NULL) = (packaged_quality IS NULL)")
    op.create_check_constraint(op.f("faces_predicted_check"), "faces", together)


def downgrade() -> None:
    op.execute("UPDATE faces SET quality = packaged_quality WHERE predictor_id IS NOT NULL")
    op.drop_column("faces", "predictor_id")
    op.drop_column("faces", "packaged_quality")
