"""What rows held before lies in months, so that what is older than anybody wants to know goes whole.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.

The rows that are there stay where they are: their table becomes the part of all months up to this one.  Rows of a
month that nobody made a part for go to the part `past_rows_p0`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

INDEX = "past_rows_family_id_relation_known_until_idx"

ATTACH = """
DO $$
DECLARE
  following timestamptz := (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
  part text := 'past_rows_p' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM');
BEGIN
  EXECUTE format('ALTER TABLE past_rows_until_now RENAME TO %I', part);
  EXECUTE format('ALTER TABLE past_rows ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)', part, following);
END $$"""


def upgrade() -> None:
    op.execute("ALTER TABLE past_rows RENAME TO past_rows_until_now")
    op.execute(f"ALTER INDEX {INDEX} RENAME TO past_rows_until_now_idx")
    op.execute("ALTER TABLE past_rows_until_now DROP CONSTRAINT past_rows_pkey, ALTER number DROP IDENTITY")
    create(sa.PrimaryKeyConstraint("family_id", "number", "known_until", name=op.f("past_rows_pkey")), parts=True)
    op.execute(ATTACH)
    op.execute("CREATE TABLE past_rows_p0 PARTITION OF past_rows DEFAULT")
    go_on_counting()


def create(key: sa.PrimaryKeyConstraint, *, parts: bool) -> None:
    op.create_table(
        "past_rows",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("known_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("row_values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"], ["families.family_id"], name=op.f("past_rows_family_id_fkey"), ondelete="CASCADE"
        ),
        key,
        postgresql_partition_by="RANGE (known_until)" if parts else None,
    )
    op.create_index(op.f(INDEX), "past_rows", ["family_id", "relation", "known_until"])


def go_on_counting() -> None:
    op.execute(
        "SELECT setval(pg_get_serial_sequence('past_rows', 'number'), coalesce(max(number), 0) + 1, false)"
        " FROM past_rows"
    )


def downgrade() -> None:
    op.execute("CREATE TEMPORARY TABLE all_past_rows ON COMMIT DROP AS TABLE past_rows")
    op.drop_table("past_rows")
    create(sa.PrimaryKeyConstraint("family_id", "number", name=op.f("past_rows_pkey")), parts=False)
    op.execute("INSERT INTO past_rows SELECT * FROM all_past_rows")
    go_on_counting()
