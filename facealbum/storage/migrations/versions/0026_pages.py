"""Signals counted as they come: a page that shows months need not read every signal.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_COUNTED = """
    SELECT family_id, date_trunc('month', happened_at AT TIME ZONE 'UTC')::date AS month, source, kind,
           count(*) AS signals, sum(value) AS value
    FROM {rows} GROUP BY 1, 2, 3, 4
"""
_BY_MONTH = """
    SELECT month, source, kind, sum(signals)::bigint AS signals, count(*) AS families, sum(value) AS value
    FROM {rows} GROUP BY 1, 2, 3
"""
_COMMENTS = {
    "family_id": "the family, by id alone",
    "month": "the month in which it happened, UTC",
    "source": "who told it",
    "kind": "what happened",
    "signals": "how often",
    "value": "the sum of their values",
}


def upgrade() -> None:
    op.create_index("signals_happened_at_idx", "signals", ["happened_at"], postgresql_using="brin")
    op.execute("""
        CREATE TABLE dashboard.family_signals (
            family_id uuid NOT NULL REFERENCES families ON DELETE CASCADE,
            month date NOT NULL,
            source text NOT NULL,
            kind text NOT NULL,
            signals bigint NOT NULL,
            value double precision NOT NULL,
            PRIMARY KEY (family_id, month, source, kind)
        )
    """)
    op.execute("COMMENT ON TABLE dashboard.family_signals IS 'What other systems told of each family, by month'")
    for column, said in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN dashboard.family_signals.{column} IS '{said}'")
    # Signals are never changed, and go only with their family.  Sorted, so that no two writers wait for each other.
    op.execute(f"""
        CREATE FUNCTION dashboard.count_signals() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO dashboard.family_signals AS known {_COUNTED.format(rows="told")} ORDER BY 1, 2, 3, 4
            ON CONFLICT (family_id, month, source, kind) DO UPDATE
            SET signals = known.signals + excluded.signals, value = known.value + excluded.value;
            RETURN NULL;
        END $$
    """)  # noqa: S608 - all of it stands above
    op.execute("LOCK TABLE signals IN SHARE ROW EXCLUSIVE MODE")
    op.execute("""
        CREATE TRIGGER dashboard_count AFTER INSERT ON signals REFERENCING NEW TABLE AS told
        FOR EACH STATEMENT EXECUTE FUNCTION dashboard.count_signals()
    """)
    op.execute(f"INSERT INTO dashboard.family_signals {_COUNTED.format(rows='signals')}")
    op.execute(f"CREATE OR REPLACE VIEW dashboard.signals AS {_BY_MONTH.format(rows='dashboard.family_signals')}")


def downgrade() -> None:
    counted = _COUNTED.format(rows="signals")
    op.execute(f"CREATE OR REPLACE VIEW dashboard.signals AS {_BY_MONTH.format(rows=f'({counted}) s')}")
    op.execute("DROP TRIGGER dashboard_count ON signals")
    op.execute("DROP FUNCTION dashboard.count_signals")
    op.execute("DROP TABLE dashboard.family_signals")
    op.drop_index("signals_happened_at_idx", "signals")
