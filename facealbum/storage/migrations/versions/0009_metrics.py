"""The figures of each family and month, and their sums over all families.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "family_metrics",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("arm_id", sa.SmallInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("slice", sa.Text(), nullable=False),
        sa.Column("total", sa.Double(), nullable=False),
        sa.Column("cases", sa.Double(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"],
            ["families.family_id"],
            name=op.f("family_metrics_family_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["arm_id"], ["arms.arm_id"], name=op.f("family_metrics_arm_id_fkey")),
        sa.PrimaryKeyConstraint("family_id", "arm_id", "month", "metric", "slice", name=op.f("family_metrics_pkey")),
    )
    op.create_index("family_metrics_sums_idx", "family_metrics", ["arm_id", "month", "computed_at"])
    op.create_table(
        "family_slices",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"],
            ["families.family_id"],
            name=op.f("family_slices_family_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("family_id", "name", name=op.f("family_slices_pkey")),
    )
    op.create_table(
        "metric_totals",
        sa.Column("batch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("arm_id", sa.SmallInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("slice", sa.Text(), nullable=False),
        sa.Column("families", sa.Integer(), nullable=False),
        sa.Column("total", sa.Double(), nullable=False),
        sa.Column("cases", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["arm_id"], ["arms.arm_id"], name=op.f("metric_totals_arm_id_fkey")),
        sa.PrimaryKeyConstraint("batch", "arm_id", "month", "metric", "slice", name=op.f("metric_totals_pkey")),
    )


def downgrade() -> None:
    op.drop_table("metric_totals")
    op.drop_table("family_slices")
    op.drop_table("family_metrics")
