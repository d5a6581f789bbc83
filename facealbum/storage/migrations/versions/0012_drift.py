"""How the distributions of what analysis finds change from month to month.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("photos", sa.Column("camera", sa.Text(), nullable=True))
    op.add_column("faces", sa.Column("embedding_norm", sa.REAL(), nullable=True))
    op.create_table(
        "drift_histograms",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("analyzer_id", sa.SmallInteger(), nullable=False),
        sa.Column("distribution", sa.Text(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("binning", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("counts", postgresql.ARRAY(sa.BigInteger(), dimensions=2), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        analyzer_of("drift_histograms"),
        sa.PrimaryKeyConstraint(
            "month", "analyzer_id", "distribution", "group_name", "binning", name=op.f("drift_histograms_pkey")
        ),
    )
    op.create_table(
        "drift_baselines",
        sa.Column("number", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("analyzer_id", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("months", postgresql.ARRAY(sa.Date()), nullable=False),
        sa.Column("binning", sa.SmallInteger(), nullable=False),
        sa.Column("histograms", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('automatic', 'chosen', 'training')", name=op.f("drift_baselines_kind_check")),
        analyzer_of("drift_baselines"),
        sa.PrimaryKeyConstraint("number", name=op.f("drift_baselines_pkey")),
    )
    op.create_table(
        "drift_results",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("analyzer_id", sa.SmallInteger(), nullable=False),
        sa.Column("against", sa.Text(), nullable=False),
        sa.Column("distribution", sa.Text(), nullable=False),
        sa.Column("baseline", sa.Integer(), nullable=True),
        sa.Column("distance", sa.Double(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("alarm", sa.Boolean(), nullable=False),
        sa.Column("false_alarms", sa.Double(), nullable=True),
        sa.Column("counts", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("counts_before", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("groups", postgresql.JSONB(), nullable=False),
        sa.Column("unjudged", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("against IN ('baseline', 'before', 'training')", name=op.f("drift_results_against_check")),
        analyzer_of("drift_results"),
        sa.ForeignKeyConstraint(["baseline"], ["drift_baselines.number"], name=op.f("drift_results_baseline_fkey")),
        sa.PrimaryKeyConstraint("month", "analyzer_id", "against", "distribution", name=op.f("drift_results_pkey")),
    )


def analyzer_of(table: str) -> sa.ForeignKeyConstraint:
    """The combination of models that it is about."""
    return sa.ForeignKeyConstraint(["analyzer_id"], ["analyzers.analyzer_id"], name=op.f(f"{table}_analyzer_id_fkey"))


def downgrade() -> None:
    for table in ("drift_results", "drift_baselines", "drift_histograms"):
        op.drop_table(table)
    op.drop_column("faces", "embedding_norm")
    op.drop_column("photos", "camera")
