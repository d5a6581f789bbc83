"""The tables, as SQLAlchemy Core sees them; docs/data-model.md tells what each is for.

`family_id` leads every key and every index, so that the schema distributes by family unchanged.  Tables that
grow with every face are hash-partitioned by it.  The tables without it are small and the same for everybody.
Every reference inside a family cascades: deleting the family's row deletes all that is known of it.
"""

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from facealbum.domain.faces import EMBEDDING_SIZE

PARTITIONS = 16

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)


def time_column(name: str, *, nullable: bool = False) -> Column[object]:
    """A moment, with its time zone."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def family_key(*, references_family: bool = True) -> Column[object]:
    """The first column of every primary key."""
    reference = [ForeignKey("families.family_id", ondelete="CASCADE")] if references_family else []
    return Column("family_id", Uuid, *reference, primary_key=True)


def _inside_family(column: str, table: str, key: str | None = None) -> ForeignKeyConstraint:
    """A reference to a row of the same family, by the column `key` of its table, or the one of the same name."""
    there = [f"{table}.family_id", f"{table}.{key or column}"]
    return ForeignKeyConstraint(["family_id", column], there, ondelete="CASCADE")


# --- The same for every family -------------------------------------------------------------------------------

embedding_spaces = Table(
    "embedding_spaces",
    metadata,
    Column("space_id", SmallInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

analyzers = Table(
    "analyzers",
    metadata,
    Column("analyzer_id", SmallInteger, Identity(), primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("models", JSONB, nullable=False),
    Column("space_id", ForeignKey(embedding_spaces.c.space_id), nullable=False),
)

arms = Table(
    "arms",
    metadata,
    Column("arm_id", SmallInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("space_id", ForeignKey(embedding_spaces.c.space_id), nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("parameters", JSONB, nullable=False),
)

# --- What the family gives ------------------------------------------------------------------------------------

families = Table(
    "families",
    metadata,
    family_key(references_family=False),
    Column("name", Text, nullable=False),
    time_column("created_at"),
    time_column("unmatched_since", nullable=True),
    time_column("match_asked_at", nullable=True),
    Index("families_unmatched_idx", "family_id", postgresql_where=text("unmatched_since IS NOT NULL")),
)

children = Table(
    "children",
    metadata,
    family_key(),
    Column("child_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("birth_date", Date, nullable=False),
    Column("gender", Text, nullable=False),
    time_column("created_at"),
    CheckConstraint("gender IN ('female', 'male', 'unknown')", name="gender"),
)

photos = Table(
    "photos",
    metadata,
    family_key(),
    Column("photo_id", Uuid, primary_key=True),
    Column("key", Text, nullable=False),
    Column("sha256", LargeBinary),
    Column("bytes", BigInteger),
    Column("format", Text),
    Column("width", Integer),
    Column("height", Integer),
    Column("camera", Text),
    time_column("taken_at"),
    Column("taken_at_source", Text, nullable=False),
    Column("video_id", Uuid),
    Column("frame_ms", Integer),
    Column("status", Text, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    time_column("announced_at", nullable=True),
    Column("analyzer_id", ForeignKey(analyzers.c.analyzer_id)),
    time_column("created_at"),
    time_column("analysed_at", nullable=True),
    Column("maker_id", SmallInteger),  # of `makers`: what analysed it
    Index("photos_content_key", "family_id", "sha256", unique=True, postgresql_where=text("frame_ms IS NULL")),
    Index(None, "family_id", "taken_at"),
    Index("photos_created_at_idx", "created_at", postgresql_using="brin"),
    Index("photos_analysed_at_idx", "analysed_at", postgresql_using="brin"),
    Index("photos_pending_since_idx", "created_at", postgresql_where=text("status = 'pending'")),
    Index("photos_pending_idx", "family_id", "photo_id", postgresql_where=text("status = 'pending'")),
    Index("photos_video_idx", "family_id", "video_id", postgresql_where=text("video_id IS NOT NULL")),
    _inside_family("video_id", "photos", "photo_id"),
    CheckConstraint("(video_id IS NULL) = (frame_ms IS NULL)", name="frame"),
    CheckConstraint("status IN ('pending', 'analysed', 'failed')", name="status"),
    CheckConstraint("taken_at_source IN ('manifest', 'exif', 'video', 'file')", name="taken_at_source"),
)

photo_problems = Table(
    "photo_problems",
    metadata,
    family_key(references_family=False),
    Column("photo_id", Uuid, primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    time_column("noticed_at"),
    _inside_family("photo_id", "photos"),
    CheckConstraint("stage IN ('import', 'analysis')", name="stage"),
)

# --- What analysis finds --------------------------------------------------------------------------------------

tracks = Table(
    "tracks",
    metadata,
    family_key(references_family=False),
    Column("video_id", Uuid, primary_key=True),
    Column("track", Integer, primary_key=True, autoincrement=False),
    Column("seen", ARRAY(Integer), nullable=False),
    _inside_family("video_id", "photos", "photo_id"),
)

faces = Table(
    "faces",
    metadata,
    family_key(references_family=False),
    Column("face_id", Uuid, primary_key=True),
    Column("photo_id", Uuid, nullable=False),
    Column("number", SmallInteger, nullable=False),
    time_column("taken_at"),
    Column("box", ARRAY(REAL), nullable=False),
    Column("landmarks", ARRAY(REAL), nullable=False),
    Column("yaw", REAL, nullable=False),
    Column("pitch", REAL, nullable=False),
    Column("roll", REAL, nullable=False),
    Column("age", REAL, nullable=False),
    Column("p_female", REAL, nullable=False),
    Column("quality", REAL, nullable=False),
    Column("score", REAL, nullable=False),
    Column("embedding_norm", REAL),
    Column("track", Integer),
    Column("excluded", Boolean, nullable=False, server_default=false()),
    Column("told_age", REAL),  # by a user; NaN: not what the models say
    Column("told_p_female", REAL),
    Column("analyzer_id", ForeignKey(analyzers.c.analyzer_id), nullable=False),
    Column("calibrator_id", Integer),  # of `model_versions`: it made age and p_female of the packaged models' two
    Column("packaged_age", REAL),
    Column("packaged_p_female", REAL),
    Column("predictor_id", Integer),  # of `model_versions`: it made quality
    Column("packaged_quality", REAL),
    _inside_family("photo_id", "photos"),
    UniqueConstraint("family_id", "photo_id", "number"),
    Index(None, "family_id", "taken_at"),
    CheckConstraint("array_length(box, 1) = 4 AND array_length(landmarks, 1) = 10", name="shapes"),
    CheckConstraint(
        "(calibrator_id IS NULL) = (packaged_age IS NULL) AND (calibrator_id IS NULL) = (packaged_p_female IS NULL)",
        name="calibrated",
    ),
    CheckConstraint("(predictor_id IS NULL) = (packaged_quality IS NULL)", name="predicted"),
    postgresql_partition_by="HASH (family_id)",
)

face_embeddings = Table(
    "face_embeddings",
    metadata,
    family_key(references_family=False),
    Column("space_id", ForeignKey(embedding_spaces.c.space_id), primary_key=True),
    Column("face_id", Uuid, primary_key=True),
    Column("embedding", HALFVEC(EMBEDDING_SIZE), nullable=False),
    Column("adapter_id", SmallInteger),  # of `adapters`: it made the embedding from that of another space
    Column("maker_id", SmallInteger),  # of `makers`
    _inside_family("face_id", "faces"),
    Index(None, "family_id", "face_id"),
    Index("face_embeddings_adapted_idx", "family_id", postgresql_where=text("adapter_id IS NOT NULL")),
    postgresql_partition_by="HASH (family_id)",
)

# --- What clustering and linking decide -----------------------------------------------------------------------

runs = Table(
    "runs",
    metadata,
    family_key(),
    Column("run_id", Uuid, primary_key=True),
    Column("arm_id", ForeignKey(arms.c.arm_id), nullable=False),
    Column("month", Date, nullable=False),
    Column("input_digest", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("code_version", Text, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("parameters", JSONB, nullable=False),
    Column("models", JSONB, nullable=False),
    Column("faces", Integer, nullable=False),
    Column("nodes", Integer, nullable=False),
    Column("attached", Integer, nullable=False),
    Column("founded", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("persons_created", Integer, nullable=False),
    Column("moved", Integer, nullable=False, server_default=text("0")),
    Column("provisional_confirmed", Integer, nullable=False, server_default=text("0")),
    Column("provisional_moved", Integer, nullable=False, server_default=text("0")),
    Column("provisional_dropped", Integer, nullable=False, server_default=text("0")),
    time_column("started_at"),
    time_column("finished_at", nullable=True),
    Column("maker_id", SmallInteger),  # of `makers`
    Index(None, "family_id", "arm_id", "month"),
    CheckConstraint("status IN ('running', 'done', 'failed')", name="status"),
)

plans = Table(
    "plans",
    metadata,
    family_key(references_family=False),
    Column("run_id", Uuid, primary_key=True),
    Column("clustering", JSONB, nullable=False),
    Column("linking", JSONB, nullable=False),
    Column("unpinned_digest", Text),
    Column("unpinned", LargeBinary),
    _inside_family("run_id", "runs"),
)

persons = Table(
    "persons",
    metadata,
    family_key(references_family=False),
    Column("person_id", Uuid, primary_key=True),
    Column("arm_id", ForeignKey(arms.c.arm_id), nullable=False),
    Column("run_id", Uuid),
    Column("name", Text),
    Column("hidden", Boolean, nullable=False, server_default=false()),
    Column("merged_into", Uuid),
    _inside_family("run_id", "runs"),
    Index(None, "family_id", "arm_id"),
)

assignments = Table(
    "assignments",
    metadata,
    family_key(references_family=False),
    Column("arm_id", ForeignKey(arms.c.arm_id), primary_key=True),
    Column("face_id", Uuid, primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("run_id", Uuid),
    Column("state", Text, nullable=False),
    Column("score", REAL, nullable=False),
    time_column("assigned_at"),
    _inside_family("face_id", "faces"),
    _inside_family("person_id", "persons"),
    Index(None, "family_id", "arm_id", "person_id"),
    Index(None, "family_id", "face_id"),
    CheckConstraint("state IN ('provisional', 'confirmed')", name="state"),
    postgresql_partition_by="HASH (family_id)",
)

links = Table(
    "links",
    metadata,
    family_key(references_family=False),
    Column("person_id", Uuid, primary_key=True),
    Column("child_id", Uuid, nullable=False),
    Column("run_id", Uuid),
    Column("probability", REAL, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("confirmed", Boolean, nullable=False, server_default=false()),
    time_column("linked_at"),
    _inside_family("person_id", "persons"),
    _inside_family("child_id", "children"),
    Index(None, "family_id", "child_id"),
)

breakage = Table(
    "breakage",
    metadata,
    family_key(references_family=False),
    Column("run_id", Uuid, primary_key=True),
    Column("person_id", Uuid, primary_key=True),
    Column("nodes", Integer, nullable=False),
    Column("mixing", Boolean, nullable=False),
    Column("disappearance", Boolean, nullable=False),
    Column("splitting", Boolean, nullable=False),
    Column("clusters", JSONB, nullable=False),
    _inside_family("run_id", "runs"),
    _inside_family("person_id", "persons"),
    Index(None, "family_id", "person_id"),
)

decisions = Table(
    "decisions",
    metadata,
    family_key(),
    Column("decision_id", Uuid, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("arm_id", ForeignKey(arms.c.arm_id), nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", JSONB, nullable=False),
    Column("anchors", JSONB, nullable=False),
    Column("correction", JSONB, nullable=False),
    Column("author", Text, nullable=False),
    time_column("decided_at"),
    time_column("undone_at", nullable=True),
    Column("undone_by", Text),
    CheckConstraint(
        "kind IN ('confirm', 'reject', 'merge', 'split', 'move', 'hide', 'name', 'different', 'same', 'link',"
        " 'not_a_face', 'unhide', 'unlink', 'age', 'gender')",
        name="kind",
    ),
    UniqueConstraint("family_id", "number"),
)

PARTITIONED = tuple(table for table in metadata.sorted_tables if table.dialect_options["postgresql"]["partition_by"])
