"""Samples drawn for people to label, and their labels.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "samples",
        sa.Column("sample_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("arms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("stratified_by", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("month", sa.Text(), nullable=True),
        sa.Column("allocation", sa.Text(), nullable=False),
        sa.Column("families", sa.Integer(), nullable=False),
        sa.Column("strata", postgresql.JSONB(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("estimate", postgresql.JSONB(), nullable=True),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('faces', 'pairs', 'clusters')", name=op.f("samples_kind_check")),
        sa.PrimaryKeyConstraint("sample_id", name=op.f("samples_pkey")),
        sa.UniqueConstraint("name", name=op.f("samples_name_key")),
    )
    op.create_table(
        "sample_items",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("sample_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("stratum", sa.Text(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("faces", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("arm", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=True),
        sa.Column("together", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("decision", sa.Integer(), nullable=True),
        sa.CheckConstraint("probability > 0 AND probability <= 1", name=op.f("sample_items_probability_check")),
        sa.ForeignKeyConstraint(
            ["family_id"], ["families.family_id"], name=op.f("sample_items_family_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["samples.sample_id"], name=op.f("sample_items_sample_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("family_id", "sample_id", "item_id", name=op.f("sample_items_pkey")),
    )
    op.create_table(
        "labels",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("sample_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("odd", postgresql.ARRAY(sa.SmallInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("labelled_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("answer IN ('yes', 'no', 'unsure', 'not_a_face')", name=op.f("labels_answer_check")),
        sa.ForeignKeyConstraint(
            ["family_id", "sample_id", "item_id"],
            ["sample_items.family_id", "sample_items.sample_id", "sample_items.item_id"],
            name=op.f("labels_family_id_sample_id_item_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("family_id", "sample_id", "item_id", "annotator", name=op.f("labels_pkey")),
    )


def downgrade() -> None:
    op.drop_table("labels")
    op.drop_table("sample_items")
    op.drop_table("samples")
