"""Experiments, the arm of each family in them, who is served what, and what was done by whom.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "experiments",
        sa.Column("experiment_id", sa.SmallInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("holdout", sa.Double(), nullable=False),
        sa.Column("traffic", sa.Double(), nullable=False),
        sa.Column("plan", postgresql.JSONB(), nullable=False),
        sa.Column("first_month", sa.Date(), nullable=True),
        sa.Column("verdicts", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("mode IN ('served', 'shadow')", name=op.f("experiments_mode_check")),
        sa.CheckConstraint(
            "status IN ('draft', 'running', 'stopped', 'concluded', 'rolled_back')",
            name=op.f("experiments_status_check"),
        ),
        sa.PrimaryKeyConstraint("experiment_id", name=op.f("experiments_pkey")),
        sa.UniqueConstraint("name", name=op.f("experiments_name_key")),
    )
    op.create_table(
        "experiment_arms",
        sa.Column("experiment_id", sa.SmallInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("arm_id", sa.SmallInteger(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("control", sa.Boolean(), nullable=False),
        _of_experiment("experiment_arms"),
        _of_arm("experiment_arms"),
        sa.PrimaryKeyConstraint("experiment_id", "position", name=op.f("experiment_arms_pkey")),
    )
    op.create_table(
        "promotions",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("arm_id", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("experiment_id", sa.SmallInteger(), nullable=True),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name=op.f("promotions_experiment_id_fkey")
        ),
        sa.ForeignKeyConstraint(["undoes"], ["promotions.number"], name=op.f("promotions_undoes_fkey")),
        _of_arm("promotions"),
        sa.PrimaryKeyConstraint("number", name=op.f("promotions_pkey")),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("audit_pkey")),
    )
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.create_table(
        "experiment_families",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("experiment_id", sa.SmallInteger(), nullable=False),
        sa.Column("arm_id", sa.SmallInteger(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        _of_family("experiment_families"),
        _of_experiment("experiment_families"),
        _of_arm("experiment_families"),
        sa.PrimaryKeyConstraint("family_id", "experiment_id", name=op.f("experiment_families_pkey")),
    )
    op.create_table(
        "serving",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("arm_id", sa.SmallInteger(), nullable=False),
        sa.Column("experiment_id", sa.SmallInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        _of_family("serving"),
        _of_experiment("serving"),
        _of_arm("serving"),
        sa.PrimaryKeyConstraint("family_id", name=op.f("serving_pkey")),
    )


def _of_family(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"{table}_family_id_fkey")
    return sa.ForeignKeyConstraint(["family_id"], ["families.family_id"], name=name, ondelete="CASCADE")


def _of_experiment(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"{table}_experiment_id_fkey")
    return sa.ForeignKeyConstraint(["experiment_id"], ["experiments.experiment_id"], name=name, ondelete="CASCADE")


def _of_arm(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["arm_id"], ["arms.arm_id"], name=op.f(f"{table}_arm_id_fkey"))


def downgrade() -> None:
    for table in ("serving", "experiment_families", "audit", "promotions", "experiment_arms", "experiments"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_change()")
