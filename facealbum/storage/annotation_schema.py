"""The tables of annotation: samples, what they ask about, and what annotators said.

`samples` holds sums over all families and outlives them; items and labels go with their family.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from facealbum.storage.schema import family_key, metadata, time_column

__all__ = ["labels", "metadata", "sample_items", "samples"]

samples = Table(
    "samples",
    metadata,
    Column("sample_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("arms", ARRAY(Text), nullable=False),
    Column("stratified_by", ARRAY(Text), nullable=False),
    Column("month", Text),
    Column("allocation", Text, nullable=False),
    Column("families", Integer, nullable=False),
    Column("strata", JSONB, nullable=False),
    time_column("drawn_at"),
    Column("estimate", JSONB),
    time_column("concluded_at", nullable=True),
    CheckConstraint("kind IN ('faces', 'pairs', 'clusters')", name="kind"),
)

sample_items = Table(
    "sample_items",
    metadata,
    family_key(),
    Column("sample_id", Uuid, ForeignKey(samples.c.sample_id, ondelete="CASCADE"), primary_key=True),
    Column("item_id", Uuid, primary_key=True),
    Column("stratum", Text, nullable=False),
    Column("probability", Double, nullable=False),
    Column("faces", ARRAY(Uuid), nullable=False),
    Column("arm", Text),
    Column("person_id", Uuid),
    Column("child_id", Uuid),
    Column("together", ARRAY(Text), nullable=False),
    Column("size", Integer, nullable=False),
    Column("decision", Integer),
    CheckConstraint("probability > 0 AND probability <= 1", name="probability"),
)

labels = Table(
    "labels",
    metadata,
    family_key(references_family=False),
    Column("sample_id", Uuid, primary_key=True),
    Column("item_id", Uuid, primary_key=True),
    Column("annotator", Text, primary_key=True),
    Column("answer", Text, nullable=False),
    Column("odd", ARRAY(SmallInteger), nullable=False, server_default=text("'{}'")),
    time_column("labelled_at"),
    ForeignKeyConstraint(
        ["family_id", "sample_id", "item_id"],
        ["sample_items.family_id", "sample_items.sample_id", "sample_items.item_id"],
        ondelete="CASCADE",
    ),
    CheckConstraint("answer IN ('yes', 'no', 'unsure', 'not_a_face')", name="answer"),
)
