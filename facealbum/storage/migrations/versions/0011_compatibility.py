"""How new embedding spaces go with old ones, adapters between them, and embedding everything again.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def between_spaces(table: str) -> tuple[sa.Column[int] | sa.ForeignKeyConstraint, ...]:
    """From which space to which."""
    columns = ("source_space_id", "target_space_id")
    return (
        *(sa.Column(name, sa.SmallInteger(), nullable=False) for name in columns),
        *(
            sa.ForeignKeyConstraint([name], ["embedding_spaces.space_id"], name=op.f(f"{table}_{name}_fkey"))
            for name in columns
        ),
    )


def upgrade() -> None:
    op.create_table(
        "adapters",
        sa.Column("adapter_id", sa.SmallInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        *between_spaces("adapters"),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('orthogonal', 'linear', 'mlp')", name=op.f("adapters_kind_check")),
        sa.PrimaryKeyConstraint("adapter_id", name=op.f("adapters_pkey")),
        sa.UniqueConstraint("name", name=op.f("adapters_name_key")),
    )
    op.create_table(
        "reembeddings",
        sa.Column("number", sa.Integer(), sa.Identity(), nullable=False),
        *between_spaces("reembeddings"),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("rate", sa.REAL(), nullable=True),
        sa.Column("families_left", sa.Integer(), nullable=True),
        sa.Column("after_family", sa.Uuid(), nullable=True),
        sa.Column("faces", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("paced_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paced_faces", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('running', 'paused', 'done')", name=op.f("reembeddings_status_check")),
        sa.PrimaryKeyConstraint("number", name=op.f("reembeddings_pkey")),
    )
    op.create_table(
        "reembedding_problems",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("space_id", sa.SmallInteger(), nullable=False),
        sa.Column("face_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["space_id"], ["embedding_spaces.space_id"], name=op.f("reembedding_problems_space_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["family_id", "face_id"],
            ["faces.family_id", "faces.face_id"],
            name=op.f("reembedding_problems_family_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("family_id", "space_id", "face_id", name=op.f("reembedding_problems_pkey")),
    )
    op.create_table(
        "compat_reports",
        sa.Column("number", sa.Integer(), sa.Identity(), nullable=False),
        *between_spaces("compat_reports"),
        sa.Column("adapter_id", sa.SmallInteger(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("report", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["adapter_id"], ["adapters.adapter_id"], name=op.f("compat_reports_adapter_id_fkey")),
        sa.PrimaryKeyConstraint("number", name=op.f("compat_reports_pkey")),
    )
    op.add_column("face_embeddings", sa.Column("adapter_id", sa.SmallInteger(), nullable=True))
    op.create_index(
        "face_embeddings_adapted_idx",
        "face_embeddings",
        ["family_id"],
        postgresql_where=sa.text("adapter_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("face_embeddings_adapted_idx", "face_embeddings")
    op.drop_column("face_embeddings", "adapter_id")
    for table in ("compat_reports", "reembedding_problems", "reembeddings", "adapters"):
        op.drop_table(table)
