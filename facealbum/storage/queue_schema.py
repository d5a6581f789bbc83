"""The tables of the queues: what waits to be sent, to arrive or to be done; docs/data-model.md tells what each is for.

`metadata` from here holds these tables and all of facealbum.storage.schema.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from facealbum.storage.schema import family_key, metadata, time_column

__all__ = ["batch_families", "batches", "metadata", "outbox", "parked", "uploads"]

# --- What waits between the database and the queues -----------------------------------------------------------
# No reference to families: a message may be about none.  Deleting a family deletes its rows by name.

outbox = Table(
    "outbox",
    metadata,
    family_key(references_family=False),
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("queue", Text, nullable=False),
    Column("message", JSONB, nullable=False),
    time_column("written_at"),
    Index(None, "number"),
)

parked = Table(
    "parked",
    metadata,
    family_key(references_family=False),
    Column("parked_id", Uuid, primary_key=True),
    Column("queue", Text, nullable=False),
    Column("message", JSONB, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    time_column("first_at"),
    time_column("last_at"),
)

uploads = Table(
    "uploads",
    metadata,
    family_key(),
    Column("upload_id", Uuid, primary_key=True),
    Column("key", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    time_column("taken_at", nullable=True),
    time_column("created_at"),
    time_column("expires_at"),
)

# --- The monthly job over all families ------------------------------------------------------------------------

batches = Table(
    "batches",
    metadata,
    Column("batch_id", Uuid, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("through", Date, nullable=False),
    Column("arm", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("after_family", Uuid),
    Column("all_handed_out", Boolean, nullable=False, server_default=false()),
    Column("summary", JSONB),
    time_column("created_at"),
    time_column("evaluation_asked_at", nullable=True),
    time_column("finished_at", nullable=True),
    CheckConstraint("status IN ('running', 'paused', 'evaluating', 'done', 'cancelled')", name="status"),
)

batch_families = Table(
    "batch_families",
    metadata,
    family_key(),
    Column("batch_id", Uuid, ForeignKey(batches.c.batch_id, ondelete="CASCADE"), primary_key=True),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("code", Text),
    Column("detail", Text),
    Column("faces", Integer),
    Column("assigned", Integer),
    Column("runs", Integer),
    Column("persons_created", Integer),
    Column("links", Integer),
    Column("labels", Integer),
    Column("mixing", Integer),
    Column("disappearance", Integer),
    Column("splitting", Integer),
    Column("broken", Integer),
    time_column("handed_out_at"),
    time_column("finished_at", nullable=True),
    Index(None, "batch_id", "status"),
    CheckConstraint("status IN ('waiting', 'handed out', 'done', 'failed')", name="status"),
)
