"""What reviewers answered, and how far each family is.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_answers",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("decisions", ARRAY(sa.Integer()), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("answer IN ('yes', 'no', 'unsure')", name=op.f("review_answers_answer_check")),
        _of_family("review_answers"),
        sa.PrimaryKeyConstraint("family_id", "question_id", name=op.f("review_answers_pkey")),
        sa.UniqueConstraint("family_id", "number", name=op.f("review_answers_family_id_number_key")),
    )
    op.create_table(
        "review_progress",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("settled", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Double(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("settles", sa.Double(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        _of_family("review_progress"),
        sa.PrimaryKeyConstraint("family_id", name=op.f("review_progress_pkey")),
    )


def _of_family(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"{table}_family_id_fkey")
    return sa.ForeignKeyConstraint(["family_id"], ["families.family_id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    op.drop_table("review_progress")
    op.drop_table("review_answers")
