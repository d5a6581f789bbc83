"""What lineage needs that was not kept: exactly what made each analysis, embedding and run.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.  Rows that
are there already stay as they are: for each analyzer one maker of unknown code and files stands for them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_MADE = ("photos", "face_embeddings", "runs")

_EARLIER_MAKERS = """
INSERT INTO makers (digest, method, space_id, analyzer_id, files, parameters)
SELECT 'analyzer ' || analyzer_id, 'analysis', space_id, analyzer_id,
       (SELECT jsonb_object_agg(role, jsonb_build_object('version', version, 'sha256', NULL))
        FROM jsonb_each_text(models) AS model (role, version)), '{}'
FROM analyzers
"""
_EARLIER_FAMILIES = """
INSERT INTO family_makers (family_id, maker_id, first_at)
SELECT photos.family_id, makers.maker_id, min(photos.analysed_at)
FROM photos JOIN makers USING (analyzer_id) WHERE photos.analysed_at IS NOT NULL GROUP BY 1, 2
"""


def upgrade() -> None:
    op.create_table(
        "makers",
        sa.Column("maker_id", sa.SmallInteger(), sa.Identity(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("space_id", sa.SmallInteger(), nullable=False),
        sa.Column("source_space_id", sa.SmallInteger(), nullable=True),
        sa.Column("analyzer_id", sa.SmallInteger(), nullable=True),
        sa.Column("adapter_id", sa.SmallInteger(), nullable=True),
        sa.Column("code_version", sa.Text(), nullable=True),
        sa.Column("files", JSONB(), nullable=False),
        sa.Column("parameters", JSONB(), nullable=False),
        sa.CheckConstraint(
            "method IN ('analysis', 'embedding', 'carrying', 'adapter', 'clustering')", name=op.f("makers_method_check")
        ),
        _reference("space_id", "embedding_spaces.space_id"),
        _reference("source_space_id", "embedding_spaces.space_id"),
        _reference("analyzer_id", "analyzers.analyzer_id"),
        _reference("adapter_id", "adapters.adapter_id"),
        sa.PrimaryKeyConstraint("maker_id", name=op.f("makers_pkey")),
        sa.UniqueConstraint("digest", name=op.f("makers_digest_key")),
    )
    op.create_table(
        "family_makers",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("maker_id", sa.SmallInteger(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"], ["families.family_id"], name=op.f("family_makers_family_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["maker_id"], ["makers.maker_id"], name=op.f("family_makers_maker_id_fkey")),
        sa.PrimaryKeyConstraint("family_id", "maker_id", name=op.f("family_makers_pkey")),
    )
    for table in _MADE:  # without a reference, as making one reads the whole table
        op.add_column(table, sa.Column("maker_id", sa.SmallInteger(), nullable=True))
    op.execute(_EARLIER_MAKERS)
    op.execute(_EARLIER_FAMILIES)


def _reference(column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=op.f(f"makers_{column}_fkey"))


def downgrade() -> None:
    for table in _MADE:
        op.drop_column(table, "maker_id")
    op.drop_table("family_makers")
    op.drop_table("makers")
