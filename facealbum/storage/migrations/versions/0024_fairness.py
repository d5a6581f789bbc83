"""Metrics by slice, and what drove each link.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import SchemaItem

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_VIEWS = {
    "fairness": (
        "Metrics of each month by slice, with intervals that hold for all slices of a metric together",
        """
        SELECT a.name AS arm, f.month, f.metric, f.slice, f.total, f.cases,
               f.total / nullif(f.cases, 0) AS rate, f.low, f.high, f.level, f.families, f.standing
        FROM fairness_slices f JOIN arms a USING (arm_id)
        """,
        {
            "arm": "the arm",
            "month": "the first day of the month, UTC",
            "metric": "the metric",
            "slice": "the part of all families, such as age:0-2; empty: all of them",
            "total": "how many of the cases",
            "cases": "cases of the slice",
            "rate": "total / cases",
            "low": "lower end of the interval",
            "high": "upper end of the interval",
            "level": "how often such an interval holds the true rate; together those of a metric do at 95 %",
            "families": "families with a case",
            "standing": "worse, alike or better than all families, or too few to say",
        },
    ),
    "link_mixes": (
        "What drove the links of each month: how far their mix of inputs is from that of quiet months",
        """
        SELECT a.name AS arm, m.month, m.input, m.links, m.mean, m.distance, m.threshold, m.alarm, m.baseline
        FROM link_mixes m JOIN arms a USING (arm_id)
        """,
        {
            "arm": "the arm",
            "month": "the first day of the month, UTC",
            "input": "prior, age, dates, gender, exclusions or company",
            "links": "links that were counted",
            "mean": "what the input adds to the log odds of a link, on average",
            "distance": "Jensen-Shannon distance to the baseline, 0 to 1",
            "threshold": "the distance that quiet months hardly ever have; null: not judged",
            "alarm": "whether the distance is above it",
            "baseline": "the months that it was compared with",
        },
    ),
    "link_inputs": (
        "What drove each link, as the run that looked at it last in a month told",
        """
        SELECT r.family_id, a.name AS arm, r.month, r.run_id, (l->>'person')::uuid AS person_id,
               (l->>'child')::uuid AS child_id, (l->>'kept')::boolean AS kept, (l->>'probability')::real AS probability,
               i.key AS input, i.value::double precision AS log_odds
        FROM runs r JOIN arms a USING (arm_id) JOIN plans p USING (family_id, run_id),
             jsonb_array_elements(p.linking->'links') l, jsonb_each_text(nullif(l->'inputs', 'null'::jsonb)) i
        WHERE i.key <> 'against' AND NOT EXISTS (
            SELECT FROM runs n WHERE n.family_id = r.family_id AND n.arm_id = r.arm_id AND n.month = r.month
                AND (n.finished_at, n.run_id) > (r.finished_at, r.run_id))
        """,
        {
            "family_id": "the family, by id alone",
            "arm": "the arm",
            "month": "the first day of the month of the run, UTC",
            "run_id": "the run",
            "person_id": "the person, by id alone",
            "child_id": "the child, by id alone",
            "kept": "whether the link was there before the run",
            "probability": "of the link, 0 to 1",
            "input": "prior, age, dates, gender, exclusions or company",
            "log_odds": "what the input adds to the log odds against the best alternative",
        },
    ),
}


def upgrade() -> None:
    op.create_table(
        "fairness_slices",
        *_key("fairness_slices", "metric", "slice"),
        sa.Column("families", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("total", "cases", "low", "high", "level")),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "link_mixes",
        *_key("link_mixes", "input"),
        sa.Column("counts", ARRAY(sa.BigInteger(), dimensions=2), nullable=False),
        sa.Column("links", sa.Integer(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("distance", sa.Double()),
        sa.Column("threshold", sa.Double()),
        sa.Column("alarm", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("baseline", ARRAY(sa.Date()), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
    )
    for name, (about, query, columns) in _VIEWS.items():
        op.execute(f"CREATE VIEW dashboard.{name} AS {query}")
        op.execute(f"COMMENT ON VIEW dashboard.{name} IS '{about}'")
        for column, said in columns.items():
            op.execute(f"COMMENT ON COLUMN dashboard.{name}.{column} IS '{said}'")


def _key(table: str, *names: str) -> tuple[SchemaItem, ...]:
    return (
        sa.Column("arm_id", sa.SmallInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in names),
        sa.ForeignKeyConstraint(["arm_id"], ["arms.arm_id"], name=op.f(f"{table}_arm_id_fkey")),
        sa.PrimaryKeyConstraint("arm_id", "month", *names, name=op.f(f"{table}_pkey")),
    )


def downgrade() -> None:
    for name in reversed(_VIEWS):
        op.execute(f"DROP VIEW dashboard.{name}")
    op.drop_table("link_mixes")
    op.drop_table("fairness_slices")
