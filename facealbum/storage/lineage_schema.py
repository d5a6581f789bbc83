"""The tables of lineage: what made each analysis, embedding and run, and which families have something of it.

`maker_id` of photos, face_embeddings and runs (facealbum.storage.schema) names the row of `makers`: two bytes instead
of versions and checksums beside every face.  docs/lineage.md tells how they are used.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Identity, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from facealbum.storage.compat_schema import adapters
from facealbum.storage.schema import analyzers, embedding_spaces, family_key, metadata, time_column

makers = Table(
    "makers",
    metadata,
    Column("maker_id", SmallInteger, Identity(), primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("method", Text, nullable=False),
    Column("space_id", ForeignKey(embedding_spaces.c.space_id), nullable=False),
    Column("source_space_id", ForeignKey(embedding_spaces.c.space_id)),
    Column("analyzer_id", ForeignKey(analyzers.c.analyzer_id)),
    Column("adapter_id", ForeignKey(adapters.c.adapter_id)),
    Column("code_version", Text),
    Column("files", JSONB, nullable=False),
    Column("parameters", JSONB, nullable=False),
    CheckConstraint("method IN ('analysis', 'embedding', 'carrying', 'adapter', 'clustering')", name="method"),
)

family_makers = Table(
    "family_makers",
    metadata,
    family_key(),
    Column("maker_id", ForeignKey(makers.c.maker_id), primary_key=True),
    time_column("first_at"),
)
