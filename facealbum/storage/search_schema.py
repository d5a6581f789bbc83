"""The table of searches over parameters: what was agreed, what came of it, and the arm that was proposed.

Nothing of any family is in it, nor in the schema `search`, where the library that searches keeps its trials.
docs/search.md tells how they are used.
"""

from sqlalchemy import Column, ForeignKey, Identity, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from facealbum.storage.schema import arms, metadata, time_column

searches = Table(
    "searches",
    metadata,
    Column("search_id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("base", JSONB, nullable=False),
    Column("plan", JSONB, nullable=False),
    Column("author", Text, nullable=False),
    time_column("created_at"),
    Column("outcome", JSONB),
    time_column("concluded_at", nullable=True),
    Column("arm_id", ForeignKey(arms.c.arm_id)),
)
