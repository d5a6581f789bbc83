"""What rows held before they changed or went; the database writes it by itself, storage.past reads it.

Each table of `storage.past.RECORDED` has a column `known_since` beside those that the product reads and writes.
storage.past_months makes and drops the months of `past_rows`.
"""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from facealbum.storage.schema import family_key, metadata, time_column

past_starts = Table(
    "past_starts",
    metadata,
    Column("relation", Text, primary_key=True),
    time_column("began_at"),
)

past_rows = Table(
    "past_rows",
    metadata,
    family_key(),
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("relation", Text, nullable=False),
    time_column("known_since"),
    Column("known_until", DateTime(timezone=True), primary_key=True),
    Column("row_values", JSONB, nullable=False),
    Index(None, "family_id", "relation", "known_until"),
    postgresql_partition_by="RANGE (known_until)",
)
