"""Snapshots of training data, and the families that each holds something of.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "data_snapshots",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("groups", sa.Integer(), nullable=False),
        sa.Column("families", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("data_snapshots_pkey")),
    )
    op.create_table(
        "data_snapshot_families",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"],
            ["families.family_id"],
            name=op.f("data_snapshot_families_family_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["digest"], ["data_snapshots.digest"], name=op.f("data_snapshot_families_digest_fkey")),
        sa.PrimaryKeyConstraint("family_id", "digest", name=op.f("data_snapshot_families_pkey")),
    )


def downgrade() -> None:
    op.drop_table("data_snapshot_families")
    op.drop_table("data_snapshots")
