"""What features need to be read as they were known on a day: since when each row holds, and what it was before.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.

A row that changes or goes leaves its values in `past_rows`, with the stretch of time in which they held.  Rows that are
there already count as known from this migration on, as nobody wrote down when they changed last.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ANY = "OLD.* IS DISTINCT FROM NEW.*"
CHANGED_WHEN = {
    "assignments": ANY,
    "children": ANY,
    "decisions": ANY,
    "face_embeddings": ANY,
    "faces": ANY,
    "family_metrics": ANY,
    "links": ANY,
    "persons": ANY,
    "photos": "(OLD.status, OLD.taken_at) IS DISTINCT FROM (NEW.status, NEW.taken_at)",
    "reembedding_problems": ANY,
    "tracks": ANY,
}
"""By table; of photos only what a feature is made of, as analysis notes each step of its work in their rows."""

KNOWN_AT = """
CREATE FUNCTION known_at() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  said text := current_setting('facealbum.known_at', true);
BEGIN  -- one moment for all that a transaction writes: that of its first row, so that none is ever seen in part
  IF said IS NULL OR said = '' THEN
    said := set_config('facealbum.known_at', clock_timestamp()::text, true);
  END IF;
  RETURN said::timestamptz;
END $$"""

KEEP_CHANGED = """
CREATE FUNCTION keep_changed_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moment timestamptz := greatest(known_at(), OLD.known_since);
BEGIN
  IF moment > OLD.known_since THEN
    INSERT INTO past_rows (family_id, relation, known_since, known_until, row_values)
    VALUES (OLD.family_id, TG_ARGV[0], OLD.known_since, moment, to_jsonb(OLD) - 'known_since');
  END IF;
  NEW.known_since := moment;
  RETURN NEW;
END $$"""

KEEP_DELETED = """
CREATE FUNCTION keep_deleted_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN  -- of a family that is being deleted nothing stays
  INSERT INTO past_rows (family_id, relation, known_since, known_until, row_values)
  SELECT gone.family_id, TG_TABLE_NAME, gone.known_since, known_at(), to_jsonb(gone) - 'known_since'
  FROM gone JOIN families ON families.family_id = gone.family_id
  WHERE gone.known_since < known_at();
  RETURN NULL;
END $$"""


def upgrade() -> None:
    op.create_table(
        "past_starts",
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("relation", name=op.f("past_starts_pkey")),
    )
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
        sa.PrimaryKeyConstraint("family_id", "number", name=op.f("past_rows_pkey")),
    )
    op.create_index(
        op.f("past_rows_family_id_relation_known_until_idx"), "past_rows", ["family_id", "relation", "known_until"]
    )
    for function in (KNOWN_AT, KEEP_CHANGED, KEEP_DELETED):
        op.execute(function)
    for table, changed in CHANGED_WHEN.items():
        record(table, changed)


def record(table: str, changed: str) -> None:
    """Keep the past of this table from now on; the first default is the same for all rows, so none is rewritten."""
    op.execute(f"ALTER TABLE {table} ADD COLUMN known_since timestamptz NOT NULL DEFAULT now()")
    op.execute(f"ALTER TABLE {table} ALTER COLUMN known_since SET DEFAULT known_at()")
    op.execute(
        f"CREATE TRIGGER keep_changed BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({changed})"
        f" EXECUTE FUNCTION keep_changed_row('{table}')"
    )
    op.execute(
        f"CREATE TRIGGER keep_deleted AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone"
        " FOR EACH STATEMENT EXECUTE FUNCTION keep_deleted_rows()"
    )
    op.execute(f"INSERT INTO past_starts (relation, began_at) VALUES ('{table}', now())")  # noqa: S608 - a constant


def downgrade() -> None:
    for table in CHANGED_WHEN:
        op.execute(f"DROP TRIGGER keep_deleted ON {table}")
        op.execute(f"DROP TRIGGER keep_changed ON {table}")
        op.execute(f"ALTER TABLE {table} DROP COLUMN known_since")
    for function in ("keep_deleted_rows", "keep_changed_row", "known_at"):
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_table("past_rows")
    op.drop_table("past_starts")
