"""The table of business signals: what other systems tell of families, without any content."""

from sqlalchemy import Column, Double, Index, Table, Text

from facealbum.storage.schema import family_key, metadata, time_column

__all__ = ["metadata", "signals"]

signals = Table(
    "signals",
    metadata,
    family_key(),
    Column("source", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    time_column("happened_at"),
    time_column("arrived_at"),
    Column("value", Double, nullable=False),
    Index("signals_happened_at_idx", "happened_at", postgresql_using="brin"),
)
