"""The tables of a change of embedding space: adapters, embedding again, and what was measured before.

`face_embeddings.adapter_id` (facealbum.storage.schema) tells a vector that an adapter has made from a true one.
"""

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from facealbum.storage.schema import embedding_spaces, family_key, metadata, time_column

__all__ = ["adapters", "compat_reports", "metadata", "reembedding_problems", "reembeddings"]


def _space(name: str) -> Column[object]:
    return Column(name, SmallInteger, ForeignKey(embedding_spaces.c.space_id), nullable=False)


adapters = Table(
    "adapters",
    metadata,
    Column("adapter_id", SmallInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    _space("source_space_id"),
    _space("target_space_id"),
    Column("sha256", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("figures", JSONB, nullable=False),
    time_column("created_at"),
    CheckConstraint("kind IN ('orthogonal', 'linear', 'mlp')", name="kind"),
)

reembeddings = Table(
    "reembeddings",
    metadata,
    Column("number", Integer, Identity(), primary_key=True),
    _space("source_space_id"),
    _space("target_space_id"),
    Column("status", Text, nullable=False),
    Column("rate", REAL),
    Column("families_left", Integer),
    Column("after_family", Uuid),
    Column("faces", BigInteger, nullable=False, server_default=text("0")),
    time_column("paced_from"),
    Column("paced_faces", BigInteger, nullable=False, server_default=text("0")),
    time_column("started_at"),
    time_column("updated_at"),
    time_column("finished_at", nullable=True),
    CheckConstraint("status IN ('running', 'paused', 'done')", name="status"),
)

reembedding_problems = Table(
    "reembedding_problems",
    metadata,
    family_key(references_family=False),
    Column("space_id", SmallInteger, ForeignKey(embedding_spaces.c.space_id), primary_key=True),
    Column("face_id", Uuid, primary_key=True),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    time_column("noticed_at"),
    ForeignKeyConstraint(["family_id", "face_id"], ["faces.family_id", "faces.face_id"], ondelete="CASCADE"),
)

compat_reports = Table(
    "compat_reports",
    metadata,
    Column("number", Integer, Identity(), primary_key=True),
    _space("source_space_id"),
    _space("target_space_id"),
    Column("adapter_id", SmallInteger, ForeignKey(adapters.c.adapter_id)),
    Column("passed", Boolean, nullable=False),
    Column("code_version", Text, nullable=False),
    Column("report", JSONB, nullable=False),
    time_column("created_at"),
)
