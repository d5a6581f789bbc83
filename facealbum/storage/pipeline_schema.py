"""The tables of training data: each data set that was collected, and the families that it holds something of."""

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from facealbum.storage.schema import family_key, metadata, time_column

data_snapshots = Table(
    "data_snapshots",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("query", Text, nullable=False),
    Column("items", Integer, nullable=False),
    Column("groups", Integer, nullable=False),
    Column("families", Integer, nullable=False),
    Column("deleted", Integer, nullable=False),
    Column("code_version", Text, nullable=False),
    time_column("made_at"),
)

data_snapshot_families = Table(
    "data_snapshot_families",
    metadata,
    family_key(),
    Column("digest", ForeignKey(data_snapshots.c.digest), primary_key=True),
)
