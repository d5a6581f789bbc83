"""Searches over parameters, and what they propose.

The library that searches keeps its trials in the schema `search`, in tables of its own that it migrates itself.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA search")
    op.create_table(
        "searches",
        sa.Column("search_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("base", JSONB(), nullable=False),
        sa.Column("plan", JSONB(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", JSONB(), nullable=True),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arm_id", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(["arm_id"], ["arms.arm_id"], name=op.f("searches_arm_id_fkey")),
        sa.PrimaryKeyConstraint("search_id", name=op.f("searches_pkey")),
        sa.UniqueConstraint("name", name=op.f("searches_name_key")),
    )


def downgrade() -> None:
    op.drop_table("searches")
    op.execute("DROP SCHEMA search CASCADE")
