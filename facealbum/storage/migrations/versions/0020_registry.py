"""Versions of models, their stages, and who changed them.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_KINDS = (
    "'detector', 'landmarks', 'pose', 'age', 'gender', 'quality', 'embedder', 'adapter', 'calibrator', 'thresholds',"
    " 'backbone'"
)
_STAGES = "'draft', 'shadow', 'canary', 'production', 'retired'"


def upgrade() -> None:
    op.create_table(
        "model_versions",
        sa.Column("model_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("research_only", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("training_run", sa.Text(), nullable=True),
        sa.Column("snapshot", sa.Text(), nullable=True),
        sa.Column("metrics", JSONB(), nullable=False),
        sa.Column("slices", JSONB(), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("primary_metric", sa.Text(), nullable=True),
        sa.Column("gates", JSONB(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("arm_id", sa.SmallInteger(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"kind IN ({_KINDS})", name=op.f("model_versions_kind_check")),
        sa.CheckConstraint(f"stage IN ({_STAGES})", name=op.f("model_versions_stage_check")),
        sa.ForeignKeyConstraint(["arm_id"], ["arms.arm_id"], name=op.f("model_versions_arm_id_fkey")),
        sa.PrimaryKeyConstraint("model_id", name=op.f("model_versions_pkey")),
        sa.UniqueConstraint("kind", "name", "sha256", name=op.f("model_versions_kind_name_sha256_key")),
        sa.UniqueConstraint("kind", "name", "version", name=op.f("model_versions_kind_name_version_key")),
    )
    op.create_index(
        "model_versions_production_idx",
        "model_versions",
        ["slot"],
        unique=True,
        postgresql_where=sa.text("stage = 'production'"),
    )
    op.create_table(
        "model_changes",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("act", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("overridden", ARRAY(sa.Text()), nullable=False),
        sa.Column("promotion", sa.Integer(), nullable=True),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model_versions.model_id"], name=op.f("model_changes_model_id_fkey")),
        sa.ForeignKeyConstraint(["promotion"], ["promotions.number"], name=op.f("model_changes_promotion_fkey")),
        sa.PrimaryKeyConstraint("number", name=op.f("model_changes_pkey")),
    )
    op.create_index(op.f("model_changes_model_id_idx"), "model_changes", ["model_id"])
    op.execute(
        "CREATE TRIGGER model_changes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON model_changes"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("model_changes")
    op.drop_table("model_versions")
