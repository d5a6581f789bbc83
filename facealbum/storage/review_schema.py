"""The tables of review: what reviewers answered, and how far each family was when it was looked at last."""

from sqlalchemy import CheckConstraint, Column, Double, Integer, Table, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from facealbum.storage.schema import family_key, metadata, time_column

review_answers = Table(
    "review_answers",
    metadata,
    family_key(),
    Column("question_id", Uuid, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("faces", Integer, nullable=False),
    Column("decisions", ARRAY(Integer), nullable=False),
    Column("author", Text, nullable=False),
    time_column("answered_at"),
    CheckConstraint("answer IN ('yes', 'no', 'unsure')", name="answer"),
    UniqueConstraint("family_id", "number"),
)

review_progress = Table(
    "review_progress",
    metadata,
    family_key(),
    Column("faces", Integer, nullable=False),
    Column("settled", Integer, nullable=False),
    Column("told", Integer, nullable=False),
    Column("wrong", Double, nullable=False),
    Column("answers", Integer, nullable=False),
    Column("settles", Double, nullable=False),
    time_column("looked_at"),
)
