"""Users' decisions with what they changed, and what runs tell of persons and provisional faces.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
No release before this one wrote a row of `decisions`, so its new columns need no default.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COUNTS = ("moved", "provisional_confirmed", "provisional_moved", "provisional_dropped")
KINDS = "'confirm', 'reject', 'merge', 'split', 'move', 'hide', 'name', 'different', 'same', 'link', 'not_a_face'"


def upgrade() -> None:
    for name in COUNTS:
        op.add_column("runs", sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.alter_column("persons", "run_id", nullable=True)
    op.add_column("links", sa.Column("confirmed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("faces", sa.Column("excluded", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("decisions", sa.Column("number", sa.Integer(), nullable=False))
    op.add_column("decisions", sa.Column("arm_id", sa.SmallInteger(), nullable=False))
    op.add_column("decisions", sa.Column("anchors", postgresql.JSONB(), nullable=False))
    op.add_column("decisions", sa.Column("correction", postgresql.JSONB(), nullable=False))
    op.create_unique_constraint(op.f("decisions_family_id_number_key"), "decisions", ["family_id", "number"])
    op.create_foreign_key(op.f("decisions_arm_id_fkey"), "decisions", "arms", ["arm_id"], ["arm_id"])
    decide_on(f"{KINDS}, 'unhide', 'unlink'")


def downgrade() -> None:
    op.execute("DELETE FROM decisions WHERE kind IN ('unhide', 'unlink')")
    decide_on(KINDS)
    op.drop_constraint(op.f("decisions_arm_id_fkey"), "decisions")
    op.drop_constraint(op.f("decisions_family_id_number_key"), "decisions")
    for name in ("correction", "anchors", "arm_id", "number"):
        op.drop_column("decisions", name)
    op.drop_column("faces", "excluded")
    op.drop_column("links", "confirmed")
    op.execute("DELETE FROM persons WHERE run_id IS NULL")
    op.alter_column("persons", "run_id", nullable=False)
    for name in reversed(COUNTS):
        op.drop_column("runs", name)


def decide_on(kinds: str) -> None:
    """Let `kind` be one of these."""
    name = op.f("decisions_kind_check")
    op.drop_constraint(name, "decisions")
    op.create_check_constraint(name, "decisions", sa.text(f"kind IN ({kinds})"))
