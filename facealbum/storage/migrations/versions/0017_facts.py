"""What users say of a face alone: its age and gender.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

COLUMNS = ("told_age", "told_p_female")
KINDS = (
    "'confirm', 'reject', 'merge', 'split', 'move', 'hide', 'name', 'different', 'same', 'link', 'not_a_face',"
    " 'unhide', 'unlink'"
)


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("faces", sa.Column(name, sa.REAL(), nullable=True))
    decide_on(f"{KINDS}, 'age', 'gender'")


def downgrade() -> None:
    op.execute("DELETE FROM decisions WHERE kind IN ('age', 'gender')")
    decide_on(KINDS)
    for name in COLUMNS:
        op.drop_column("faces", name)


def decide_on(kinds: str) -> None:
    """Let `kind` be one of these."""
    name = op.f("decisions_kind_check")
    op.drop_constraint(name, "decisions")
    op.create_check_constraint(name, "decisions", sa.text(f"kind IN ({kinds})"))
