"""The tables of experiments: who is in which arm, who is shown which, what was promoted, and who did it.

docs/experiments.md tells how they are used.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Identity,
    Integer,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from facealbum.storage.schema import arms, family_key, metadata, time_column

# --- The same for every family --------------------------------------------------------------------------------

experiments = Table(
    "experiments",
    metadata,
    Column("experiment_id", SmallInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("mode", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("salt", Text, nullable=False),
    Column("holdout", Double, nullable=False),
    Column("traffic", Double, nullable=False),
    Column("plan", JSONB, nullable=False),
    Column("first_month", Date),
    Column("verdicts", JSONB),
    time_column("created_at"),
    time_column("started_at", nullable=True),
    time_column("ended_at", nullable=True),
    CheckConstraint("mode IN ('served', 'shadow')", name="mode"),
    CheckConstraint("status IN ('draft', 'running', 'stopped', 'concluded', 'rolled_back')", name="status"),
)

experiment_arms = Table(
    "experiment_arms",
    metadata,
    Column("experiment_id", ForeignKey(experiments.c.experiment_id, ondelete="CASCADE"), primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("arm_id", ForeignKey(arms.c.arm_id), nullable=False),
    Column("share", Double, nullable=False),
    Column("control", Boolean, nullable=False),
)

promotions = Table(
    "promotions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("arm_id", ForeignKey(arms.c.arm_id), nullable=False),
    time_column("at"),
    Column("author", Text, nullable=False),
    Column("experiment_id", ForeignKey(experiments.c.experiment_id)),
    Column("undoes", ForeignKey("promotions.number")),
)

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    time_column("at"),
    Column("author", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
)

# --- By family ------------------------------------------------------------------------------------------------

experiment_families = Table(
    "experiment_families",
    metadata,
    family_key(),
    Column("experiment_id", ForeignKey(experiments.c.experiment_id, ondelete="CASCADE"), primary_key=True),
    Column("arm_id", ForeignKey(arms.c.arm_id)),
    time_column("assigned_at"),
)

serving = Table(
    "serving",
    metadata,
    family_key(),
    Column("arm_id", ForeignKey(arms.c.arm_id), nullable=False),
    Column("experiment_id", ForeignKey(experiments.c.experiment_id, ondelete="CASCADE"), nullable=False),
    time_column("since"),
)
