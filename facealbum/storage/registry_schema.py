"""The tables of the registry of models: every version, and every change of a version's stage.

docs/registry.md tells how they are used.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from facealbum.domain.model_versions import ModelKind, Stage
from facealbum.storage.experiment_schema import promotions
from facealbum.storage.schema import arms, metadata, time_column

_KINDS = ", ".join(f"'{kind}'" for kind in ModelKind)
_STAGES = ", ".join(f"'{stage}'" for stage in Stage)

model_versions = Table(
    "model_versions",
    metadata,
    Column("model_id", Integer, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("research_only", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    Column("training_run", Text),
    Column("snapshot", Text),
    Column("metrics", JSONB, nullable=False),
    Column("slices", JSONB, nullable=False, server_default=text("'{}'")),
    Column("primary_metric", Text),
    Column("gates", JSONB, nullable=False),
    Column("stage", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("arm_id", ForeignKey(arms.c.arm_id)),
    Column("asked_by", Text),
    time_column("made_at"),
    CheckConstraint(f"kind IN ({_KINDS})", name="kind"),
    CheckConstraint(f"stage IN ({_STAGES})", name="stage"),
    UniqueConstraint("kind", "name", "sha256"),
    UniqueConstraint("kind", "name", "version"),
    Index("model_versions_production_idx", "slot", unique=True, postgresql_where=text("stage = 'production'")),
)

model_changes = Table(
    "model_changes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("act", Integer, nullable=False),
    Column("model_id", ForeignKey(model_versions.c.model_id), nullable=False),
    Column("before", Text),
    Column("after", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("approver", Text),
    Column("reason", Text, nullable=False),
    Column("overridden", ARRAY(Text), nullable=False),
    Column("promotion", ForeignKey(promotions.c.number)),
    Column("undoes", Integer),
    time_column("at"),
    Index(None, "model_id"),
)
