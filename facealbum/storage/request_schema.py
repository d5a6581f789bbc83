"""The tables of requests: secrets that web processes share, and what requests with a key of their own were answered.

docs/api.md tells how they are used.
"""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, SmallInteger, Table, Text

from facealbum.storage.schema import metadata, time_column

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    time_column("created_at"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("status", SmallInteger),
    Column("answer", LargeBinary),
    Column("location", Text),
    Column("family_id", ForeignKey("families.family_id", ondelete="CASCADE")),
    time_column("created_at"),
    Index(None, "family_id"),
    Index(None, "created_at"),
)
