"""The tables of access: users, their sessions, service tokens, attempts to sign in, and who saw whose faces.

Secrets are kept as digests alone.  docs/access.md tells how they are used.
"""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid

from facealbum.storage.schema import family_key, metadata, time_column

_ROLES = "role IN ('viewer', 'reviewer', 'operator', 'admin')"

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password", Text),
    time_column("created_at"),
    CheckConstraint(_ROLES, name="role"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("user_name", ForeignKey(users.c.name, ondelete="CASCADE"), nullable=False),
    time_column("created_at"),
    time_column("expires_at"),
    Index(None, "user_name"),
)

service_tokens = Table(
    "service_tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("family_id", ForeignKey("families.family_id", ondelete="CASCADE")),
    time_column("created_at"),
    time_column("expires_at"),
    time_column("used_at", nullable=True),
    time_column("revoked_at", nullable=True),
    CheckConstraint(_ROLES, name="role"),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("attempts", Integer, nullable=False),
    time_column("since"),
)

face_views = Table(
    "face_views",
    metadata,
    family_key(),
    Column("person_id", Uuid, primary_key=True),
    Column("viewer", Text, primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
)
