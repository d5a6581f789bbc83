"""Which calibrator made a face's age and P(female), and of what.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TOGETHER = "(calibrator_id IS NULL) = (packaged_age IS NULL) AND (calibrator_id IS NULL) = (packaged_p_female IS NULL)"


def upgrade() -> None:
    op.add_column("faces", sa.Column("calibrator_id", sa.Integer(), nullable=True))
    for name in ("packaged_age", "packaged_p_female"):
        op.add_column("faces", sa.Column(name, sa.REAL(), nullable=True))
    op.create_check_constraint(op.f("faces_calibrated_check"), "faces", sa.text(TOGETHER))


def downgrade() -> None:
    op.execute("UPDATE faces SET age = packaged_age, p_female = packaged_p_female WHERE calibrator_id IS NOT NULL")
    for name in ("calibrator_id", "packaged_age", "packaged_p_female"):
        op.drop_column("faces", name)
